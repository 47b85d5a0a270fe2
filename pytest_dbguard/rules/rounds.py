"""What one round of a loop does that makes its writes a design rather than a defect."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Collection
from itertools import pairwise

from pytest_dbguard.recording.frames import Frame
from pytest_dbguard.recording.loops import Loop, LoopFinder
from pytest_dbguard.recording.model import Recording, Statement
from pytest_dbguard.rules.movement import moving_indexes, moving_roles
from pytest_dbguard.sql.shape import CHUNK

_LOOPS = (ast.For, ast.AsyncFor, ast.While)


def is_batch(statement: Statement, loop: Loop | None) -> bool:
    """Whether one statement writes many rows: several rows of values, a long IN list, a limited subquery."""
    text = statement.text
    if text.value_rows > 1 or text.has_limit or text.longest_list >= CHUNK:
        return True
    return text.longest_list > 0 and loop is not None and loop.takes_batches


def writes_batches(writes: Collection[Statement], loop: Loop | None) -> bool:
    """Whether what one transaction writes is a batch of rows: in one statement, or by one that repeats in it."""
    if loop is not None and loop.takes_batches:
        return True
    if any(write.is_many or is_batch(write, loop) for write in writes):
        return True
    times = Counter((write.text.shape.id, write.stack.key) for write in writes)
    return max(times.values(), default=0) >= CHUNK


def covers_ranges(writes: tuple[Statement, ...]) -> bool:
    """Whether the writes go through a table range by range: `BETWEEN ? AND ?` with both ends moving."""
    return moving_roles(writes) == {"range"} and len(moving_indexes(writes)) >= 2


def goes_with_batches(writes: tuple[Statement, ...], recording: Recording) -> bool:
    """Whether each of the writes stands in a transaction of its own that also writes a batch, as a line of progress."""
    batches = {s.transaction for s in recording.statements if s.text.is_write and (s.is_many or is_batch(s, None))}
    return {write.transaction for write in writes} <= batches


def takes_work(transactions: Collection[int], recording: Recording) -> bool:
    """Whether each of the transactions claims its piece of work by LIMIT or FOR UPDATE."""
    claimed = {
        statement.transaction
        for statement in recording.statements
        if statement.text.has_limit or statement.text.locks_rows
    }
    return set(transactions) <= claimed


def isolates_failures(frame: Frame, loops: LoopFinder) -> bool:
    """Whether the frame stands in a `try` inside of a loop that catches what fails and goes on with the next round."""
    path = loops.path(frame)
    inside = False
    for node, inner in pairwise(path):
        if isinstance(node, _LOOPS):
            inside = True
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            inside = False
        elif isinstance(node, ast.Try) and inside and (inner in node.body or inner in node.orelse):
            return any(_goes_on(handler) for handler in node.handlers)
    return False


def _goes_on(handler: ast.ExceptHandler) -> bool:
    """Whether a handler neither raises nor leaves: the loop goes on."""
    last = handler.body[-1]
    return not isinstance(last, ast.Raise | ast.Return | ast.Break)
