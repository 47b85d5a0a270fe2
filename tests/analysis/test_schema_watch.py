"""Which schema a statement ran on: read once, again where something may have changed, without a trace."""

from __future__ import annotations

import pytest
from psycopg.rows import dict_row
from sqlalchemy import create_engine, text
from sqlalchemy.pool import StaticPool

from pytest_dbguard.analysis.schema_watch import SchemaReader
from pytest_dbguard.databases.registry import load_provider
from pytest_dbguard.sql.shape import read_statement

ORDERS = "CREATE TABLE orders (id INTEGER PRIMARY KEY, city TEXT)"
READS = read_statement("SELECT id FROM orders")
BOTH = read_statement("SELECT 1 FROM orders, shops")


@pytest.fixture
def engine():
    engine = create_engine("sqlite://", poolclass=StaticPool)
    with engine.begin() as connection:
        connection.execute(text(ORDERS))
    yield engine
    engine.dispose()


def tables(reader, schema):
    return {table.name for table in reader.catalogs[schema].tables}


def test_reads_what_is_there(engine):
    reader = SchemaReader()
    with engine.connect() as connection:
        schema = reader.schema_of(connection, READS, 1)
        assert reader.schema_of(connection, READS, 1) == schema
    assert tables(reader, schema) == {"orders"}


def test_the_same_tables_on_another_engine_are_the_same_schema(engine):
    reader, other = SchemaReader(), create_engine("sqlite://", poolclass=StaticPool)
    with other.begin() as connection:
        connection.execute(text(ORDERS))
    with engine.connect() as one, other.connect() as two:
        assert reader.schema_of(one, READS, 1) == reader.schema_of(two, READS, 1) != ""
    assert len(reader.catalogs) == 1
    other.dispose()


def test_reads_again_after_a_definition(engine):
    reader = SchemaReader()
    with engine.begin() as connection:
        before = reader.schema_of(connection, READS, 1)
        connection.execute(text("CREATE INDEX ix ON orders (city)"))
        assert reader.schema_of(connection, READS, 1) == before
        reader.changed()
        assert reader.schema_of(connection, READS, 1) != before


def test_reads_again_for_a_table_that_is_not_known_but_not_twice(engine):
    reader = SchemaReader()
    with engine.begin() as connection:
        before = reader.schema_of(connection, READS, 1)
        connection.connection.cursor().execute("CREATE TABLE shops (id INTEGER)")
        after = reader.schema_of(connection, BOTH, 1)
        assert tables(reader, after) == {"orders", "shops"}
        assert before != after
        connection.connection.cursor().execute("CREATE TABLE unseen (id INTEGER)")
        assert reader.schema_of(connection, read_statement("SELECT 1 FROM absent"), 1) != after
        connection.connection.cursor().execute("CREATE TABLE unseen2 (id INTEGER)")
        with_unseen = reader.schema_of(connection, read_statement("SELECT 1 FROM absent"), 1)
        assert "unseen2" not in tables(reader, with_unseen)


def test_looks_again_in_the_next_test(engine):
    reader = SchemaReader()
    with engine.begin() as connection:
        reader.schema_of(connection, READS, 1)
        connection.connection.cursor().execute("CREATE INDEX ix ON orders (city)")
        schema = reader.schema_of(connection, READS, 2)
    assert [index.name for index in reader.catalogs[schema].table("orders").indexes if index.name] == ["ix"]


def test_leaves_the_transaction_alone(engine):
    reader = SchemaReader()
    with engine.connect() as connection, connection.begin() as transaction:
        connection.execute(text("INSERT INTO orders (city) VALUES ('x')"))
        reader.schema_of(connection, READS, 1)
        transaction.rollback()
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM orders")).scalar() == 0


def test_rows_of_any_kind(engine):
    reader = SchemaReader()
    with engine.connect() as connection:
        connection.connection.dbapi_connection.row_factory = lambda cursor, row: {
            column[0]: value for column, value in zip(cursor.description, row, strict=True)
        }
        assert tables(reader, reader.schema_of(connection, READS, 1)) == {"orders"}


def test_what_cannot_be_read_is_counted_and_never_raised(engine):
    reader = SchemaReader()
    with engine.connect() as connection:
        connection.connection.dbapi_connection.set_authorizer(lambda *_: 1)
        assert reader.schema_of(connection, READS, 1) == ""
        connection.connection.dbapi_connection.set_authorizer(None)
    assert sum(reader.problems.values()) == 1


def test_another_database_is_not_read():
    class Dialect:
        name = "mysql"

    class Engine:
        dialect = Dialect

    class Connection:
        engine = Engine()

    assert SchemaReader().schema_of(Connection(), READS, 1) == ""


@pytest.fixture(scope="module")
def server():
    server = load_provider("postgres-embedded").start()
    yield server
    server.close()


@pytest.fixture(params=["tuples", "mappings"])
def postgres(server, request):
    """A connection whose cursors give rows of some kind."""
    engine = create_engine(server.url)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE IF EXISTS orders")
        connection.exec_driver_sql("CREATE TABLE orders (id int PRIMARY KEY, city text)")
    with engine.connect() as connection:
        if request.param == "mappings":
            connection.connection.dbapi_connection.row_factory = dict_row
        yield connection
    engine.dispose()


def one(cursor, sql):
    row = cursor.execute(sql).fetchone()
    return row[0] if isinstance(row, tuple) else next(iter(row.values()))


class TestPostgres:
    def test_leaves_transaction_and_settings_alone(self, postgres):
        reader = SchemaReader()
        with postgres.begin():
            cursor = postgres.connection.cursor()
            cursor.execute("SET LOCAL lock_timeout = '7s'; INSERT INTO orders VALUES (1, 'x')")
            assert tables(reader, reader.schema_of(postgres, READS, 1)) == {"orders"}
            assert one(cursor, "SHOW lock_timeout") == "7s"
        assert one(cursor, "SELECT count(*) FROM orders") == 1

    def test_a_transaction_of_the_user_survives_when_reading_fails(self, postgres, monkeypatch):
        reader = SchemaReader()
        monkeypatch.setattr("pytest_dbguard.schema.fingerprint.fingerprint_query", lambda dialect: "SELECT 1/0")
        with postgres.begin():
            cursor = postgres.connection.cursor()
            cursor.execute("INSERT INTO orders VALUES (2, 'x')")
            assert reader.schema_of(postgres, READS, 1) == ""
            cursor.execute("INSERT INTO orders VALUES (3, 'x')")
        assert one(cursor, "SELECT count(*) FROM orders") == 2
        assert sum(reader.problems.values()) == 1

    def test_sees_what_the_open_transaction_made(self, postgres):
        reader = SchemaReader()
        with postgres.begin() as transaction:
            postgres.connection.cursor().execute("CREATE TABLE shops (id int)")
            assert "shops" in tables(reader, reader.schema_of(postgres, BOTH, 1))
            transaction.rollback()
