"""SQLite's transactions as they must be: what failed to commit is gone, and whether commits wait for a disk."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import AsyncAdaptedQueuePool

from pytest_dbguard.databases.sqlite_transactions import mend_sqlite

ADD = text("UPDATE numbers SET value = value + 1")
AT_ONCE = {"connect_args": {"timeout": 0.0}, "pool_size": 1, "max_overflow": 0}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "numbers.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("CREATE TABLE numbers (value int); INSERT INTO numbers VALUES (1);")
    return path


@pytest.fixture
def reader(path):
    """Another connection that reads, so that nobody can commit."""
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as connection:
        connection.execute("BEGIN")
        connection.execute("SELECT * FROM numbers").fetchall()
        yield connection


@pytest.mark.parametrize(("is_durable", "synchronous"), [(True, 2), (False, 0)])
def test_commits_wait_for_the_disk_where_that_is_asked_for(path, is_durable, synchronous):
    engine = create_engine(f"sqlite:///{path}")
    mend_sqlite(engine, is_durable=is_durable)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == synchronous
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    engine.dispose()


def test_what_could_not_be_committed_is_not_committed_by_the_next_session(path, reader):
    engine = create_engine(f"sqlite:///{path}", **AT_ONCE)
    mend_sqlite(engine)
    with Session(engine) as session:
        session.execute(ADD)
        with pytest.raises(OperationalError, match="locked"):
            session.commit()
    reader.execute("COMMIT")
    with Session(engine) as session:
        session.execute(ADD)
        session.commit()
    assert reader.execute("SELECT value FROM numbers").fetchall() == [(2,)]
    engine.dispose()


async def test_what_could_not_be_committed_is_gone_asynchronously_too(path, reader):
    engine = create_async_engine(f"sqlite+aiosqlite:///{path}", poolclass=AsyncAdaptedQueuePool, **AT_ONCE)
    mend_sqlite(engine.sync_engine)
    async with AsyncSession(engine) as session:
        await session.execute(ADD)
        with pytest.raises(OperationalError, match="locked"):
            await session.commit()
    reader.execute("COMMIT")
    async with AsyncSession(engine) as session:
        await session.execute(ADD)
        await session.commit()
    assert reader.execute("SELECT value FROM numbers").fetchall() == [(2,)]
    await engine.dispose()
