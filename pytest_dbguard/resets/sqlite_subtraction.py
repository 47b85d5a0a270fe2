"""Takes what one fixture of wider scope wrote out of what a later one, which outlives it, has found."""

from __future__ import annotations

import marshal
import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from pytest_dbguard.databases.sqlite_copy import copy_database, in_memory
from pytest_dbguard.resets.sqlite_layout import Table, quoted
from pytest_dbguard.resets.sqlite_state import Change, State, read_state

_TRIGGERS = "SELECT name, sql FROM main.sqlite_master WHERE type = 'trigger'"
_SCHEMA = "SELECT type, name, sql FROM main.sqlite_master ORDER BY type, name"
_SETTINGS = ("user_version", "application_id")

Values = list[tuple[Any, ...]]


def without(upper: State, lower: State, below: State) -> State:
    """Return the upper state as it would be if the fixture of the lower one had not written.

    A row that both fixtures changed stays as the later one left it. What cannot be told apart stays all of it: a
    change of the schema, virtual tables, and tables that hold too much to be compared. So do rows that the later
    fixture's rows refer to.

    Args:
        upper: What there was when the later fixture had written.
        lower: What there was when the earlier one had.
        below: What there was before both.
    """
    states = (upper, lower, below)
    if any(state.unread for state in states) or len({_schema(state) for state in states}) > 1:
        return upper
    changed = [table for table in upper.layout.tables if _exact(lower, table) != _exact(below, table)]
    if any(table.is_part_of is not None for table in changed):
        return upper
    image = in_memory()
    try:
        return _subtracted(image, changed, upper, lower, below)
    except sqlite3.Error:
        # an index may need a function or a collation that only the application's connections have
        image.close()
        return upper


def _subtracted(image: sqlite3.Connection, changed: Iterable[Table], upper: State, lower: State, below: State) -> State:
    copy_database(upper.image, image)
    image.execute("PRAGMA ignore_check_constraints = ON")
    triggers = image.execute(_TRIGGERS).fetchall()
    for name, _ in triggers:
        image.execute(f"DROP TRIGGER main.{quoted(name)}")
    image.execute("BEGIN")
    if not upper.is_whole:
        upper.put_back(image, Change(tuple(upper.layout.tables), has_settings=True))
    broken = _broken_keys(image)
    for table in changed:
        _take_out(image, table, *(_values(state, table) for state in (upper, lower, below)))
    if _broken_keys(image) - broken:
        image.close()
        return upper
    _take_out_numbers(image, upper, lower, below)
    image.execute("COMMIT")
    for _, sql in triggers:
        image.execute(sql)
    return read_state(upper.owner, image, upper.layout, image)


def _take_out(image: sqlite3.Connection, table: Table, upper: Values, lower: Values, below: Values) -> None:
    added, removed = _less(lower, below), _less(below, lower)
    kept = _less(upper, added)
    image.execute(table.emptying)
    image.executemany(table.filling, kept)
    if len(kept) == len(upper) - len(added):
        # where the later fixture has put another row in place of one that the earlier one removed, it stays
        image.executemany(table.filling.replace("INSERT", "INSERT OR IGNORE", 1), removed)


def _broken_keys(image: sqlite3.Connection) -> Counter[tuple[Any, ...]]:
    """Return how many rows break each foreign key."""
    try:
        rows = image.execute("PRAGMA main.foreign_key_check").fetchall()
    except sqlite3.OperationalError:  # a key refers to columns that are no key
        return Counter()
    return Counter((table, parent, key) for table, _, parent, key in rows)


def _take_out_numbers(image: sqlite3.Connection, upper: State, lower: State, below: State) -> None:
    if upper.layout.has_sequence:
        sequence = _unchanged(*(dict(state.sequence) for state in (upper, lower, below)))
        image.execute("DELETE FROM main.sqlite_sequence")
        image.executemany("INSERT INTO main.sqlite_sequence (name, seq) VALUES (?, ?)", sequence.items())
    settings = _unchanged(*(dict(zip(_SETTINGS, state.settings, strict=True)) for state in (upper, lower, below)))
    for name, value in settings.items():
        image.execute(f"PRAGMA main.{name} = {value}")


def _unchanged(upper: Mapping[str, Any], lower: Mapping[str, Any], below: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is in `upper`, with what is in `below` wherever it is the same as in `lower`."""
    found = {name: below.get(name) if value == lower.get(name) else value for name, value in upper.items()}
    return {name: value for name, value in found.items() if value is not None}


def _less(values: Values, others: Values) -> Values:
    """Return the rows of `values` that are not in `others`, each as often as there are more of it; 1 is not 1.0."""
    left = Counter(marshal.dumps(row, 2) for row in others)
    found = []
    for row in values:
        key = marshal.dumps(row, 2)
        if left[key]:
            left[key] -= 1
        else:
            found.append(row)
    return found


def _values(state: State, table: Table) -> Values:
    # each reading of the same schema has made tables of its own
    return next((rows.values for other, rows in state.rows.items() if other.name == table.name), [])


def _exact(state: State, table: Table) -> bytes:
    return marshal.dumps(_values(state, table), 2)


def _schema(state: State) -> tuple[Any, ...]:
    return tuple(state.image.execute(_SCHEMA).fetchall())
