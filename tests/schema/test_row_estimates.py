"""Rows as databases believe them."""

from __future__ import annotations

import sqlite3

from pytest_dbguard.schema.catalog import Dialect
from pytest_dbguard.schema.row_estimates import row_estimates
from tests.schema.conftest import connect, fetcher


def test_postgres_tells_what_analyze_has_seen(databases, kind):
    url = databases.url(
        kind,
        "CREATE TABLE seen AS SELECT generate_series(1, 250) AS id; CREATE TABLE unseen (id int)",
        "CREATE SCHEMA shop; CREATE TABLE shop.none (id int)",
    )
    with connect(url) as connection:
        for table in ("seen", "shop.none"):
            connection.execute(f"ANALYZE {table}")
        found = row_estimates(fetcher(connection), Dialect.POSTGRESQL)
    assert found["public", "seen"] == 250
    assert ("public", "unseen") not in found


def test_sqlite_tells_what_analyze_has_seen():
    connection = sqlite3.connect(":memory:")
    connection.executescript("CREATE TABLE t (id INTEGER PRIMARY KEY, n INT); CREATE INDEX few ON t (n) WHERE n > 5;")
    assert row_estimates(fetcher(connection), Dialect.SQLITE) == {}
    connection.executescript("CREATE INDEX t_n ON t (n);")
    connection.executemany("INSERT INTO t (n) VALUES (?)", [(number,) for number in range(8)])
    connection.execute("ANALYZE")
    assert row_estimates(fetcher(connection), Dialect.SQLITE) == {("", "t"): 8}
