"""Runs code that wants an event loop of its own, whether or not one runs in this thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, TypeVar

T = TypeVar("T")


def is_loop_running() -> bool:
    """Tell whether an event loop runs in this thread."""
    return asyncio._get_running_loop() is not None


def in_own_thread(work: Callable[[], T]) -> T:
    """Return what a function returns in a thread that has no event loop."""
    with ThreadPoolExecutor(1, thread_name_prefix="dbguard") as thread:
        return thread.submit(copy_context().run, work).result()


def run_coroutine(work: Coroutine[Any, Any, T]) -> T:
    """Return what a coroutine returns, run in an event loop of its own; in another thread when one runs in this."""
    return in_own_thread(lambda: _run(work)) if is_loop_running() else _run(work)


def _run(work: Coroutine[Any, Any, T]) -> T:
    """Run something like `asyncio.run`, but leave the thread's current loop alone: it may be a plugin's."""
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(work)
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
