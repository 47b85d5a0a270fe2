"""Threads and tasks that write at the same time."""

from __future__ import annotations

import asyncio
import threading

import engines
from mischief import COUNT
from models import Shop
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session


def count_shops():
    """Count them as others see them."""
    with engines.readonly.connect() as connection:
        return connection.scalar(COUNT)


def test_many_tasks():
    async def write(engine, number):
        async with AsyncSession(engine) as session:
            session.add(Shop(name=f"{engine.dialect.driver} {number}"))
            await session.commit()

    async def main():
        await asyncio.gather(*(write(engine, number) for number in range(10) for engine in engines.asynchronous))

    asyncio.run(main())
    assert count_shops() == 1 + 10 * len(engines.asynchronous)


def test_many_threads():
    def write(number):
        with Session(engines.primary) as session:
            session.add(Shop(name=f"thread {number}"))
            session.commit()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert count_shops() == 9
