"""What tests ran becomes workloads: the same whichever process and order it came from."""

from __future__ import annotations

import json
from itertools import permutations

import pytest

from pytest_dbguard.analysis.ignore_words import read_words
from pytest_dbguard.analysis.observations import Observation, observation_from_json, observation_to_json
from pytest_dbguard.analysis.observed import NO_SCHEMA, NO_TEXT, Observed
from pytest_dbguard.core.findings import Site
from pytest_dbguard.core.ignores import Ignore, IgnoreKind
from pytest_dbguard.recording.exemplars import MAX_VALUES
from pytest_dbguard.schema.catalog import Catalog, Dialect
from pytest_dbguard.sql.shape import read_statement

TEXT = "SELECT a FROM t WHERE b = ?"
SHAPE = read_statement(TEXT).shape
SITE = Site("shop/orders.py", 7, 5, "orders")
CATALOGS = {"s": Catalog(Dialect.SQLITE)}


def observed(*tests, texts=(), schema="s"):
    found = Observed()
    for test, *seen in tests:
        found.take(test, seen)
    found.learn(CATALOGS, texts or [[SHAPE.id, TEXT, "qmark", {}, [], 0, [""]]])
    return found


def seen(count=1, **more):
    return Observation(more.pop("schema", "s"), SHAPE.id, more.pop("site", SITE), count, **more)


def test_uses_add_up_over_tests():
    (workload,) = observed(("t2", seen(2)), ("t1", seen(3, scope="GET /orders"))).workloads()
    (statement,) = workload.statements
    assert (statement.shape, statement.verb, statement.exemplar.text) == (SHAPE, "SELECT", TEXT)
    (use,) = statement.uses
    assert (use.site, use.count, use.tests, use.scope) == (SITE, 5, ("t1", "t2"), "GET /orders")


def test_places_are_kept_apart_and_the_busiest_comes_first():
    other = Site("shop/orders.py", 9)
    (workload,) = observed(("t1", seen(1), seen(4, site=other), seen(1, site=None))).workloads()
    assert [use.site for use in workload.statements[0].uses] == [other, SITE, None]


def test_a_test_that_runs_again_counts_once():
    found = observed(("t1", seen(9)), ("t1", seen(2)))
    assert found.workloads()[0].statements[0].count == 2


def test_only_the_tests_that_are_asked_for():
    found = observed(("t1", seen(1)), ("t2", seen(2)))
    assert found.workloads(["t2"])[0].statements[0].count == 2
    assert found.workloads([]) == ()


def test_what_has_no_schema_or_text_is_counted():
    found = observed(("t1", seen(schema=""), Observation("s", "unknown", SITE, 1)))
    told = {reason: number for workload in found.workloads() for reason, number in workload.skipped.items()}
    assert told == {NO_SCHEMA: 1, NO_TEXT: 1}


def test_the_schema_with_most_shapes_comes_first():
    texts = [
        [read_statement(text).shape.id, text, "qmark", {}, [], 0, [""]]
        for text in ("SELECT 1 FROM a", "SELECT 2 FROM b")
    ]
    found = observed(
        ("t1", Observation("one", texts[0][0], SITE, 9)),
        ("t2", Observation("two", texts[0][0], SITE, 1), Observation("two", texts[1][0], SITE, 1)),
        texts=texts,
    )
    assert [workload.schema_id for workload in found.workloads()] == ["two", "one"]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_texts_merge_in_any_order(order):
    told = [
        [[SHAPE.id, TEXT, "qmark", {"0": ["open"]}, [], 0, [""]]],
        [[SHAPE.id, TEXT, "qmark", {"0": ["closed"]}, [], 0, [""]]],
        [[SHAPE.id, TEXT.replace("a FROM", "a  FROM"), "qmark", {"0": ["long"]}, [], 0, [""]]],
    ]
    found = Observed()
    found.take("t1", [seen()])
    for number in order:
        found.learn(CATALOGS, told[number])
    assert found.workloads()[0].statements[0].exemplar.values == {0: ("closed", "open")}


def test_values_of_many_processes_may_be_too_many():
    told = [[SHAPE.id, TEXT, "qmark", {"0": [number]}, [], 0, [""]] for number in range(MAX_VALUES + 1)]
    found = observed(("t1", seen()), texts=told)
    assert found.workloads()[0].statements[0].exemplar.values == {}


def test_what_one_process_gave_up_is_given_up():
    told = [[SHAPE.id, TEXT, "qmark", {"0": [1]}, [], 0, [""]], [SHAPE.id, TEXT, "qmark", {}, [0], 0, [""]]]
    for texts in (told, told[::-1]):
        assert observed(("t1", seen()), texts=texts).workloads()[0].statements[0].exemplar.values == {}


def test_a_text_in_the_style_of_the_database_is_taken():
    told = [
        [SHAPE.id, TEXT, "qmark", {}, [], 0, [""]],
        [SHAPE.id, "SELECT a FROM t WHERE b=%s", "format", {}, [], 0, [""]],
    ]
    assert observed(("t1", seen()), texts=told).workloads()[0].statements[0].exemplar.style == "qmark"


def test_lists_and_literals_add_up_over_processes_whichever_text_stays():
    longer = TEXT.replace("a FROM", "a  FROM")
    told = [[SHAPE.id, TEXT, "qmark", {}, [], 3, ["x"]], [SHAPE.id, longer, "qmark", {}, [], 900, ["y", "x"]]]
    for texts in (told, told[::-1]):
        exemplar = observed(("t1", seen()), texts=texts).workloads()[0].statements[0].exemplar
        assert (exemplar.text, exemplar.longest_list, exemplar.literal_sets) == (TEXT, 900, 2)


def test_what_is_ignored_is_known_by_test_and_place():
    ignore = Ignore(IgnoreKind.SQL, read_words(["DBG301"])[0])
    found = observed(("t1", seen(ignores=(ignore,)), seen(scope="GET /")), ("t2", seen(ignores=(ignore,))))
    by_test = found.ignores()["s", SHAPE.id, SITE]
    assert by_test == {"t1": frozenset(), "t2": {ignore}}


def test_observations_travel():
    ignore = Ignore(IgnoreKind.SQL, read_words(["DBG301:orders"])[0])
    before = seen(3, in_test_code=True, scope="GET /", ignores=(ignore,))
    assert observation_from_json(json.loads(json.dumps(observation_to_json(before)))) == before
