"""The queries by which databases look for rows that refer to another one."""

from __future__ import annotations

import pytest

from pytest_dbguard.planning.foreign_keys import check_query
from pytest_dbguard.planning.lab.base import IndexSpec
from pytest_dbguard.schema.catalog import Dialect, Table
from tests.planning.scripted_lab import index_on


@pytest.mark.parametrize(
    ("dialect", "table", "spec", "expected"),
    [
        (
            Dialect.SQLITE,
            Table("", "items"),
            index_on("items", "order_id"),
            'SELECT 1 FROM "items" WHERE "order_id" = ?',
        ),
        (
            Dialect.POSTGRESQL,
            Table("Sales", "items"),
            index_on("items", "order_id", "tenant"),
            'SELECT 1 FROM "Sales"."items" WHERE "order_id" = $1 AND "tenant" = $2',
        ),
        (
            Dialect.POSTGRESQL,
            Table("public", 'odd"name'),
            IndexSpec("public", 'odd"name', ('"Order"',), ("Order",)),
            'SELECT 1 FROM "public"."odd""name" WHERE "Order" = $1',
        ),
    ],
)
def test_the_query(dialect, table, spec, expected):
    assert check_query(table, spec, dialect) == expected
