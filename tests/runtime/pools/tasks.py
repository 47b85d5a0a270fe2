"""What tasks do with a pool, and gates that hold them up at a place of the test's choice."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy.util import await_only, greenlet_spawn

from tests.runtime.pools.fakes import balance
from tests.runtime.waiting import WATCHDOG_S


class Gate:
    """What an opening, an answer or an end waits for; open unless a test closes it."""

    def __init__(self):
        self.reached, self._open = asyncio.Event(), asyncio.Event()
        self._open.set()

    def shut(self):
        self._open.clear()

    def open(self):
        self._open.set()

    async def is_reached(self):
        async with asyncio.timeout(WATCHDOG_S):
            await self.reached.wait()

    def __call__(self):
        self.reached.set()
        await_only(self._open.wait())


async def take(pool):
    return await greenlet_spawn(pool.connect)


async def give(proxy):
    await greenlet_spawn(proxy.close, _require_await=False)


async def settle(condition):
    async with asyncio.timeout(WATCHDOG_S):
        while not condition():
            await asyncio.sleep(0)


async def cancelled(task):
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def waiting(pool):
    return pool.stats.snapshot().waiting


def is_whole(pool, database):
    """Whether nothing is out, and the figures fit what is open."""
    figures = pool.stats.snapshot()
    return (figures.in_use, figures.waiting) == (0, 0) and balance(figures) == figures.idle == len(database.open)
