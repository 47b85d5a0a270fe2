"""The cheap query that tells whether a schema changed: after every change, and after nothing else."""

from __future__ import annotations

import sqlite3

import psycopg
import pytest

from pytest_dbguard.databases.connection_string import connection_string
from pytest_dbguard.schema.catalog import Dialect
from pytest_dbguard.schema.document import catalog_id
from pytest_dbguard.schema.fingerprint import fingerprint_query
from pytest_dbguard.schema.postgres_reflection import reflect_postgres
from pytest_dbguard.schema.sqlite_reflection import reflect_sqlite
from tests.schema.conftest import connect, fetcher

BASE = """
CREATE TYPE mood AS ENUM ('sad');
CREATE DOMAIN short AS text;
CREATE FUNCTION twice(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 2';
CREATE TABLE shops (id int PRIMARY KEY, name text, mood mood, short short);
CREATE TABLE orders (id int, shop int, at date) PARTITION BY RANGE (at);
CREATE TABLE orders_1 PARTITION OF orders FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE apart (id int, shop int, at date);
CREATE INDEX shops_name ON shops (name);
CREATE VIEW named AS SELECT name FROM shops;
CREATE STATISTICS combined ON id, name FROM shops;
"""
CHANGES = (
    "ALTER TABLE shops ADD COLUMN more int",
    "ALTER TABLE shops DROP COLUMN mood",
    "ALTER TABLE shops RENAME COLUMN mood TO other",
    "ALTER TABLE shops ALTER COLUMN id TYPE bigint",
    "ALTER TABLE shops ALTER COLUMN name SET NOT NULL",
    "ALTER TABLE shops ALTER COLUMN name SET DEFAULT 'x'",
    "ALTER TABLE shops RENAME TO stores",
    "ALTER TABLE shops SET (fillfactor = 50)",
    "ALTER TABLE shops ADD CHECK (id > 0)",
    "ALTER TABLE shops ADD UNIQUE (name)",
    "ALTER TABLE shops SET UNLOGGED",
    "ALTER TABLE apart ADD FOREIGN KEY (shop) REFERENCES shops",
    "ALTER TABLE orders ATTACH PARTITION apart FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
    "ALTER TABLE orders DETACH PARTITION orders_1",
    "CREATE TABLE another (id int)",
    "DROP TABLE apart",
    "CREATE INDEX apart_shop ON apart (shop)",
    "DROP INDEX shops_name",
    "ALTER INDEX shops_name RENAME TO renamed",
    "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'shops_name'::regclass",
    "CREATE OR REPLACE VIEW named AS SELECT name, id FROM shops",
    "CREATE MATERIALIZED VIEW stored AS SELECT 1 AS one",
    "ALTER TYPE mood ADD VALUE 'happy'",
    "ALTER TYPE mood RENAME VALUE 'sad' TO 'glad'",
    "ALTER DOMAIN short ADD CHECK (length(VALUE) < 9)",
    "CREATE TYPE another AS (id int)",
    "CREATE OR REPLACE FUNCTION twice(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 + $1'",
    "DROP STATISTICS combined",
    "CREATE EXTENSION pg_trgm",
    "CREATE SCHEMA more",
    "CREATE SEQUENCE counted",
    "SET LOCAL search_path = nowhere",
    "CREATE SCHEMA more; ALTER TABLE shops SET SCHEMA more",
)
NO_CHANGES = (
    "INSERT INTO shops VALUES (1, 'a')",
    "UPDATE shops SET name = 'b'; DELETE FROM shops",
    "TRUNCATE shops, orders",
    "ANALYZE",
    "CREATE TEMPORARY TABLE mine (id serial PRIMARY KEY, name text DEFAULT 'x')",
    "CREATE SCHEMA dbguard; CREATE TABLE dbguard.marks (id serial PRIMARY KEY)",
    "BEGIN; CREATE TABLE undone (id int); ROLLBACK",
)


@pytest.fixture(scope="module")
def base(databases, kind):
    return databases.url(kind, BASE)


@pytest.fixture
def session(base):
    """A transaction in which everything is undone."""
    with psycopg.connect(connection_string(base)) as connection:
        yield connection
        connection.rollback()


def told(connection):
    """Return the fingerprint and the identity of the catalog."""
    fetch = fetcher(connection)
    return fetch(fingerprint_query(Dialect.POSTGRESQL))[0][0], catalog_id(reflect_postgres(fetch))


@pytest.fixture(scope="module")
def before(base):
    """What is told of the schema as it is."""
    with connect(base) as connection:
        return told(connection)


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_shows(session, before, change):
    fingerprint, identity = before
    session.execute(change)
    after = told(session)
    assert after[0] != fingerprint
    assert after[1] != identity


@pytest.mark.parametrize("statement", NO_CHANGES)
def test_nothing_else_shows(databases, kind, statement):
    with connect(databases.url(kind, BASE)) as connection:
        before = told(connection)
        for each in statement.split("; "):
            connection.execute(each)
        assert told(connection) == before


def test_vacuum_shows_nothing(databases, kind):
    with connect(databases.url(kind, BASE)) as connection:
        before = told(connection)
        connection.execute("VACUUM (FULL, ANALYZE)")
        assert told(connection) == before


def test_a_change_that_was_undone_shows_until_then(session, before):
    session.execute("SAVEPOINT here")
    session.execute("CREATE INDEX undone ON shops (id)")
    assert told(session)[0] != before[0]
    session.execute("ROLLBACK TO here")
    assert told(session) == before


def test_a_copy_of_a_database_tells_the_same(databases, base):
    name = f"{base.database}_copy"
    with connect(base.set(database="postgres")) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {base.database}")
    with connect(base) as one, connect(base.set(database=name)) as other:
        assert told(one) == told(other)


SQLITE_CHANGES = (
    "ALTER TABLE shops ADD COLUMN more INT",
    "ALTER TABLE shops RENAME COLUMN name TO other",
    "ALTER TABLE shops RENAME TO stores",
    "CREATE TABLE another (id INT)",
    "DROP TABLE shops",
    "CREATE INDEX another ON shops (id, name)",
    "DROP INDEX shops_name",
    "CREATE VIEW ids AS SELECT id FROM shops",
    "DROP VIEW named",
    "CREATE TEMP TABLE mine (id INT)",
)


@pytest.mark.parametrize("change", SQLITE_CHANGES)
def test_every_change_of_sqlite_shows(change):
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.executescript(
        "CREATE TABLE shops (id INTEGER PRIMARY KEY, name TEXT); CREATE INDEX shops_name ON shops (name);"
        "CREATE VIEW named AS SELECT name FROM shops;"
    )

    def told():
        fetch = fetcher(connection)
        return fetch(fingerprint_query(Dialect.SQLITE))[0][0], catalog_id(reflect_sqlite(fetch))

    before = told()
    connection.execute("INSERT INTO shops VALUES (1, 'a')")
    assert told() == before
    connection.execute(change)
    after = told()
    assert after[0] != before[0]
    assert after[1] != before[1]


def test_an_empty_database_of_sqlite_has_a_fingerprint_too():
    connection = sqlite3.connect(":memory:")
    assert len(fetcher(connection)(fingerprint_query(Dialect.SQLITE))[0]) == 1
