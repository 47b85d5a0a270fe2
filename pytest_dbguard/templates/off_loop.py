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
    with ThreadPoolExecutor(1, thread_name_prefix="dbguard-template") as thread:
        return thread.submit(copy_context().run, work).result()


def run_coroutine(work: Coroutine[Any, Any, T]) -> T:
    """Return what a coroutine returns, run in an event loop of its own.

    Never in this thread: asyncio.run leaves it without an event loop, which some plugins have put there.
    """
    return in_own_thread(lambda: asyncio.run(work))
