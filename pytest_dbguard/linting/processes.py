"""Shares work on many sources between processes, where that saves more than it costs."""

from __future__ import annotations

import multiprocessing
import os
import re
import sys
import threading
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import Any

from pytest_dbguard.linting.reading import SourceFile

MIN_BYTES = 192 * 1024
"""Bytes of sources with SQL in them from which it pays: about half a second's work."""
MAX_PROCESSES = 8
_SQL = re.compile(rb"\b(?:SELECT|INSERT|UPDATE|DELETE)\b", re.IGNORECASE)

Work = Callable[[Sequence[SourceFile]], Any]


def shared(work: Work, sources: Sequence[SourceFile]) -> list[Any]:
    """Return what the work makes of all sources: one value for each share, made in processes of their own.

    A share whose process ends without an answer is done here.

    Args:
        work: Is called with some of the sources; what it returns must be picklable.
        sources: In any order.
    """
    shares = _shares(sources, _processes(sources))
    if len(shares) < 2:
        return [work(sources)]
    forked = [_fork(work, share) for share in shares[1:]]
    made = [work(shares[0])]
    for share, (process, answers) in zip(shares[1:], forked, strict=True):
        try:
            made.append(answers.recv())
        except (EOFError, OSError):
            made.append(work(share))
        answers.close()
        process.join()
    return made


def _processes(sources: Sequence[SourceFile]) -> int:
    """Return how many processes pay: one where they cannot be forked, as a new interpreter costs a second."""
    # a lock that another thread holds would stay locked in the copy
    if sys.platform in ("win32", "darwin") or threading.active_count() > 1:
        return 1
    size = sum(len(source.content) for source in sources if _SQL.search(source.content))
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(usable, MAX_PROCESSES, size // MIN_BYTES + 1))


def _shares(sources: Sequence[SourceFile], number: int) -> list[list[SourceFile]]:
    """Deal sources out, the largest first, so that shares weigh about the same."""
    shares: list[list[SourceFile]] = [[] for _ in range(number)]
    weights = [0] * number
    for source in sorted(sources, key=lambda each: (-len(each.content), each.path)):
        lightest = weights.index(min(weights))
        shares[lightest].append(source)
        weights[lightest] += len(source.content) + 1
    return [share for share in shares if share]


def _fork(work: Work, share: Sequence[SourceFile]) -> tuple[Any, Connection]:
    context = multiprocessing.get_context("fork")
    receiving, sending = context.Pipe(duplex=False)
    process = context.Process(target=_answer, args=(work, share, sending), daemon=True)
    process.start()
    sending.close()
    return process, receiving


def _answer(work: Work, share: Sequence[SourceFile], answers: Connection) -> None:
    answers.send(work(share))
    answers.close()
