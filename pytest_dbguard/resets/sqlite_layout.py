"""The tables of one SQLite schema, and the statements that read, empty and fill each."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from pytest_dbguard.databases.sqlite_copy import is_locked

SEQUENCE = "sqlite_sequence"

_TABLES = """
SELECT m.name, lower(m.name) IN (SELECT lower(tbl_name) FROM main.sqlite_master WHERE type = 'trigger')
FROM main.sqlite_master m WHERE m.type = 'table' AND m.rootpage > 0 AND m.name <> 'sqlite_sequence' ORDER BY m.name
"""
# what is generated follows from the rest (hidden = 2 and 3)
_COLUMNS = """
SELECT m.name, x.name, x.hidden
FROM main.sqlite_master m, pragma_table_xinfo(m.name, 'main') x WHERE m.type = 'table' AND m.rootpage > 0
"""
# virtual tables have no pages of their own; they keep what they hold in tables named after them
_VIRTUAL = "SELECT name FROM main.sqlite_master WHERE type = 'table' AND rootpage = 0"
_HAS_SEQUENCE = "SELECT 1 FROM main.sqlite_master WHERE type = 'table' AND name = 'sqlite_sequence'"
_ROWID_NAMES = ("rowid", "_rowid_", "oid")
# each sub-select keeps a cursor open until its statement ends, and SQLite compares each new cursor with all of them
_AT_ONCE = 16


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """One table that holds rows."""

    name: str
    reading: str
    """In the order of the table itself: an index may need functions of the application, or miss rows."""

    counting: str
    emptying: str
    filling: str

    probing: str
    """An expression: whether it holds any row."""

    width: int
    """The number of values in a row."""

    has_triggers: bool
    """Whether something else happens when its rows come and go."""

    is_part_of: str | None
    """The virtual table that keeps its data here."""

    is_readable: bool
    """Whether our connection can read it, which lacks what an application adds to its own, such as collations."""


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """All tables of a schema; two layouts are equal when they are one."""

    tables: tuple[Table, ...]
    has_sequence: bool


@dataclass(frozen=True, slots=True)
class Probe:
    """Finds which of some tables hold rows."""

    parts: tuple[tuple[str, tuple[Table, ...]], ...]

    @classmethod
    def of(cls, tables: Iterable[Table]) -> Probe:
        """Return the probe of these tables."""
        left = tuple(tables)
        parts = [left[start : start + _AT_ONCE] for start in range(0, len(left), _AT_ONCE)]
        return cls(tuple(("SELECT " + ", ".join(table.probing for table in part), part) for part in parts))

    def find(self, connection: sqlite3.Connection) -> Iterator[Table]:
        """Return those that hold rows."""
        for statement, tables in self.parts:
            row = connection.execute(statement).fetchone()
            if 1 in row:
                yield from (table for table, is_filled in zip(tables, row, strict=True) if is_filled)


def read_layout(connection: sqlite3.Connection, *, triggers_fire: bool) -> Layout:
    """Read the schema that a database has now; `triggers_fire` for statements of this connection."""
    virtual = [name for (name,) in connection.execute(_VIRTUAL)]
    columns: dict[str, list[tuple[str, int]]] = {}
    for table, column, hidden in connection.execute(_COLUMNS):
        columns.setdefault(table, []).append((column, hidden))
    found = connection.execute(_TABLES).fetchall()
    tables = tuple(
        _table(connection, name, columns.get(name, []), bool(triggers_fire and has_triggers), _owner(name, virtual))
        for name, has_triggers in found
    )
    return Layout(tables, connection.execute(_HAS_SEQUENCE).fetchone() is not None)


def quoted(name: str) -> str:
    """Return a name as it can stand in a statement."""
    return '"' + name.replace('"', '""') + '"'


def _table(
    connection: sqlite3.Connection, name: str, columns: list[tuple[str, int]], has_triggers: bool, owner: str | None
) -> Table:
    where = f"main.{quoted(name)}"
    rowid = _rowid(connection, where, {column.lower() for column, _ in columns})
    own = [quoted(column) for column, hidden in columns if hidden == 0]
    values = ", ".join([*rowid, *own])
    reading = f"SELECT {values} FROM {where} NOT INDEXED"
    return Table(
        name=name,
        reading=reading,
        counting=f"SELECT count(*) FROM {where} NOT INDEXED",
        emptying=f"DELETE FROM {where}",
        filling=f"INSERT INTO {where} ({values}) VALUES ({', '.join('?' * (len(rowid) + len(own)))})",
        probing=f"EXISTS (SELECT 1 FROM {where} NOT INDEXED)",
        width=len(rowid) + len(own),
        has_triggers=has_triggers,
        is_part_of=owner,
        is_readable=_compiles(connection, reading),
    )


def _rowid(connection: sqlite3.Connection, where: str, columns: Collection[str]) -> list[str]:
    """Return the name of the table's rowid; nothing when it has none, or its columns have taken all its names."""
    name = next((name for name in _ROWID_NAMES if name not in columns), None)
    return [name] if name is not None and _compiles(connection, f"SELECT {name} FROM {where} NOT INDEXED") else []


def _compiles(connection: sqlite3.Connection, statement: str) -> bool:
    try:
        connection.execute(f"{statement} LIMIT 0")
    except sqlite3.OperationalError as error:
        if is_locked(error):
            raise
        return False
    return True


def _owner(name: str, virtual: Iterable[str]) -> str | None:
    return next((each for each in virtual if name.lower().startswith(f"{each.lower()}_")), None)
