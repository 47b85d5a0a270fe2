"""A clean state of an SQLite database: what its tables hold, and how to find and undo what differs from that."""

from __future__ import annotations

import marshal
import sqlite3
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pytest_dbguard.resets.sqlite_layout import SEQUENCE, Layout, Probe, Table

_VALUES = 5000
"""So many values are held and compared one by one: reading them takes about as long as copying the whole database."""

_SEQUENCE = f"SELECT name, seq FROM main.{SEQUENCE} ORDER BY rowid"
_SETTINGS = ("user_version", "application_id")


@dataclass(frozen=True, slots=True)
class Rows:
    """What a table holds."""

    values: list[tuple[Any, ...]]
    exact: bytes
    """The same, such that 1, 1.0 and '1' differ."""


@dataclass(frozen=True, slots=True)
class Change:
    """In what a database differs from its clean state."""

    tables: tuple[Table, ...] = ()
    has_sequence: bool = False
    has_settings: bool = False
    beyond_rows: str = ""
    """Why putting rows back will not do; "" when it will."""

    @property
    def is_none(self) -> bool:
        """Whether nothing differs."""
        return not (self.tables or self.has_sequence or self.has_settings or self.beyond_rows)


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """What is clean, since the template or since a fixture of wider scope has written."""

    owner: str
    layout: Layout
    image: sqlite3.Connection
    """A private database in memory that holds this state, or one below of the same schema."""

    rows: Mapping[Table, Rows]
    """What tables hold that are not empty, as far as it is compared."""

    unread: frozenset[Table]
    """Tables that hold more than is compared, or what only the application can read."""

    sequence: tuple[tuple[Any, ...], ...]
    settings: tuple[int, ...]
    probe: Probe = field(repr=False)
    is_whole: bool = True
    """Whether the image is this state's own."""

    def look(self, connection: sqlite3.Connection) -> Change:
        """Find in what the database differs, the schema being the same."""
        filled = list(self.probe.find(connection))
        changed = [table for table, rows in self.rows.items() if _exact(connection, table) != rows.exact]
        tables = tuple(filled + changed)
        return Change(
            tables,
            has_sequence=self.layout.has_sequence and _sequence(connection) != self.sequence,
            has_settings=read_settings(connection) != self.settings,
            beyond_rows=self.beyond_rows(tables),
        )

    def put_back(self, connection: sqlite3.Connection, change: Change, tables: Iterable[Table] | None = None) -> None:
        """Undo changes in the open transaction, where putting rows back will do."""
        for table in change.tables if tables is None else tables:
            connection.execute(table.emptying)
            rows = self.rows.get(table)
            if rows is not None:
                connection.executemany(table.filling, rows.values)
        if self.layout.has_sequence:
            connection.execute(f"DELETE FROM main.{SEQUENCE}")
            if self.sequence:
                connection.executemany(f"INSERT INTO main.{SEQUENCE} (name, seq) VALUES (?, ?)", self.sequence)
        if change.has_settings:
            for name, value in zip(_SETTINGS, self.settings, strict=True):
                connection.execute(f"PRAGMA main.{name} = {value}")

    def beyond_rows(self, changed: Collection[Table]) -> str:
        """Return why rows of these tables cannot be put back one by one; "" when they can."""
        for table in changed:
            if table.has_triggers:
                return f"{table.name!r} has triggers, which would fire"
            if table.is_part_of is not None:
                return f"the virtual table {table.is_part_of!r} was written to"
        if self.unread:
            return f"{min(table.name for table in self.unread)!r} holds too much to be compared, or cannot be read"
        return ""


def read_state(
    owner: str, connection: sqlite3.Connection, layout: Layout, image: sqlite3.Connection, *, is_whole: bool = True
) -> State:
    """Read what a database holds now."""
    readable = [table for table in layout.tables if table.is_readable]
    filled = list(Probe.of(readable).find(connection))
    rows: dict[Table, Rows] = {}
    left = _VALUES
    sizes = {table: table.width * _count(connection, table) for table in filled}
    for table in sorted(filled, key=lambda table: sizes[table]):
        found = _rows(connection, table) if sizes[table] <= left else None
        if found is not None:
            rows[table] = found
            left -= sizes[table]
    empty = [table for table in readable if table not in sizes]
    return State(
        owner,
        layout,
        image,
        rows,
        frozenset(layout.tables).difference(rows, empty),
        _sequence(connection) if layout.has_sequence else (),
        read_settings(connection),
        Probe.of(empty),
        is_whole,
    )


def read_settings(connection: sqlite3.Connection) -> tuple[int, ...]:
    """Return the numbers that an application may store in a database."""
    return tuple(connection.execute(f"PRAGMA main.{name}").fetchone()[0] for name in _SETTINGS)


def _rows(connection: sqlite3.Connection, table: Table) -> Rows | None:
    """Return what a table holds; None where there is text among it that is none."""
    try:
        values = connection.execute(table.reading).fetchall()
    except sqlite3.OperationalError as error:
        if "UTF-8" not in str(error):
            raise
        return None
    # version 2 knows no references, which would depend on more than the values
    return Rows(values, marshal.dumps(values, 2))


def _exact(connection: sqlite3.Connection, table: Table) -> bytes | None:
    rows = _rows(connection, table)
    return None if rows is None else rows.exact


def _count(connection: sqlite3.Connection, table: Table) -> int:
    (number,) = connection.execute(table.counting).fetchone()
    return int(number)


def _sequence(connection: sqlite3.Connection) -> tuple[tuple[Any, ...], ...]:
    return tuple(connection.execute(_SEQUENCE).fetchall())
