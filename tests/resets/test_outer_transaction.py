"""Nothing of what happens inside the outer transaction stays."""

from __future__ import annotations

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from pytest_dbguard.core.errors import DatabaseError
from pytest_dbguard.databases.engines import make_engine
from pytest_dbguard.resets.outer_transaction import sqlstate


def count(connection):
    return connection.scalar(text("SELECT count(*) FROM item"))


def insert(connection, name):
    connection.execute(text('INSERT INTO item ("na%me") VALUES (:name)'), {"name": name})


@pytest.fixture
def connection(engine, reset, database):
    reset.begin()
    connection = engine.connect()
    yield connection
    connection.close()
    assert reset.end().leaks == ()
    other = make_engine(database)
    with other.connect() as connection:
        assert count(connection) == 1
    other.dispose()


def test_commit_and_rollback_work_and_do_not_stay(connection):
    insert(connection, "a")
    connection.commit()
    insert(connection, "b")
    connection.rollback()
    assert count(connection) == 2


def test_begin_and_savepoints_work_as_outside(connection):
    with connection.begin():
        insert(connection, "a")
        with connection.begin_nested() as savepoint:
            insert(connection, "b")
            savepoint.rollback()
    with pytest.raises(ZeroDivisionError), connection.begin():
        insert(connection, "c")
        raise ZeroDivisionError
    assert count(connection) == 2


@pytest.mark.parametrize("mode", ["conditional_savepoint", "create_savepoint", "control_fully"])
def test_sessions_of_the_application_own_making(connection, mode):
    for _ in range(2):
        with Session(connection, join_transaction_mode=mode) as session:
            insert(session, str(count(session)))
            session.commit()
            insert(session, "again")
            session.rollback()
    assert count(connection) == 3


def test_an_error_can_be_rolled_back(connection):
    with pytest.raises(IntegrityError):
        insert(connection, "seed")
    connection.rollback()
    insert(connection, "a")
    connection.commit()
    assert count(connection) == 2


def test_committing_a_failed_transaction_does_what_the_database_does(connection):
    insert(connection, "a")
    with pytest.raises(IntegrityError):
        insert(connection, "seed")
    connection.commit()
    kept = 2 if connection.dialect.name == "sqlite" else 1  # PostgreSQL rolls it back
    assert count(connection) == kept


def test_listeners_see_a_commit_and_no_savepoint_of_ours(connection):
    seen = []
    for name in ("begin", "commit", "rollback", "savepoint", "release_savepoint"):
        event.listen(connection, name, lambda *_, name=name: seen.append(name))
    event.listen(connection, "before_cursor_execute", lambda *arguments: seen.append(arguments[2]))
    connection.execute(text("SELECT 1"))
    connection.commit()
    assert seen == ["begin", "SELECT 1", "commit"]


def test_tables_made_inside_go(connection, database, reset):
    connection.execute(text("CREATE TABLE inside (id INTEGER)"))
    connection.commit()
    connection.close()
    reset.end()
    other = make_engine(database)
    with other.connect() as elsewhere, pytest.raises(DBAPIError):
        elsewhere.execute(text("SELECT * FROM inside"))
    other.dispose()


def test_the_isolation_level_cannot_change(connection):
    with pytest.raises(DatabaseError, match="cannot become 'AUTOCOMMIT'"):
        connection.execution_options(isolation_level="AUTOCOMMIT")


@pytest.mark.parametrize("error", [Exception(), Exception({"C": "25P02"}), Exception("text")])
def test_codes_of_drivers_errors(error):
    assert sqlstate(error) == (error.args[0]["C"] if error.args and isinstance(error.args[0], dict) else None)
