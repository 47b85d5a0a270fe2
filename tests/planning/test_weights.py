"""Production's counts over the statements of a run."""

from __future__ import annotations

from types import MappingProxyType

from pytest_dbguard.core.findings import Site
from pytest_dbguard.planning.weights import weighted
from pytest_dbguard.planning.workload import Use, Workload, WorkloadStatement
from pytest_dbguard.sql.shape import read_statement


def statement(text, *counts, mean_ms=None, placed=True):
    uses = tuple(Use(Site("a.py", line) if placed else None, count, ()) for line, count in enumerate(counts, 1))
    return WorkloadStatement(read_statement(text).shape, None, uses, mean_ms=mean_ms)


def laid(run, export, **more):
    result = weighted(Workload("s1", tuple(run)), Workload("", tuple(export)), **more)
    assert result.schema_id == "s1"
    return {each.shape.text: each for each in result.statements}


def test_counts_are_productions_and_places_keep_their_shares():
    run = [statement("SELECT a FROM t WHERE b = %(b)s::VARCHAR LIMIT %(n)s", 3, 1)]
    export = [statement("SELECT a FROM t WHERE b = $1::VARCHAR LIMIT $2", 1001, mean_ms=2.5, placed=False)]
    (found,) = laid(run, export).values()
    assert [(use.site.line, use.count) for use in found.uses] == [(1, 751), (2, 250)]
    assert found.mean_ms == 2.5


def test_what_production_does_not_run_weighs_least():
    found = laid([statement("SELECT a FROM t", 40, 2)], [])
    assert found["SELECT a FROM t"].count == 2


def test_statements_of_production_only_are_added_where_they_are_asked_for():
    run, export = [statement("SELECT a FROM t", 1)], [statement("SELECT b FROM t", 9, placed=False)]
    assert laid(run, export)["SELECT b FROM t"].count == 9
    assert "SELECT b FROM t" not in laid(run, export, with_others=False)


def test_a_place_never_counts_less_than_one():
    (found,) = laid(
        [statement("SELECT a FROM t", 1000, 1, 1)], [statement("SELECT a FROM t", 5, placed=False)]
    ).values()
    assert [use.count for use in found.uses] == [4, 1, 1]
    # four fifths of 5 are 4
    assert found.count == 6


def test_statements_without_a_place_in_the_run_take_productions():
    (found,) = laid([statement("SELECT a FROM t")], [statement("SELECT a FROM t", 5, placed=False)]).values()
    assert found.count == 5


def test_constants_of_the_text_are_parameters_in_production():
    pairs = {
        "SELECT a FROM t WHERE b = true AND c IS NOT NULL": "SELECT a FROM t WHERE b = $1 AND c IS NOT NULL",
        "SELECT a FROM t WHERE b LIKE '%%' || %(b)s || '%%'": "SELECT a FROM t WHERE b LIKE $1 || $2 || $3",
        "SELECT a FROM t WHERE EXTRACT(month FROM b) = %(m)s": "SELECT a FROM t WHERE EXTRACT($1 FROM b) = $2",
        "SELECT a FROM t WHERE b IN (1, 2, 3)": "SELECT a FROM t WHERE b IN ($1 /*, ... */)",
        "SELECT a FROM t WHERE d > now() - INTERVAL '1 day'": "select a from t where d > now() - interval $1",
    }
    for ours, theirs in pairs.items():
        (found,) = laid([statement(ours, 1)], [statement(theirs, 70, placed=False)]).values()
        assert found.count == 70, ours


def test_is_null_stays_something_else():
    found = laid([statement("SELECT a FROM t WHERE b IS NULL", 1)], [statement("SELECT a FROM t WHERE b = $1", 7)])
    assert [each.count for each in found.values()] == [1, 7]


def test_entries_about_one_statement_add_up():
    export = [
        statement("SELECT a FROM t WHERE b = $1", 10, mean_ms=1.0, placed=False),
        statement("SELECT a FROM t WHERE b = true", 30, mean_ms=2.0, placed=False),
    ]
    (found,) = laid([statement("SELECT a FROM t WHERE b = true", 1)], export).values()
    assert (found.count, found.mean_ms) == (40, 1.75)


def test_what_was_left_out_adds_up():
    run = Workload("s1", skipped=MappingProxyType({"a": 1}))
    export = Workload("", skipped=MappingProxyType({"a": 2, "b": 3}))
    assert weighted(run, export).skipped == {"a": 3, "b": 3}
    assert weighted(run, export, with_others=False).skipped == {"a": 1}
