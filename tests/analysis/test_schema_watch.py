"""Which schema a statement ran on: read once, again where something may have changed, without a trace."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from psycopg.rows import class_row, dict_row
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import StaticPool

from pytest_dbguard.analysis import schema_watch
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


def test_rows_of_a_class_that_takes_only_its_own(engine):
    def shop(cursor, row):
        raise AssertionError("made of a row that is not the program's")

    with engine.connect() as connection:
        connection.connection.dbapi_connection.row_factory = shop
        reader = SchemaReader()
        assert tables(reader, reader.schema_of(connection, READS, 1)) == {"orders"}
        assert connection.connection.dbapi_connection.row_factory is shop


def test_engines_with_options_of_their_own_are_one(engine):
    reader = SchemaReader()
    with engine.connect() as connection:
        schema = reader.schema_of(connection, READS, 1)
        connection.connection.dbapi_connection.set_authorizer(lambda *_: 1)
    for number in range(3):
        with engine.execution_options(number=number).connect() as connection:
            assert reader.schema_of(connection, READS, 1) == schema
    assert not reader.problems


def test_no_schema_is_kept_without_end(engine, monkeypatch):
    monkeypatch.setattr(schema_watch, "MAX_SCHEMAS", 2)
    reader, seen = SchemaReader(), []
    with engine.begin() as connection:
        for number in range(4):
            connection.execute(text(f"CREATE TABLE t{number} (id INTEGER)"))
            reader.changed()
            seen.append(reader.schema_of(connection, READS, 1))
    assert [bool(each) for each in seen] == [True, True, False, False]
    assert len(reader.catalogs) == 2


def test_what_could_not_be_read_is_tried_again_in_the_next_test(engine):
    reader = SchemaReader()
    with engine.connect() as connection:
        driver = connection.connection.dbapi_connection
        driver.set_authorizer(lambda *_: 1)
        assert reader.schema_of(connection, READS, 1) == reader.schema_of(connection, BOTH, 1) == ""
        assert sum(reader.problems.values()) == 1
        driver.set_authorizer(None)
        assert reader.schema_of(connection, READS, 1) == ""
        assert tables(reader, reader.schema_of(connection, READS, 2)) == {"orders"}


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

    def test_rows_of_a_class(self, postgres):
        reader = SchemaReader()
        postgres.connection.dbapi_connection.row_factory = class_row(Shop)
        assert tables(reader, reader.schema_of(postgres, READS, 1)) == {"orders"}

    def test_limits_of_time_stay_those_of_the_program(self, postgres):
        cursor = postgres.connection.cursor()
        cursor.execute("SET statement_timeout = '9s'; SET lock_timeout = '8s'")
        reader = SchemaReader()
        assert reader.schema_of(postgres, READS, 1)
        assert [one(cursor, f"SHOW {name}_timeout") for name in ("statement", "lock")] == ["9s", "8s"]

    def test_a_failed_transaction_is_not_asked(self, postgres):
        reader = SchemaReader()
        with pytest.raises(DatabaseError):
            postgres.exec_driver_sql("SELECT 1/0")
        assert reader.schema_of(postgres, READS, 1) == ""
        assert reader.problems == {"UnusableConnection": 1}


class Shop:
    """Takes no other columns than its own."""

    def __init__(self, city: str) -> None:
        self.city = city


@pytest.fixture
def locked(server):
    """The URL of a database in which somebody holds a lock on a table, as long as the test runs."""
    engine = create_engine(server.url)
    with engine.begin() as connection:
        for statement in ("DROP TABLE IF EXISTS orders, held", ORDERS, "CREATE TABLE held (city text)"):
            connection.exec_driver_sql(statement)
        connection.exec_driver_sql("CREATE INDEX held_city ON held (lower(city))")
    with engine.connect() as holder:
        holder.exec_driver_sql("LOCK TABLE held IN ACCESS EXCLUSIVE MODE")
        yield server.url
        holder.rollback()
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE held")
    engine.dispose()


def test_nobody_waits_for_a_lock_where_every_statement_is_a_transaction(locked):
    engine, reader = create_engine(locked, isolation_level="AUTOCOMMIT"), SchemaReader()
    with engine.connect() as connection:
        # would the driver's connection wait without a limit, so would this test
        assert reader.schema_of(connection, READS, 1) == ""
        assert reader.problems == {"LockNotAvailable": 1}
        assert connection.connection.dbapi_connection.info.transaction_status == 0
        assert connection.exec_driver_sql("SHOW lock_timeout").scalar() == "0"
    engine.dispose()


class Unheard:
    """An engine, its pool and its connection, of a driver that tells nothing of its transaction."""

    dialect = SimpleNamespace(name="postgresql")

    def __init__(self) -> None:
        self.engine = self.pool = self
        self.sent = []
        self.connection = SimpleNamespace(dbapi_connection=object(), cursor=lambda: self.sent.append("asked"))


def test_a_driver_that_does_not_tell_its_state_is_not_asked():
    reader, connection = SchemaReader(), Unheard()
    assert reader.schema_of(connection, READS, 1) == ""
    assert not connection.sent
