"""Connections and transactions as only SQLite has them."""

from __future__ import annotations

import asyncio

import engines
import pytest
from mischief import keep
from models import Shop
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

SESSION_STATE = {
    "foreign_keys": "PRAGMA foreign_keys = OFF",
    "recursive_triggers": "PRAGMA recursive_triggers = ON",
    "attached": "ATTACH DATABASE ':memory:' AS other",
    "temporary": "CREATE TEMPORARY TABLE temporary AS SELECT * FROM customer",
    "temporary_trigger": "CREATE TEMPORARY TRIGGER later AFTER DELETE ON node BEGIN DELETE FROM customer; END",
}


@pytest.mark.parametrize("what", SESSION_STATE)
def test_session_keeps(what):
    with engines.primary.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(SESSION_STATE[what])


def test_leaks_pooled_transaction_that_it_began_itself():
    connection = keep(engines.primary.connect())
    connection.execute(text("BEGIN"))
    connection.execute(text("DROP TABLE watched"))


def test_cancelled_task():
    async def write(started):
        async with AsyncSession(engines.asynchronous[0]) as session:
            session.add(Shop(name="cancelled"))
            await session.flush()
            started.set()
            await session.execute(
                text(
                    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 300000) "
                    "SELECT count(*) FROM n"
                )
            )

    async def main():
        started = asyncio.Event()
        task = asyncio.create_task(write(started))
        await started.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(main())
