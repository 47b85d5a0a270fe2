"""What tests of resets write and count: rows of one table, by engines of both kinds."""

from __future__ import annotations

from sqlalchemy import text

COUNT = text("SELECT count(*) FROM item")
INSERT = text('INSERT INTO item ("na%me") VALUES (:name)')


def insert(engine, name):
    with engine.begin() as connection:
        connection.execute(INSERT, {"name": name})


async def insert_in_loop(engine, name):
    async with engine.begin() as connection:
        await connection.execute(INSERT, {"name": name})
