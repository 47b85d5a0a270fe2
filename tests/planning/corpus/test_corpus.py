"""The labelled statements, keys and indexes: judged by reading, and by SQLite's planner at the size of production."""

from __future__ import annotations

from collections import Counter
from itertools import product

import pytest
from sqlalchemy import create_engine

from pytest_dbguard.planning.candidates.spelling import ddl
from pytest_dbguard.planning.lab.registry import LabOptions, open_lab
from pytest_dbguard.schema.catalog import Dialect
from tests.planning.corpus.corpus import PARTS, SCHEMAS, cases, catalog, metadata, schema_case, statistics
from tests.planning.corpus.verdicts import said, said_of_schema, scores

CASES = tuple(cases())
PLACES = [(schema, dialect) for schema in SCHEMAS for dialect in (Dialect.SQLITE, Dialect.POSTGRESQL)]


LIMITS_ON_SQLITE = {"DBG303": 0.3, "DBG304": 0.6}
"""Recall of rules that say where they are silent on SQLite: inner joins to parents, columns of other collations."""


def of(schema, dialect, *parts):
    return [case for case in CASES if (case.schema, case.dialect) == (schema, dialect) and case.part in parts]


@pytest.mark.parametrize(("schema", "dialect"), PLACES)
def test_what_is_said_of_each_statement_without_a_planner(schema, dialect):
    made, found = catalog(schema, dialect), {}
    # what a plan costs nobody knows without a planner
    for part in ("", "_joins"):
        verdicts, assessment = said(of(schema, dialect, part), made, statistics(made), None)
        assert not assessment.not_analysed
        found |= verdicts
    wrong = {case.label: (sorted(got), sorted(case.static)) for case, got in found.items() if got != case.static}
    assert wrong == {}


@pytest.mark.parametrize(("schema", "dialect"), PLACES)
def test_what_is_said_of_each_key_and_index(schema, dialect):
    made, whole = catalog(schema, dialect), schema_case(schema, dialect)
    found = said_of_schema(whole, of(schema, dialect, "", "_joins"), made, statistics(made), None)
    assert found == whole.expect
    places = {f"{table.name}.{key.columns[0]}" for table in made.tables for key in table.foreign_keys}
    names = {index.name for table in made.tables for index in table.indexes}
    labelled = {text.split()[1] for text in whole.expect}
    assert labelled <= places | names
    assert len(labelled) < len(places | names) / 2


def test_precision_and_recall_by_the_planner_of_sqlite():
    found = {}
    for schema, part in product(SCHEMAS, PARTS):
        made = catalog(schema, Dialect.SQLITE)
        choice = open_lab(made, statistics(made, schema, part), LabOptions())
        assert choice.lab is not None, choice.reason
        try:
            found |= said(of(schema, Dialect.SQLITE, part), made, choice.lab.statistics, choice.lab)[0]
        finally:
            choice.lab.close()
    by_rule = scores(found)
    for rule, score in by_rule.items():
        assert score.precision >= 0.95, (rule, score.wrong)
        if rule != "all":
            assert score.recall >= (LIMITS_ON_SQLITE.get(rule, 0.9)), (rule, score.missing)
    others = {case: got for case, got in found.items() if case.part == ""}
    assert scores(others)["all"].recall >= 0.95


@pytest.mark.parametrize("schema", SCHEMAS)
def test_all_that_is_proposed_can_be_made(schema):
    made = catalog(schema, Dialect.SQLITE)
    _, assessment = said(of(schema, Dialect.SQLITE, ""), made, statistics(made), None)
    judged = [each for statement in assessment.statements for each in (*statement.wanted, *statement.unusable)]
    specs = dict.fromkeys(each.spec for each, _ in judged if each.spec is not None)
    assert len(specs) > 20
    engine = create_engine("sqlite://")
    metadata(schema).create_all(engine)
    with engine.begin() as connection:
        for spec in specs:
            connection.exec_driver_sql(ddl(spec, Dialect.SQLITE))


def test_at_least_half_of_the_statements_are_innocent():
    kinds = Counter(bool(case.expect) for case in CASES)
    assert len({(case.schema, case.name) for case in CASES}) >= 120
    assert kinds[False] >= kinds[True]
