"""Statements that fail, that are cancelled and that are never sent."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import create_engine, event, insert, text
from sqlalchemy.exc import DataError, IntegrityError, MissingGreenlet, OperationalError, ProgrammingError
from sqlalchemy.ext.asyncio import create_async_engine

from pytest_dbguard.runtime.statistics import StatementStatistics
from tests.runtime.statistics.statements import USERS, run


def test_a_failed_statement_counts_as_call_and_error_with_its_kind(engine, statistics):
    run(engine, insert(USERS).values(name="ada"))
    for _ in range(2):
        with pytest.raises(IntegrityError):
            run(engine, insert(USERS).values(name="ada"))
    with pytest.raises(OperationalError):
        run(engine, text("SELECT nonsense FROM nowhere"))
    figures = statistics.roles()["primary"]
    assert (figures.calls, figures.errors) == (4, 3)
    assert figures.errors_by_kind == {"IntegrityError": 2, "OperationalError": 1}
    failing = next(shape for shape in statistics.shapes() if shape.sql.startswith("INSERT"))
    assert failing.error_rate == pytest.approx(2 / 3)


def test_kinds_of_errors_have_a_bound(engine, statistics):
    ledger = statistics._ledgers["primary"]
    run(engine, text("SELECT 1"))
    row = next(iter(ledger._shapes.values()))
    for number in range(200):
        ledger.add_error(row, f"Error{number}")
    kinds = statistics.roles()["primary"].errors_by_kind
    assert len(kinds) <= 51
    assert sum(kinds.values()) == 200
    assert kinds["other"] == 150


def test_a_connection_that_cannot_be_made_is_no_statement(statistics, tmp_path):
    broken = create_engine(f"sqlite:///{tmp_path}/no/such/directory/x.db")
    statistics.attach(broken, "analytics", "analytics")
    with pytest.raises(OperationalError):
        broken.connect()
    assert statistics.roles()["analytics"].calls == 0


@pytest.mark.parametrize("driver", ["psycopg", "asyncpg"])
async def test_a_cancelled_task_is_no_error_of_the_database(postgres, driver):
    engine = create_async_engine(postgres.url.set(drivername=f"postgresql+{driver}"))
    statistics = StatementStatistics()
    statistics.attach(engine, "primary", "primary")
    sent = asyncio.Event()
    event.listen(engine.sync_engine, "before_cursor_execute", lambda *_: sent.set())

    async def work():
        async with engine.connect() as connection:
            await connection.execute(text("SELECT pg_sleep(60)"))

    task = asyncio.create_task(work())
    await asyncio.wait_for(sent.wait(), 30)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await engine.dispose()
    # whose loop ends now: asyncpg has no time to have the server end the statement
    postgres.terminate_all()
    figures = statistics.roles()["primary"]
    assert (figures.calls, figures.errors, figures.cancelled, statistics.faults) == (1, 0, 1, 0)


@pytest.mark.parametrize("driver", ["psycopg", "asyncpg"])
async def test_errors_of_postgresql_are_told_by_their_sqlstate(postgres, driver):
    engine = create_async_engine(postgres.url.set(drivername=f"postgresql+{driver}"))
    statistics = StatementStatistics()
    statistics.attach(engine, "primary", "primary")
    async with engine.connect() as connection:
        with pytest.raises(ProgrammingError):
            await connection.execute(text("SELECT * FROM nowhere"))
    await engine.dispose()
    ((kind, count),) = statistics.roles()["primary"].errors_by_kind.items()
    assert (kind.split()[1], count) == ("42P01", 1)
    assert "UndefinedTable" in kind


def test_the_synchronous_driver_tells_rows_and_errors(postgres):
    engine = create_engine(postgres.url.set(drivername="postgresql+psycopg"))
    statistics = StatementStatistics()
    statistics.attach(engine, "primary", "primary")
    with engine.connect() as connection:
        connection.execute(text("SELECT * FROM generate_series(1, 7)")).all()
        with pytest.raises(DataError):
            connection.execute(text("SELECT 1 / 0"))
    engine.dispose()
    figures = statistics.roles()["primary"]
    assert (figures.rows, dict(figures.errors_by_kind)) == (7, {"DivisionByZero 22012": 1})


def test_asynchronous_code_that_cannot_wait_has_sent_nothing(tmp_path):
    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path}/async.db")
    statistics = StatementStatistics()
    statistics.attach(engine, "primary", "primary")
    with pytest.raises(MissingGreenlet), engine.sync_engine.connect() as connection:
        connection.execute(text("SELECT 1"))
    assert statistics.roles()["primary"].calls == 0
