"""The labelled statements, each judged by reading it, and by SQLite's planner at the size of production."""

from __future__ import annotations

from collections import Counter

import pytest
from sqlalchemy import create_engine

from pytest_dbguard.planning.candidates.spelling import ddl
from pytest_dbguard.planning.lab.registry import LabOptions, open_lab
from pytest_dbguard.schema.catalog import Dialect
from tests.planning.corpus.corpus import SCHEMAS, cases, catalog, metadata, statistics
from tests.planning.corpus.verdicts import said, scores

CASES = tuple(cases())
PLACES = [(schema, dialect) for schema in SCHEMAS for dialect in (Dialect.SQLITE, Dialect.POSTGRESQL)]


def of(schema, dialect):
    return [case for case in CASES if (case.schema, case.dialect) == (schema, dialect)]


@pytest.mark.parametrize(("schema", "dialect"), PLACES)
def test_what_is_said_of_each_statement_without_a_planner(schema, dialect):
    made = catalog(schema, dialect)
    found, assessment = said(of(schema, dialect), made, statistics(made), None)
    assert not assessment.not_analysed
    wrong = {case.label: (sorted(got), sorted(case.static)) for case, got in found.items() if got != case.static}
    assert wrong == {}


def test_precision_and_recall_by_the_planner_of_sqlite():
    found = {}
    for schema in SCHEMAS:
        made = catalog(schema, Dialect.SQLITE)
        choice = open_lab(made, statistics(made), LabOptions())
        assert choice.lab is not None, choice.reason
        try:
            found |= said(of(schema, Dialect.SQLITE), made, choice.lab.statistics, choice.lab)[0]
        finally:
            choice.lab.close()
    by_rule = scores(found)
    for rule, score in by_rule.items():
        assert score.precision >= 0.95, (rule, score.wrong)
        assert score.recall >= 0.9, (rule, score.missing)
    assert by_rule["all"].recall >= 0.95


@pytest.mark.parametrize("schema", SCHEMAS)
def test_all_that_is_proposed_can_be_made(schema):
    made = catalog(schema, Dialect.SQLITE)
    _, assessment = said(of(schema, Dialect.SQLITE), made, statistics(made), None)
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
