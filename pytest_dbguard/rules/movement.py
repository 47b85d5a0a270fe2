"""Tells loops that move through data (pages, chunks, windows) from loops that ask the same for each item."""

from __future__ import annotations

from itertools import pairwise

from pytest_dbguard.recording.loops import Loop
from pytest_dbguard.recording.model import Recording, Statement
from pytest_dbguard.sql.shape import CHUNK


def is_chunked(statements: tuple[Statement, ...], loop: Loop | None) -> bool:
    """Whether the statements ask for slices of one long IN list.

    Only the list changes from one to the next, and it is not tiny or the loop says that it takes batches.
    """
    lengths = [statement.text.longest_list for statement in statements]
    if loop is not None and loop.takes_batches and min(lengths) > 0:
        return True
    if sum(lengths) / len(lengths) < CHUNK:
        return False
    return len({_outside_of_lists(statement) for statement in statements}) == 1


def is_paging(statements: tuple[Statement, ...]) -> bool:
    """Whether the statements fetch page after page: by a moving OFFSET or LIMIT, or by a moving key."""
    roles = moving_roles(statements)
    if not roles or not statements[0].text.has_limit:
        return False
    if roles <= {"offset", "limit", "range"}:
        return True
    return "range" in roles and roles <= {"offset", "limit", "range", "equal"} and _repeats_key(statements)


def is_window(statements: tuple[Statement, ...]) -> bool:
    """Whether the statements walk through ranges that touch: the upper end of one is the lower end of the next."""
    if moving_roles(statements) != {"range"}:
        return False
    moving = moving_indexes(statements)
    ends = [{statement.values[i] for i in moving} for statement in statements]
    return len(moving) >= 2 and all(a & b for a, b in pairwise(ends))


def asks_the_same(statements: tuple[Statement, ...]) -> bool:
    """Whether text and parameters are the same each time."""
    return len({(id(statement.text), statement.parameters) for statement in statements}) == 1


def independent_repeats(statements: tuple[Statement, ...], recording: Recording) -> int:
    """Return how many of the statements ask something that was not asked before, or ask again in vain.

    With different parameters all of them do. With the same parameters each time, asking again makes sense after a
    commit, a rollback, or a write to the same tables (polling, retries, queue workers); the longest stretch without
    such an event counts.
    """
    if not asks_the_same(statements):
        return len(statements)
    longest = current = 1
    for before, after in pairwise(statements):
        changed = before.transaction != after.transaction or _writes_between(before, after, recording)
        current = 1 if changed else current + 1
        longest = max(longest, current)
    return longest


def _writes_between(before: Statement, after: Statement, recording: Recording) -> bool:
    tables = set(before.text.tables)
    between = recording.statements[before.number + 1 : after.number]
    return any(s.text.is_write and not tables.isdisjoint(s.text.tables) for s in between)


def _outside_of_lists(statement: Statement) -> tuple[int, ...]:
    placeholders = statement.text.placeholders
    if len(placeholders) != len(statement.values):
        return ()
    return tuple(v for p, v in zip(placeholders, statement.values, strict=True) if p.role != "list")


def moving_indexes(statements: tuple[Statement, ...]) -> list[int]:
    """Return the positions of the parameters that differ from one statement to another; [] where none are known."""
    size = len(statements[0].values)
    if any(len(statement.values) != size for statement in statements):
        return []
    return [i for i in range(size) if len({statement.values[i] for statement in statements}) > 1]


def moving_roles(statements: tuple[Statement, ...]) -> set[str]:
    """Return the roles of the parameters that differ from one statement to another."""
    placeholders = statements[0].text.placeholders
    moving = moving_indexes(statements)
    return {placeholders[i].role for i in moving} if len(placeholders) == len(statements[0].values) else set()


def _repeats_key(statements: tuple[Statement, ...]) -> bool:
    """Whether the moving `=` value is also a `<` or `>` value: `a > :a OR (a = :a AND id > :id)`."""
    placeholders = statements[0].text.placeholders
    moving = moving_indexes(statements)
    equal = [i for i in moving if placeholders[i].role == "equal"]
    ranged = [i for i in moving if placeholders[i].role == "range"]
    return all(any(s.values[i] == s.values[j] for j in ranged) for s in statements for i in equal)
