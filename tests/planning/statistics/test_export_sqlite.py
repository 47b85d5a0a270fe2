"""Statistics of SQLite: what ANALYZE wrote, else counts, and never a value."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import date

import pytest

from pytest_dbguard.planning.statistics.completion import completed
from pytest_dbguard.planning.statistics.drift import differences
from pytest_dbguard.planning.statistics.export_sqlite import export_sqlite
from pytest_dbguard.planning.statistics.file import to_text
from pytest_dbguard.planning.statistics.model import ColumnStatistics
from pytest_dbguard.schema.sqlite_reflection import reflect_sqlite

DDL = """
    CREATE TABLE orders (id INTEGER PRIMARY KEY, city TEXT, "odd ""name" INTEGER, twice AS (id * 2));
    CREATE INDEX ix_city ON orders (city, id);
    CREATE INDEX ix_some ON orders (city) WHERE "odd ""name" IS NOT NULL;
    CREATE TABLE empty (id INTEGER PRIMARY KEY);
    CREATE TABLE pairs (a TEXT, b TEXT, PRIMARY KEY (a, b)) WITHOUT ROWID;
    CREATE VIRTUAL TABLE pages USING fts5(body);
    CREATE TABLE pages_read (id INTEGER PRIMARY KEY);
    CREATE VIEW seen AS SELECT * FROM orders;
    INSERT INTO pages VALUES ('PLANTED body');
    INSERT INTO pairs VALUES ('PLANTED', 'PLANTED b');
"""


@pytest.fixture
def database():
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(DDL)
        rows = [(f"PLANTED {number % 20}", None if number % 4 else 987650 + number) for number in range(1000)]
        connection.executemany('INSERT INTO orders (city, "odd ""name") VALUES (?, ?)', rows)
        yield connection


def export(connection, **options):
    return export_sqlite(lambda sql: connection.execute(sql).fetchall(), today=lambda: date(2026, 11, 1), **options)


def test_columns_are_counted(database):
    found = export(database)
    assert [(table.name, table.rows) for table in found.tables] == [
        ("empty", 0),
        ("orders", 1000),
        ("pages_read", 0),
        ("pairs", 1),
    ]
    assert found.table("orders").columns == (
        ColumnStatistics("city", 20, 0, 10),
        ColumnStatistics("id", -1, 0, 3),
        ColumnStatistics('odd "name', -0.25, 0.75, 6),
        ColumnStatistics("twice", -1, 0, 3),
    )
    assert found.notes == ("never analysed: indexes have no figures until ANALYZE runs",)
    assert (found.dialect, found.taken_at, found.version) == ("sqlite", "2026-11-01", sqlite3.sqlite_version)


def test_indexes_have_what_analyze_wrote(database):
    database.execute("ANALYZE")
    found = export(database)
    orders = found.table("orders")
    assert [(index.name, index.rows, index.stat) for index in orders.indexes] == [
        ("ix_city", 1000, "1000 50 1"),
        ("ix_some", 250, "250 50"),
    ]
    assert orders.rows == 1000
    assert found.notes == ()


def test_no_value_is_in_the_file_and_nothing_is_written(database):
    database.execute("ANALYZE")
    before = database.total_changes
    text = to_text(export(database))
    assert "PLANTED" not in text
    assert "98765" not in text
    assert database.total_changes == before


def test_an_export_does_not_differ_from_its_own_schema(database):
    catalog = reflect_sqlite(lambda sql: database.execute(sql).fetchall())
    assert differences(export(database), catalog) == ()
    database.execute("ANALYZE")
    found = export(database)
    assert differences(found, catalog) == ()
    columns = completed(found, catalog).table("orders").columns
    assert sorted(columns, key=lambda each: each.name) == list(found.table("orders").columns)


def test_large_tables_are_not_read(database):
    database.execute("ANALYZE")
    asked = []

    def watched(sql):
        asked.append(sql)
        return database.execute(sql).fetchall()

    found = export_sqlite(watched, most_counted_rows=999)
    assert (found.table("orders").rows, found.table("orders").columns) == (1000, ())
    assert found.notes == ("too large to count their columns: orders",)
    assert not [sql for sql in asked if '"orders"' in sql]
