"""`dbguard lint` as people call it: targets, schemas, comments, reports, exit status."""

from __future__ import annotations

import io
import json
import sqlite3
import sys

import pytest

from tests.cli.lint_texts import PAGES, REPO

CLEAN = "dbguard: 1 file, 1 statement, no findings.\n"


def test_sources_are_judged_without_a_schema(lint, project):
    project(pages_sql=PAGES, app__repo_py=REPO)
    assert lint(status=1) == ["app/repo.py:17:68 DBG407", "pages.sql:4:10 DBG403"]


def test_a_finding_shows_the_line_of_its_source(dbguard, project):
    project(pages_sql=PAGES)
    result = dbguard("lint", "--no-cache")
    assert "--> pages.sql:4:10\n" in result.out
    assert "4 | LIMIT 10 OFFSET 50000;" in result.out
    assert result.out.endswith("2 statements (2 shapes) in 1 file.\n")


def test_a_clean_project_is_one_line(dbguard, project):
    project(pages_sql="SELECT id FROM shops WHERE id = 1;\n")
    result = dbguard("lint", "--no-cache")
    assert (result.status, result.out, result.err) == (0, CLEAN, "")


def test_tables_and_migrations_are_told_as_what_was_looked_at(dbguard, project):
    project(
        models_py="from sqlalchemy import Column, Integer, MetaData, Table\n\nmetadata = MetaData()\n"
        "Table('shops', metadata, Column('id', Integer, primary_key=True))\n",
        add_sql="CREATE TABLE towns (id integer PRIMARY KEY);\n",
    )
    models = dbguard("lint", "--no-cache", "--no-lab", "models:metadata")
    assert models.out == "dbguard: 1 table, no findings.\n"
    both = dbguard("lint", "--no-cache", "--no-lab", "models:metadata", "add.sql")
    assert both.out == "dbguard: 1 file, 1 migration, 1 table, no findings.\n"


def test_a_baseline_that_is_not_there_is_missed(dbguard, project):
    project(pages_sql=PAGES)
    result = dbguard("lint", "--baseline", "lint.json", "--no-cache")
    assert (result.status, result.out) == (2, "")
    assert result.err.startswith("dbguard: there is no baseline ")


def test_models_that_break_are_no_error_of_ours(dbguard, project):
    project(broken_py="raise RuntimeError('geheim')\n")
    result = dbguard("lint", "--no-cache", "broken:Base")
    assert (result.status, result.err) == (
        2,
        'dbguard: models: broken:Base: RuntimeError while importing\n  python -c "import broken" shows where\n',
    )


def test_literals_are_in_no_report(dbguard, project, tmp_path):
    project(
        pages_sql="SELECT id FROM shops WHERE city <> 'geheim' ORDER BY random() LIMIT 1;\n",
        app_py="import x\nx.execute(\"SELECT id FROM shops WHERE city <> 'geheim' ORDER BY random() LIMIT 3\")\n",
    )
    result = dbguard("lint", "--no-cache", "--report", "json:-", "--report", "concise")
    assert result.out.count("DBG407") >= 3
    assert "geheim" not in result.out + result.err


def test_nor_in_the_log(lint, project, caplog):
    project(app_py="x.execute(\"REPLACE INTO item VALUES (1, 'geheim', 3)\")\n")
    lint("--no-cache")
    assert "geheim" not in caplog.text


def test_the_rules_about_indexes_run_where_the_schema_is_known(lint, shop):
    found = lint(".", "--schema", f"{shop}.models:Base", status=1)
    assert f"{shop}/repo.py:8:13 DBG201" in found
    assert f"{shop}/models.py:18:5 DBG202" in found


def test_models_are_a_target_of_their_own(lint, shop):
    assert lint(f"{shop}.models:Base") == [f"{shop}/models.py:18:5 DBG202"]


def test_the_settings_name_models_and_targets(lint, shop, configured):
    configured(f'[tool.dbguard]\nmetadata = "{shop}.models:Base"\nlint-targets = ["{shop}/repo.py"]\n')
    assert f"{shop}/repo.py:8:13 DBG201" in lint()
    assert not any("DBG201" in line for line in lint("--schema", "none"))


def test_models_of_the_settings_that_cannot_be_imported_cost_the_schema_only(dbguard, project, configured):
    project(pages_sql="SELECT id FROM shops WHERE id = 1;\n")
    configured('[tool.dbguard]\nmetadata = "gone.models:Base"\n')
    result = dbguard("lint", "--no-cache")
    assert result.status == 0
    assert "no schema: " in result.out


def test_models_that_were_named_must_be_there(dbguard, project):
    result = dbguard("lint", "--schema", "gone.models:Base")
    assert result.status == 2
    assert "gone.models" in result.err


def test_a_database_tells_the_schema(lint, project, tmp_path):
    project(repo_py=REPO)
    with sqlite3.connect(tmp_path / "shop.db") as connection:
        connection.execute("CREATE TABLE shops (id INTEGER PRIMARY KEY, city TEXT)")
    connection.close()
    assert "repo.py:8:13 DBG201" in lint("repo.py", "--database", "sqlite:///shop.db")


def test_sql_on_standard_input(lint, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(PAGES.encode())))
    assert lint("-") == ["<stdin>:4:10 DBG403"]


def test_a_saved_run_is_judged_by_its_own_schema(lint, tmp_path, make_run):
    make_run(tmp_path / "run.json")
    assert lint("run.json", status=1) == ["app/repo.py:3 DBG201"]


def test_an_export_of_pg_stat_statements_has_no_places(dbguard, tmp_path):
    (tmp_path / "statements.csv").write_text(
        "query,calls\nSELECT id FROM shops WHERE city <> $1 ORDER BY random() LIMIT $2,12\n"
    )
    result = dbguard("lint", "statements.csv", "-q", "--no-cache")
    assert (result.status, result.out[:21]) == (1, "shops: DBG407 random-")


@pytest.fixture
def make_run():
    """Write a saved run with a statement that wants an index."""
    from pytest_dbguard.core.findings import Shape, Site
    from pytest_dbguard.planning.workload import Exemplar, Use, Workload, WorkloadStatement
    from pytest_dbguard.planning.workload_file import write_workload
    from pytest_dbguard.schema.catalog import Catalog, Column, Dialect, Index, IndexKey, Table

    key = Index("", (IndexKey("id"),), is_unique=True, is_primary=True)
    table = Table(
        "",
        "shops",
        columns=(Column("id", "INTEGER", False), Column("city", "TEXT")),
        primary_key=("id",),
        indexes=(key,),
    )
    text = "SELECT id FROM shops WHERE city = ?"
    use = Use(Site("app/repo.py", 3), 4, ("tests/test_a.py::test_b",))
    statement = WorkloadStatement(Shape("abcdef", text), Exemplar(text, "qmark"), (use,))

    def make_run(path):
        write_workload(path, [(Workload("main", (statement,)), Catalog(Dialect.SQLITE, tables=(table,)))], source="run")

    return make_run


IGNORED = [
    "SELECT id FROM shops -- dbguard: ignore[DBG407]\nORDER BY random();\n",
    "-- dbguard: ignore[DBG407] a few rows\nSELECT id FROM shops\nORDER BY random();\n",
    "-- dbguard: file-ignore[DBG407]\n\nSELECT 1;\nSELECT id FROM shops\nORDER BY random();\n",
    "SELECT id /* dbguard: ignore[random-order] */ FROM shops\nORDER BY random();\n",
]


@pytest.mark.parametrize("text", IGNORED)
def test_comments_in_sql_silence(dbguard, project, text):
    project(pages_sql=text)
    result = dbguard("lint", "--no-cache")
    assert result.status == 0
    assert result.out.endswith("no findings (1 ignored).\n")


IN_PYTHON = [
    'x.execute("SELECT id FROM shops ORDER BY random()")  # dbguard: ignore[DBG407]\n',
    '# dbguard: ignore[DBG407]\nx.execute("SELECT id FROM shops ORDER BY random()")\n',
    '# dbguard: ignore[DBG407]\nx.execute(\n    """\n    SELECT id FROM shops\n    ORDER BY random()\n    """\n)\n',
    'x.execute("SELECT id FROM shops /* dbguard: ignore[DBG407] */ ORDER BY random()")\n',
]


@pytest.mark.parametrize("text", IN_PYTHON)
def test_comments_in_python_silence(dbguard, project, text):
    project(app_py=text)
    result = dbguard("lint", "--no-cache")
    assert result.out == "dbguard: 1 file, 1 statement, no findings (1 ignored).\n"


def test_a_wrong_comment_is_told(dbguard, project):
    project(pages_sql="SELECT id FROM shops; -- dbguard: ignore[DBG4O7]\n")
    result = dbguard("lint", "--no-cache")
    assert "pages.sql:1: unknown rule 'DBG4O7'" in result.err


def test_settings_leave_rules_and_paths_out(lint, project, configured):
    project(old__pages_sql=PAGES, new__pages_sql=PAGES, skipped__pages_sql=PAGES)
    configured(
        '[tool.dbguard]\nlint-exclude = ["skipped/**"]\n\n[tool.dbguard.per-path-ignores]\n"old/**" = ["DBG403"]\n'
    )
    assert lint() == ["new/pages.sql:4:10 DBG403"]
    assert lint("skipped/pages.sql") == ["skipped/pages.sql:4:10 DBG403"]
    assert lint("--select", "DBG407", status=0)[0].startswith("dbguard")
    assert lint("--ignore", "deep-offset", status=0)[0].startswith("dbguard")
    assert lint("--fail-on", "error", status=0) == ["new/pages.sql:4:10 DBG403"]
    assert lint("--exit-zero", status=0) == ["new/pages.sql:4:10 DBG403"]


def test_options_of_rules_hold(lint, project, configured):
    project(pages_sql=PAGES)
    configured("[tool.dbguard.rules.deep-offset]\nmax-offset = 100_000\n")
    assert lint(status=0)[0].startswith("dbguard")


def test_findings_about_tests_are_counted(dbguard, project, configured):
    project(tests__pages_sql=PAGES)
    result = dbguard("lint", "--no-cache")
    assert result.status == 0
    assert '1 finding about test code: the setting test-code = "report" shows it.' in result.out
    configured('[tool.dbguard]\ntest-code = "report"\n')
    assert dbguard("lint", "--no-cache").status == 1


def test_what_is_accepted_does_not_fail(dbguard, project, tmp_path):
    project(pages_sql=PAGES)
    accepted = dbguard("lint", "--baseline", "lint.json", "--update-baseline", "--no-cache")
    assert accepted.status == 0
    assert "lint.json now accepts 1 finding: commit it." in accepted.out
    project(more_sql=PAGES)
    result = dbguard("lint", "--baseline", "lint.json", "--no-cache", "-q")
    assert result.status == 1
    assert result.out.startswith("more.sql:4:10: DBG403")
    assert "pages.sql" not in result.out


def test_a_file_of_accepted_findings_must_be_named(dbguard):
    assert dbguard("lint", "--update-baseline").err == (
        "dbguard: --update-baseline needs a file\n  name it with --baseline FILE\n"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["gone.sql"], "there is no file or directory 'gone.sql'"),
        (["postgresql://a:b@c/d"], "'postgresql://c/d' is a database"),
        (["--select", "DBG999"], "unknown rule 'DBG999'"),
        (["--report", "xml"], "unknown report type 'xml'"),
        (["--database", "sqlite:///a.db", "--schema", "a:b"], "--database and --schema both say which schema"),
        (["--database", "sqlite:///gone.db"], "there is no SQLite database 'gone.db'"),
    ],
)
def test_wrong_use_is_one_message(dbguard, arguments, said):
    result = dbguard("lint", *arguments)
    assert (result.status, result.err.startswith(f"dbguard: {said}")) == (2, True), result.err


def test_the_json_report_counts_files(dbguard, project, tmp_path):
    project(pages_sql=PAGES)
    result = dbguard("lint", "--no-cache", "--report", "json:out/report.json", "--report", "concise")
    assert result.err == "Wrote JSON report to out/report.json\n"
    document = json.loads((tmp_path / "out/report.json").read_text())
    assert (document["totals"]["files"], document["totals"]["tests"], document["totals"]["statements"]) == (1, 0, 2)
