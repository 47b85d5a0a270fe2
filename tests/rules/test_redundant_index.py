"""DBG205: what is said of an index that another one makes superfluous."""

from __future__ import annotations

from dataclasses import replace

import pytest
from assessments import ORDERS, judged, statement

from pytest_dbguard.core.findings import Severity
from pytest_dbguard.planning.candidates.redundant import Redundant
from pytest_dbguard.rules import redundant_index
from pytest_dbguard.rules.redundant_index import RedundantIndex
from pytest_dbguard.schema.catalog import Dialect, Index, Table

PRIMARY, NAME, WIDE = ORDERS.indexes


def found(monkeypatch, *given, statements=(statement(),), **more):
    monkeypatch.setattr(redundant_index, "redundant", lambda catalog: given)
    return judged(RedundantIndex, *statements, **more)


@pytest.mark.parametrize(
    ("by", "reason", "says"),
    [
        (WIDE, "prefix", "`ix_orders_name_city` begins with the same keys"),
        (WIDE, "equal", "`ix_orders_name_city` has the same keys"),
        (PRIMARY, "equal", "the primary key `orders_pkey` has the same keys"),
        (replace(PRIMARY, name=""), "equal", "the primary key has the same keys"),
        (
            Index("sqlite_autoindex_orders_1", WIDE.keys, is_unique=True, is_constraint=True),
            "prefix",
            "the unique constraint on `name, city` begins with the same keys",
        ),
    ],
)
def test_what_it_says(monkeypatch, by, reason, says):
    [finding] = found(monkeypatch, Redundant(ORDERS, NAME, by, reason))
    assert (finding.rule, finding.subject, finding.severity) == ("DBG205", "ix_orders_name", Severity.WARNING)
    assert finding.message == f"the index `ix_orders_name` of `orders` is not needed: {says}"
    assert (finding.site, finding.basis) == (None, "")


@pytest.mark.parametrize(
    ("dialect", "schema", "sql"),
    [
        (Dialect.POSTGRESQL, "public", "DROP INDEX CONCURRENTLY ix_orders_name;"),
        (Dialect.POSTGRESQL, "Sales", 'DROP INDEX CONCURRENTLY "Sales".ix_orders_name;'),
        (Dialect.SQLITE, "", "DROP INDEX ix_orders_name;"),
    ],
)
def test_how_to_drop_it(monkeypatch, dialect, schema, sql):
    table = Table(schema, "orders", indexes=ORDERS.indexes)
    [finding] = found(monkeypatch, Redundant(table, NAME, WIDE, "prefix"), dialect=dialect)
    remedies = {remedy.kind: remedy.code for remedy in finding.remedies}
    assert remedies["sql"] == sql
    place = ', schema="Sales"' if schema == "Sales" else ""
    assert remedies["alembic"] == f'op.drop_index("ix_orders_name", table_name="orders"{place})'


def test_tables_that_the_run_does_not_use_are_left_alone(monkeypatch):
    assert found(monkeypatch, Redundant(ORDERS, NAME, WIDE, "prefix"), statements=()) == []
