"""What share of the rows a partial index is guessed to hold."""

from __future__ import annotations

import pytest

from pytest_dbguard.planning.lab.predicate_share import predicate_share
from pytest_dbguard.planning.statistics.model import ColumnStatistics, TableStatistics
from pytest_dbguard.schema.catalog import Column, Table

TABLE = Table(
    "public",
    "orders",
    columns=(
        Column("status", "text"),
        Column("deleted_at", "timestamp"),
        Column("Paid", "boolean"),
        Column("total", "integer", nullable=False),
        Column("note", "text"),
    ),
)
KNOWN = TableStatistics(
    "public",
    "orders",
    1000,
    columns=(
        ColumnStatistics("status", 4),
        ColumnStatistics("deleted_at", 50, null_fraction=0.9),
        ColumnStatistics("Paid", 2),
        ColumnStatistics("total", -1),
    ),
)


@pytest.mark.parametrize(
    ("predicate", "share"),
    [
        ("", 1.0),
        ("status = 'open'", 0.25),
        ("((status)::text = 'open'::text)", 0.25),
        ("(status)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[])", 0.5),
        ("status IN ('a', 'b', 'c')", 0.75),
        ("status <> 'open'", 0.75),
        ("deleted_at IS NULL", 0.9),
        ("(deleted_at IS NOT NULL)", 0.1),
        ("(deleted_at IS NULL) AND ((status)::text = 'open'::text)", 0.225),
        ("note IS NULL", 0.5),
        ("total IS NULL", 1e-9),
        ('"Paid"', 0.5),
        ('(NOT "Paid")', 0.5),
        ('"Paid" IS TRUE', 0.5),
        ("total > 5", 1 / 3),
        ("total BETWEEN 1 AND 5", 0.5),
        ("status = 'a' OR total > 5", 0.5),
        ("lower(status) = 'open'", 0.5),
        ("unknown = 1", 0.5),
    ],
)
def test_share(predicate, share):
    assert predicate_share(predicate, TABLE, KNOWN) == pytest.approx(share, rel=0.01)
