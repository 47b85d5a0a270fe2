"""Many faults at once while many callers work: whatever they see, no place in the pool and no connection is lost."""

from __future__ import annotations

import asyncio
import contextlib
import itertools

import pytest
from sqlalchemy.exc import TimeoutError as NoneFree

from tests.runtime.faults.clients import UNREACHABLE, bounded, in_thread, until

SIZE = 3
CALLERS = 12
REQUESTS = 25


def faults(postgres, between):
    """Return what happens, in turn."""
    return itertools.cycle(
        [
            between.drop,
            postgres.terminate_all,
            lambda: between.cut_after(0),
            between.freeze_open,
            between.reset,
            between.ok,
            lambda: between.cut_after(100),
            between.refuse,
            between.ok,
        ]
    )


async def call(used, number):
    """Make requests of several kinds; return how many were good. Anything but an error of the database is raised."""
    good = 0
    for turn in range(REQUESTS):
        with contextlib.suppress(*UNREACHABLE, NoneFree):
            if (number + turn) % 3:
                await used.ask()
            else:
                async with used.held() as execute:
                    await execute("SELECT 1")
                    await execute("SELECT count(*) FROM pg_class")
            good += 1
    return good


async def rage(postgres, between, is_over):
    for fault in faults(postgres, between):
        await in_thread(fault)
        if is_over():
            break
        await asyncio.sleep(0.005)


@pytest.mark.parametrize("check_after_idle_s", [0.0, 3600.0], ids=["checked", "unchecked"])
async def test_nothing_is_lost(client, postgres, proxy, check_after_idle_s):
    between = proxy(postgres)
    pool = {"size": SIZE - 1, "overflow": 1, "check_after_idle_s": check_after_idle_s, "check_timeout_s": 0.1}
    used = client(between.url(postgres.url), pool=pool)
    callers = [asyncio.ensure_future(call(used, number)) for number in range(CALLERS)]
    raging = asyncio.ensure_future(rage(postgres, between, lambda: all(each.done() for each in callers)))
    good = await bounded(asyncio.gather(*callers))
    await raging
    between.ok()
    assert sum(good)
    await until(lambda: not used.figures().in_use, "the return of all connections")
    async with contextlib.AsyncExitStack() as stack:
        held = [await stack.enter_async_context(used.held()) for _ in range(SIZE)]
        assert used.figures().in_use == SIZE
        with contextlib.suppress(*UNREACHABLE):  # what was broken while nobody looked
            for execute in held:
                await execute("SELECT 1")
    assert await used.ask() == 1
    figures = used.figures()
    assert (figures.in_use, figures.waiting) == (0, 0)
    assert figures.idle <= SIZE - 1
    assert figures.connected - sum(figures.closed.values()) == figures.idle
