"""`dbguard lint` as people call it: targets, schemas, comments, reports, exit status, what is kept."""

from __future__ import annotations

import io
import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_dbguard.cli import lint_command

PAGES = """\
SELECT id, name FROM shops
WHERE city = $1
ORDER BY id
LIMIT 10 OFFSET 50000;

SELECT id FROM shops ORDER BY id LIMIT 10;
"""
REPO = '''\
from sqlalchemy import text


def by_city(session, city):
    return session.execute(
        text(
            """
            SELECT id FROM shops
            WHERE city = :city
            """
        ),
        {"city": city},
    )


def shuffled(cursor):
    cursor.execute("SELECT id FROM shops WHERE city <> %s ORDER BY random() LIMIT 1", ("x",))
'''
MODELS = """\
from sqlalchemy import ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Shop(Base):
    __tablename__ = "shops"
    id: Mapped[int] = mapped_column(primary_key=True)
    city: Mapped[str]


class Sale(Base):
    __tablename__ = "sales"
    id: Mapped[int] = mapped_column(primary_key=True)
    shop_id: Mapped[int] = mapped_column(ForeignKey("shops.id"))
"""
PACKAGE = Path(lint_command.__file__).parent.parent.parent
CLEAN = "dbguard: 1 file, 1 statement, no findings.\n"


@pytest.fixture
def lint(dbguard, tmp_path_factory, monkeypatch):
    """Run `dbguard lint` with a cache of its own; the answer is a list of `file:line:column CODE`."""
    monkeypatch.setenv("DBGUARD_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))

    def lint(*arguments, status=None):
        result = dbguard("lint", *arguments, "-q")
        assert status is None or result.status == status, result
        lines = [line.split(": ") for line in result.out.splitlines()]
        return [f"{place} {rule.split(' ')[0]}" for place, rule, *_ in lines]

    return lint


@pytest.fixture
def project(tmp_path):
    """Write files of the project."""

    def project(**files):
        for name, text in files.items():
            path = tmp_path / name.replace("__", "/").replace("_sql", ".sql").replace("_py", ".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path

    return project


@pytest.fixture
def shop(project, monkeypatch, request):
    """Make a package with models whose name no other test has imported."""
    name = "shop" + "".join(letter for letter in request.node.name if letter.isalnum())[-40:]
    package = project() / name
    package.mkdir()
    for file, text in (("__init__", ""), ("models", MODELS), ("repo", REPO)):
        (package / f"{file}.py").write_text(text)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield name
    for module in [module for module in sys.modules if module.partition(".")[0] == name]:
        del sys.modules[module]


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


def test_nor_in_the_cache(lint, project, tmp_path_factory, monkeypatch):
    cache = tmp_path_factory.mktemp("kept")
    monkeypatch.setenv("DBGUARD_CACHE_DIR", str(cache))
    monkeypatch.setattr(sys, "argv", ["dbguard", "lint"])
    project(pages_sql="SELECT id FROM shops WHERE city <> 'geheim' ORDER BY random() LIMIT 1;\n")
    assert lint() == ["pages.sql:1:54 DBG407"]
    kept = [path.read_text() for path in cache.rglob("*") if path.is_file()]
    assert sum("DBG407" in text for text in kept) == 2
    assert not any("geheim" in text for text in kept)


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


def test_files_that_did_not_change_are_not_read_again(lint, project, monkeypatch):
    project(pages_sql=PAGES, other_sql=PAGES)
    first = lint()
    read = []
    monkeypatch.setattr("pytest_dbguard.linting.lint_run.read_source", spy(read))
    assert lint() == first
    assert read == []
    project(other_sql="SELECT id FROM shops WHERE id = 1;\n")
    assert lint() == ["pages.sql:4:10 DBG403"]
    assert read == ["other.sql"]
    assert lint("--select", "DBG407", status=0)[0].startswith("dbguard")
    assert read == ["other.sql", "other.sql", "pages.sql"]


def spy(read):
    from pytest_dbguard.linting.reading import read_source

    def reads(source, root, dialect=""):
        read.append(source.path)
        return read_source(source, root, dialect)

    return reads


def test_what_cannot_be_read_is_told_each_time(dbguard, project, monkeypatch, tmp_path_factory):
    monkeypatch.setenv("DBGUARD_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
    project(pages_sql="SELECT FROM WHERE ORDER BY (;\n" + PAGES)
    first, again = dbguard("lint", "-v"), dbguard("lint", "-v")
    assert first == again
    assert "1 shape not analysed: 1 not readable." in first.out


def test_a_revision_is_read_again_when_what_it_runs_in_changes(lint, project):
    revision = (
        "from alembic import op\nimport sqlalchemy as sa\nrevision = '2'\ndown_revision = '1'\n\n\ndef upgrade():\n"
        "    op.drop_column('shops', 'city')\n"
    )
    project(migrations__versions__two_py=revision, migrations__env_py="")
    assert "migrations/versions/two.py:8:5 DBG814" in lint()
    project(migrations__env_py="connection.execute(\"SET lock_timeout = '5s'\")\n")
    assert "migrations/versions/two.py:8:5 DBG814" not in lint()


def test_a_change_of_the_models_is_seen(shop, project, tmp_path_factory):
    root, cache = project(), tmp_path_factory.mktemp("cache")
    command = [sys.executable, "-m", "pytest_dbguard", "lint", f"{shop}.models:Base", "-q", "--select", "DBG202"]
    variables = {"DBGUARD_CACHE_DIR": str(cache), "PATH": "/usr/bin", "PYTHONPATH": str(PACKAGE)}

    def linted():
        done = subprocess.run(command, cwd=root, env=variables, capture_output=True, text=True, check=True)
        return done.stdout.partition(" ")[0]

    assert linted() == linted() == f"{shop}/models.py:18:5:"
    assert len(list(cache.rglob("runs/*.json"))) == 1
    (root / shop / "models.py").write_text("\n" + MODELS)
    assert linted() == f"{shop}/models.py:19:5:"


def test_what_is_told_again_is_the_same(project, tmp_path_factory):
    root = project(pages_sql=PAGES)
    cache = tmp_path_factory.mktemp("cache")
    command = [sys.executable, "-m", "pytest_dbguard", "lint", "."]
    variables = {
        "DBGUARD_CACHE_DIR": str(cache),
        "PATH": "/usr/bin",
        "PYTHONPATH": str(PACKAGE),
    }
    first, again = (
        subprocess.run(command, cwd=root, env=variables, capture_output=True, text=True, check=False) for _ in range(2)
    )
    assert (first.returncode, first.stdout, first.stderr) == (again.returncode, again.stdout, again.stderr)
    assert first.returncode == 1
    assert len(list(cache.rglob("runs/*.json"))) == 1
