"""DBG202: what is said of foreign keys without an index, alone and where rows are deleted."""

from __future__ import annotations

import pytest
from assessments import ORDERS, SITE, judged, spec, statement, verdict, want

from pytest_dbguard.core.findings import Severity
from pytest_dbguard.planning.assessment import UnindexedKey
from pytest_dbguard.rules.unindexed_foreign_key import UnindexedForeignKey
from pytest_dbguard.schema.catalog import Dialect
from pytest_dbguard.sql.facts.model import Scan, Written

KEY = UnindexedKey(ORDERS, ORDERS.foreign_keys[0], spec("customer_id"), verdict())
DELETE = statement(written=(Written("DELETE", "customer"),))


READS = statement(scan=Scan("c", "customer"), shape="s0")


def found(*statements, keys=(KEY,), **more):
    return judged(UnindexedForeignKey, *statements, keys=keys, **more)


def test_alone_it_is_a_note_without_a_place():
    [finding] = found(READS)
    assert (finding.rule, finding.severity, finding.site) == ("DBG202", Severity.NOTE, None)
    assert finding.subject == "orders.customer_id"
    assert finding.message == (
        "no index serves `orders.customer_id`: each row deleted from `customer` reads all 100,000 rows"
    )
    assert finding.remedies


def test_a_delete_of_what_it_refers_to():
    [finding] = found(DELETE)
    assert (finding.severity, finding.site, finding.tests) == (Severity.WARNING, SITE, ("t::a",))


@pytest.mark.parametrize(
    ("written", "severity"),
    [
        (Written("UPDATE", "customer", columns=frozenset({"id"})), Severity.WARNING),
        (Written("DELETE", "customer", schema="public"), Severity.WARNING),
        (Written("UPDATE", "customer", columns=frozenset({"name"})), Severity.NOTE),
        (Written("DELETE", "orders"), Severity.NOTE),
        (Written("DELETE", "customer", schema="archive"), Severity.NOTE),
        (Written("INSERT", "customer"), Severity.NOTE),
    ],
)
def test_which_writes_look_for_referring_rows(written, severity):
    [finding] = found(statement(written=(written,)), READS)
    assert finding.severity is severity


def test_sqlite_checks_keys_only_where_it_is_told_to():
    [finding] = found(DELETE, dialect=Dialect.SQLITE)
    assert finding.severity is Severity.NOTE
    assert finding.message.endswith(" where foreign keys are enforced")


def test_what_a_filter_or_a_join_asks_for_is_told_once():
    assert found(DELETE, statement((want("customer_id"), verdict()))) == []
    assert found(DELETE, statement((want("customer_id", "city"), verdict()))) == []
    assert len(found(DELETE, statement((want("city", "customer_id"), verdict())))) == 1
    assert len(found(DELETE, statement((want("customer_id"), verdict(helps=False))))) == 1


def test_tables_that_the_run_does_not_use():
    assert found() == []
    assert found(statement(scan=Scan("x", "other"))) == []
    assert len(found(statement())) == 1


def test_a_key_that_the_planner_would_not_look_up():
    assert found(keys=(UnindexedKey(ORDERS, ORDERS.foreign_keys[0], spec("customer_id"), verdict(helps=False)),)) == []
