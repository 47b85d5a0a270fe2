"""Judges the schemas of `cases/schemas/*.toml` on real databases: each must show the findings that it names."""

from __future__ import annotations

import sqlite3
import tomllib
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from pytest_dbguard.core.findings import Shape
from pytest_dbguard.databases.base import StartOptions
from pytest_dbguard.databases.connection_string import connection_string
from pytest_dbguard.databases.registry import load_provider
from pytest_dbguard.planning.assess import assess
from pytest_dbguard.planning.assessment import Assessment
from pytest_dbguard.planning.statistics.model import Statistics
from pytest_dbguard.planning.workload import Call, Exemplar, Use, Workload, WorkloadStatement
from pytest_dbguard.rules.base import RuleOptions
from pytest_dbguard.rules.mismatched_key_types import MismatchedKeyTypes
from pytest_dbguard.rules.registry import load_rules
from pytest_dbguard.schema.catalog import Catalog, Column, Dialect, ForeignKey, Table
from pytest_dbguard.schema.postgres_reflection import reflect_postgres
from pytest_dbguard.schema.sqlite_reflection import reflect_sqlite

FILES = sorted((Path(__file__).parent / "cases" / "schemas").glob("*.toml"))
RULES = {rule.__module__.rpartition(".")[2]: rule for rule in load_rules()}
CASES = [
    pytest.param(RULES[path.stem], case, id=f"{path.stem}-{case['name']}")
    for path in FILES
    for case in tomllib.loads(path.read_text())["case"]
]
ON_SQLITE = [param for param in CASES if param.values[1].get("only", "sqlite") == "sqlite"]
ON_POSTGRES = [param for param in CASES if param.values[1].get("only", "postgresql") == "postgresql"]


@pytest.fixture(scope="module")
def server():
    """A server that is started for this module."""
    found = load_provider("postgres-embedded").launch(StartOptions()).ready()
    yield found
    found.close()


@pytest.mark.parametrize(("rule", "case"), ON_SQLITE)
def test_on_sqlite(rule, case):
    connection = sqlite3.connect(":memory:")
    connection.executescript(case.get("sqlite") or case["sql"])
    judge(rule, case, reflect_sqlite(lambda sql: connection.execute(sql).fetchall()))
    connection.close()


@pytest.mark.parametrize(("rule", "case"), ON_POSTGRES)
def test_on_postgres(rule, case, server):
    with psycopg.connect(connection_string(server.url)) as connection:
        connection.execute(case.get("postgresql") or case["sql"])
        judge(rule, case, reflect_postgres(lambda sql: connection.execute(sql).fetchall()))
        connection.rollback()


def judge(rule, case, catalog):
    """Compare what a rule says of a schema and its statements with what the case names."""
    call = Call(tuple(case["call"])) if "call" in case else None
    use = Use(None, 1, ("t",), case.get("in_test_code", False), call=call)
    statements = tuple(
        WorkloadStatement(Shape(str(number), text), Exemplar(text, "qmark"), (use,), text.split()[0])
        for number, text in enumerate(case.get("statements", ()))
    )
    assessment = assess(Workload("s", statements), catalog, Statistics(), None)
    assert [each.problem for each in assessment.statements] == [""] * len(statements)
    assessment = replace(assessment, not_analysed=case.get("not_analysed", {}))
    findings = list(rule(rule.options_model()).judge(assessment))
    assert sorted(finding.subject for finding in findings) == sorted(case.get("expect", ()))
    severity = case.get("severity", {}).get(catalog.dialect.value)
    for finding in findings:
        assert case.get("says", "") in finding.message
        assert case.get("fix", "") in finding.fix.code
        assert severity in (None, str(finding.severity))
        assert "\n" not in finding.message


KEYS = [
    ("integer", "numeric"),
    ("integer", "double precision"),
    ("numeric", "double precision"),
    ("numeric", "integer"),
    ("double precision", "integer"),
    ("varchar(20)", "char(20)"),
    ("char(20)", "varchar(20)"),
    ("text", "char(20)"),
    ("char(20)", "text"),
    ("varchar(36)", "uuid"),
    ("integer", "text"),
    ("text", "bigint"),
    ("text", "date"),
    ("boolean", "integer"),
]


@pytest.mark.parametrize(("ours", "theirs"), KEYS)
def test_keys_that_postgres_refuses(ours, theirs, server):
    key = (ForeignKey("fk", ("x",), "public", "a", ("id",)),)
    tables = (
        Table("public", "a", columns=(Column("id", theirs),), primary_key=("id",)),
        Table("public", "b", columns=(Column("x", ours),), primary_key=("x",), foreign_keys=key),
    )
    assessment = Assessment(Catalog(Dialect.POSTGRESQL, tables=tables), Statistics())
    [finding] = MismatchedKeyTypes(RuleOptions()).judge(assessment)
    with psycopg.connect(connection_string(server.url)) as connection:
        connection.execute(f"CREATE TABLE a (id {theirs} PRIMARY KEY)")
        try:
            connection.execute(f"CREATE TABLE b (x {ours} REFERENCES a (id))")
            is_refused = False
        except psycopg.errors.DatatypeMismatch:
            is_refused = True
        connection.rollback()
    assert ("PostgreSQL refuses such a key" in finding.message) is is_refused


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_enough_cases(path):
    cases = tomllib.loads(path.read_text())["case"]
    innocent = [case for case in cases if case["name"].startswith("innocent")]
    assert len(innocent) >= 6
    assert len(cases) - len(innocent) >= 4
    assert all(("expect" in case) != (case in innocent) for case in cases)
