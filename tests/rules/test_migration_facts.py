"""What the rules about migrations say of PostgreSQL is so: its locks, what it refuses, what it spares itself."""

from __future__ import annotations

import psycopg
import pytest

from pytest_dbguard.databases.base import StartOptions
from pytest_dbguard.databases.connection_string import connection_string
from pytest_dbguard.databases.registry import load_provider
from pytest_dbguard.linting.ddl_steps import sql_migration
from pytest_dbguard.rules.migration_findings import locks_readers_out
from pytest_dbguard.schema.migration import StepKind

TABLES = """
DROP TABLE IF EXISTS orders, city, fresh CASCADE;
CREATE TABLE city (id integer PRIMARY KEY);
CREATE TABLE orders (id integer NOT NULL, city_id integer, note varchar(20), CONSTRAINT ck CHECK (id > 0));
CREATE INDEX ix_note ON orders (note);
CREATE UNIQUE INDEX ix_id ON orders (id);
ALTER TABLE orders ADD CONSTRAINT later CHECK (city_id > 0) NOT VALID;
INSERT INTO orders VALUES (1, NULL, 'x');
"""
LOCKS = [
    ("ALTER TABLE orders ADD COLUMN extra integer", "AccessExclusiveLock"),
    ("ALTER TABLE orders DROP COLUMN note", "AccessExclusiveLock"),
    ("ALTER TABLE orders ALTER COLUMN note TYPE text", "AccessExclusiveLock"),
    ("ALTER TABLE orders ALTER COLUMN id SET NOT NULL", "AccessExclusiveLock"),
    ("ALTER TABLE orders ALTER COLUMN note SET DEFAULT 'y'", "AccessExclusiveLock"),
    ("ALTER TABLE orders RENAME COLUMN note TO remark", "AccessExclusiveLock"),
    ("ALTER TABLE orders RENAME TO purchases", "AccessExclusiveLock"),
    ("ALTER TABLE orders ADD CONSTRAINT c CHECK (id > 0) NOT VALID", "AccessExclusiveLock"),
    ("ALTER TABLE orders ADD UNIQUE USING INDEX ix_id", "AccessExclusiveLock"),
    ("ALTER TABLE orders DROP CONSTRAINT ck", "AccessExclusiveLock"),
    ("DROP TABLE orders", "AccessExclusiveLock"),
    ("TRUNCATE orders", "AccessExclusiveLock"),
    ("LOCK TABLE orders", "AccessExclusiveLock"),
    ("DROP INDEX ix_note", "AccessExclusiveLock"),
    ("ALTER TABLE orders ADD FOREIGN KEY (city_id) REFERENCES city (id)", "ShareRowExclusiveLock"),
    ("ALTER TABLE orders VALIDATE CONSTRAINT later", "ShareUpdateExclusiveLock"),
    ("ALTER TABLE orders ALTER COLUMN note SET STATISTICS 500", "ShareUpdateExclusiveLock"),
    ("CREATE INDEX ON orders (note)", "ShareLock"),
]
_ORDER = ("AccessShareLock", "ShareUpdateExclusiveLock", "ShareLock", "ShareRowExclusiveLock", "AccessExclusiveLock")


@pytest.fixture(scope="module", params=["postgres-embedded", "postgres-local"])
def connection(request):
    """A connection to a server of one of two majors."""
    server = load_provider(request.param).launch(StartOptions()).ready()
    with psycopg.connect(connection_string(server.url), autocommit=True) as found:
        yield found
    server.close()


@pytest.fixture
def tables(connection):
    """The connection, with the tables as they are at first."""
    connection.execute(TABLES)
    return connection


@pytest.mark.parametrize(("statement", "lock"), LOCKS)
def test_locks(tables, statement, lock):
    [number] = tables.execute("SELECT 'orders'::regclass::oid").fetchone()
    with tables.transaction(force_rollback=True):
        tables.execute(statement)
        held = tables.execute("SELECT mode FROM pg_locks WHERE relation = %s AND pid = pg_backend_pid()", [number])
        assert max((mode for (mode,) in held), key=_ORDER.index) == lock
    [step] = sql_migration(statement, "a.sql").steps
    assert locks_readers_out(step) is (lock == "AccessExclusiveLock")


@pytest.mark.parametrize("statement", ["CREATE INDEX CONCURRENTLY a ON orders (id)", "DROP INDEX CONCURRENTLY ix_note"])
def test_concurrently_fails_in_a_transaction(tables, statement):
    with pytest.raises(psycopg.errors.ActiveSqlTransaction), tables.transaction():
        tables.execute(statement)


def test_not_null_without_default_fails_where_there_are_rows(tables):
    with pytest.raises(psycopg.errors.NotNullViolation):
        tables.execute("ALTER TABLE orders ADD COLUMN extra integer NOT NULL")


def test_a_valid_check_spares_set_not_null_the_look_at_all_rows(tables):
    told = []
    tables.add_notice_handler(lambda notice: told.append(notice.message_primary))
    tables.execute("ALTER TABLE orders ADD CONSTRAINT note_there CHECK (note IS NOT NULL) NOT VALID")
    tables.execute("ALTER TABLE orders VALIDATE CONSTRAINT note_there")
    tables.execute("SET client_min_messages = debug1")
    tables.execute("ALTER TABLE orders ALTER COLUMN note SET NOT NULL")
    tables.execute("RESET client_min_messages")
    assert any("sufficient to prove" in message for message in told)


def test_a_constraint_takes_over_an_index(tables):
    before = tables.execute("SELECT pg_relation_filenode('ix_id')").fetchone()
    tables.execute("ALTER TABLE orders ADD CONSTRAINT uq UNIQUE USING INDEX ix_id")
    assert tables.execute("SELECT pg_relation_filenode('uq')").fetchone() == before
    [step] = sql_migration("ALTER TABLE orders ADD CONSTRAINT uq UNIQUE USING INDEX ix_id", "a.sql").steps
    assert (step.kind, step.has_index) == (StepKind.ADD_CONSTRAINT, True)
