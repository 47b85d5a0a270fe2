"""A run of lint from its parts: rules that fail, dialects, schemas, what is kept."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_dbguard.analysis.judge import active_rules
from pytest_dbguard.analysis.plan_sources import PlanSources
from pytest_dbguard.core.verdict import Fault
from pytest_dbguard.linting.lint_run import LintRequest, run_lint
from pytest_dbguard.linting.reading import SourceFile
from pytest_dbguard.linting.result_cache import ResultCache
from pytest_dbguard.recording.ownership import Ownership
from pytest_dbguard.rules.deep_offset import DeepOffset
from pytest_dbguard.schema.catalog import Catalog, Column, Dialect, Index, IndexKey, Table

SHOPS = Table(
    "",
    "shops",
    columns=(Column("id", "INTEGER", False), Column("city", "TEXT")),
    primary_key=("id",),
    indexes=(Index("", (IndexKey("id"),), is_unique=True, is_primary=True),),
)


@pytest.fixture
def request_of(tmp_path):
    """Make a request for sources by their paths."""

    def request_of(sources, select=(), **more):
        files = tuple(SourceFile(path, text.encode()) for path, text in sources.items())
        rules = active_rules(select=select)
        request = LintRequest(tmp_path, rules, PlanSources(tmp_path), Ownership(tmp_path), files)
        return replace(request, **more)

    return request_of


def found(outcome):
    return [f"{each.place.label} {each.rule}" for each in outcome.verdict.findings]


PAGES = "SELECT id FROM shops\nORDER BY id\nOFFSET 5000;\nSELECT id FROM shops ORDER BY random();\n"


@pytest.fixture
def broken(monkeypatch):
    def judge(self, assessment):
        raise KeyError("geheim")

    monkeypatch.setattr(DeepOffset, "judge", judge)


@pytest.mark.usefixtures("broken")
def test_a_rule_that_fails_is_told_and_costs_no_other(request_of, tmp_path):
    cache = ResultCache(tmp_path / "cache", tmp_path)
    outcome = run_lint(request_of({"a.sql": PAGES}), cache)
    assert found(outcome) == ["a.sql:4 DBG407"]
    (fault,) = outcome.verdict.faults
    assert isinstance(fault, Fault)
    assert (fault.where, fault.error.partition(" at ")[0]) == ("rule DBG403", "KeyError")
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize(
    "text",
    [
        "SELECT id FROM shops WHERE city GLOB 'a*' ORDER BY id LIMIT 10 OFFSET 5000",
        "SELECT id FROM shops WHERE city ILIKE $1 ORDER BY id LIMIT 10 OFFSET 5000",
        "SELECT `id` FROM `shops` WHERE `city` = %s ORDER BY `id` LIMIT 10 OFFSET 5000",
        "SELECT id FROM shops WHERE data ->> 'a' = :a AND b = ANY(:b) ORDER BY id LIMIT 10 OFFSET 5000",
        "SELECT [id] FROM [shops] WHERE [city] = ? ORDER BY [id] LIMIT 10 OFFSET 5000",
    ],
)
def test_each_dialect_is_read_without_being_named(request_of, text):
    outcome = run_lint(request_of({"a.sql": text + ";"}, ["DBG403"]))
    assert found(outcome) == ["a.sql:1 DBG403"]
    assert outcome.verdict.planning.not_analysed == ()


def test_what_no_dialect_reads_is_counted(request_of):
    outcome = run_lint(request_of({"a.sql": "SELECT FROM WHERE (;\nSELECT id FROM shops;\n"}))
    assert dict(outcome.verdict.planning.not_analysed) == {"not readable": 1}


def test_of_texts_that_are_known_in_part_only_what_is_put_in_is_judged(request_of):
    source = (
        "def find(cursor, city, more):\n"
        "    sql = f\"SELECT id FROM shops WHERE city = '{city}' OFFSET 50000 \"\n"
        "    if more:\n"
        "        sql += more\n"
        "    cursor.execute(sql)\n"
    )
    assert found(run_lint(request_of({"a.py": source}))) == ["a.py:2 DBG701"]


def test_texts_of_another_dialect_are_judged_without_the_schema(request_of):
    sources = {"a.sql": "SELECT id FROM shops WHERE city = ?;\nSELECT `id` FROM shops WHERE city = ?;\n"}
    catalog = Catalog(Dialect.POSTGRESQL, tables=(SHOPS,))
    request = request_of(sources, ["DBG201"], catalog=catalog, dialect=Dialect.POSTGRESQL)
    static = replace(request, sources=replace(request.sources, lab="off"))
    assert found(run_lint(static)) == ["a.sql:1 DBG201"]


def test_with_a_schema_nothing_is_taken_from_the_cache(request_of, tmp_path):
    sources = {"a.sql": "SELECT id FROM shops WHERE city = ?;\n"}
    run_lint(request_of(sources, ["DBG201"]), ResultCache(tmp_path / "cache", tmp_path))
    catalog = Catalog(Dialect.SQLITE, tables=(SHOPS,))
    request = request_of(sources, ["DBG201"], catalog=catalog, dialect=Dialect.SQLITE)
    assert found(run_lint(request, ResultCache(tmp_path / "cache", tmp_path))) == ["a.sql:1 DBG201"]


def test_two_statements_of_one_shape_keep_their_own_lines(request_of):
    text = "SELECT id FROM shops ORDER BY id OFFSET 5000;\n\nSELECT id\nFROM shops\nORDER BY id\nOFFSET 7000;\n"
    outcome = run_lint(request_of({"a.sql": text, "b.sql": text}, ["DBG403"]))
    assert found(outcome) == [f"{file}:{line} DBG403" for file in ("a.sql", "b.sql") for line in (1, 6)]
    assert outcome.verdict.totals.shapes == 1


REVISION = """
import sqlalchemy as sa
from alembic import op

revision = "2f6a"
down_revision = "1c3e"

def {name}():
    op.execute("SELECT * FROM shops WHERE city LIKE '%x'")
    op.execute(sa.text("DELETE FROM shops WHERE city = NULL"))
"""


def test_what_a_revision_runs_once_need_not_be_fast(request_of):
    request = request_of({"a.py": REVISION.format(name="upgrade")}, select=("DBG401", "DBG406", "DBG409"))
    assert found(run_lint(request)) == ["a.py:10 DBG409"]
    request = request_of({"a.py": REVISION.format(name="sweep")}, select=("DBG401", "DBG406", "DBG409"))
    assert sorted(found(run_lint(request))) == ["a.py:10 DBG409", "a.py:9 DBG401", "a.py:9 DBG406"]


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        ("SET app.tenant = '{x}'", "bind it as an argument of set_config"),
        ("CREATE USER a PASSWORD '{x}'", "CREATE takes no parameters: check the value against those that are allowed"),
        ("SELECT id FROM shops WHERE city = '{x}'", "bind the value"),
    ],
)
def test_values_are_bound_where_statements_take_them(request_of, text, fix):
    source = f'from sqlalchemy import text\n\ndef go(session, x):\n    session.execute(text(f"{text}"))\n'
    outcome = run_lint(request_of({"a.py": source}, select=("DBG701",)))
    assert outcome.verdict.findings[0].fix.title.startswith(fix)
