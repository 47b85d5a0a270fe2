"""DBG203: what is said of conditions that no index serves as they are written."""

from __future__ import annotations

from dataclasses import replace

import pytest
from assessments import STATIC, judged, spec, statement, unusable, verdict

from pytest_dbguard.core.findings import Severity
from pytest_dbguard.planning.assessment import Basis, Obstacle
from pytest_dbguard.rules.unusable_index import UnusableIndex
from pytest_dbguard.schema.catalog import Dialect
from pytest_dbguard.sql.facts.model import TermKind

READS = "each execution reads all 100,000 rows"


def found(given, said=None, **more):
    return judged(UnusableIndex, statement(unusable=((given, said or verdict()),)), **more)


def test_what_it_says():
    [finding] = found(unusable(index="ix_city", spec=spec("city")))
    assert (finding.rule, finding.subject, finding.severity) == ("DBG203", "orders.city", Severity.WARNING)
    assert finding.message == f"the index `ix_city` cannot serve `lower(city)`: {READS}"
    assert finding.basis == "modelled at 100,000 rows (default)"
    assert finding.remedies
    assert finding.plan


@pytest.mark.parametrize(
    ("obstacle", "words"),
    [
        (Obstacle.FUNCTION, "no index of `orders` serves `lower(city)`"),
        (Obstacle.CAST, "no index of `orders` serves `lower(city)`"),
        (Obstacle.ARITHMETIC, "no index of `orders` serves `lower(city)`"),
        (Obstacle.TYPE, "cannot serve `orders.city` compared with another type"),
        (Obstacle.COLLATION, "another collation"),
        (Obstacle.LEADING_WILDCARD, "begins with a wildcard cannot use an index on `orders.city`"),
        (Obstacle.PATTERN_CLASS, "cannot serve LIKE"),
        (Obstacle.CASE_INSENSITIVE, "is put together in the statement cannot use an index on `orders.city`"),
        (Obstacle.PREDICATE, "is partial"),
        (Obstacle.INVALID, "is invalid"),
    ],
)
@pytest.mark.parametrize("dialect", list(Dialect))
def test_each_obstacle_says_why_and_what_to_do(obstacle, words, dialect):
    [finding] = found(unusable(obstacle), dialect=dialect)
    assert words in finding.message
    assert finding.message.endswith(READS)
    assert finding.fix.title


@pytest.mark.parametrize(
    ("given", "title"),
    [
        (
            unusable(Obstacle.CAST, rewrite="city >= :start AND city < :end", index="ix"),
            "write it as `city >= :start AND city < :end`",
        ),
        (
            unusable(Obstacle.CAST, rewrite="city >= :start AND city < :end"),
            "write it as `city >= :start AND city < :end` and add an index on `city`",
        ),
        (unusable(Obstacle.PREDICATE, rewrite="x", index="ix"), "write the condition of `ix` as well"),
        (unusable(Obstacle.INVALID, rewrite="REINDEX INDEX CONCURRENTLY ix"), "run `REINDEX INDEX CONCURRENTLY ix`"),
    ],
)
def test_how_to_write_it(given, title):
    [finding] = found(given)
    assert finding.fix.title == title
    assert finding.remedies == ()


@pytest.mark.parametrize(("ignores", "why"), [(True, "ignores case"), (False, "is put together in the statement")])
def test_a_pattern_of_sqlite_is_one_value_and_has_an_index_that_ignores_case(ignores, why):
    given = unusable(Obstacle.CASE_INSENSITIVE, expression="city")
    given = replace(given, term=replace(given.term, is_case_insensitive=ignores))
    [finding] = found(given, dialect=Dialect.SQLITE)
    assert finding.message == f"a pattern that {why} cannot use an index on `orders.city`: {READS}"
    written = "write it as `city LIKE :pattern`, the whole pattern one value"
    assert finding.fix.title == f"{written}, and add an index on `city` with COLLATE NOCASE"


def test_both_ways_where_both_are_known():
    [finding] = found(unusable(rewrite="city = :value", index="ix", spec=spec("city")))
    assert finding.fix.title.startswith("write it as `city = :value`, or add this index to ")
    assert finding.fix.code


def test_a_partial_index_may_be_meant_for_something_else():
    [finding] = found(unusable(Obstacle.PREDICATE, index="ix", spec=spec("city")))
    assert finding.fix.title.endswith(", or write the condition of `ix` if it was forgotten")


def test_an_index_that_sqlite_numbers():
    [finding] = found(unusable(index="sqlite_autoindex_orders_1"))
    assert finding.message.startswith("the unique index on `orders.city` cannot serve `lower(city)`: ")


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (verdict(), Severity.WARNING),
        (verdict(basis=Basis.PROVEN), Severity.ERROR),
        (verdict(basis=Basis.PROVEN, is_assumed=True), Severity.WARNING),
        (STATIC, Severity.WARNING),
    ],
)
def test_how_much_it_weighs(said, expected):
    [finding] = found(unusable(), said)
    assert finding.severity is expected


def test_silent_where_it_does_not_matter_and_where_types_of_joined_columns_differ():
    assert found(unusable(), verdict(helps=False)) == []
    assert found(unusable(Obstacle.TYPE, kind=TermKind.JOIN, other=("c", "id"))) == []
