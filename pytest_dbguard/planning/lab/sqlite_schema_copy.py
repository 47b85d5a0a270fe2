"""An empty copy in memory of a SQLite schema, in which functions and collations that only the program has are stubs."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pytest_dbguard.schema.catalog import Catalog, RelationKind, Table

Row = tuple[Any, ...]
REFUSED = (sqlite3.Error, sqlite3.Warning, UnicodeEncodeError)
"""What comes of a statement that SQLite, or its driver, does not take."""

_FUNCTION = re.compile(r"no such function: (.+)|wrong number of arguments to function (.+)\(\)")
_WINDOW = re.compile(r"(\w+)\(\) may not be used as a window function")
_COLLATION = re.compile(r"no such collation sequence: (.+)")
_BINDINGS = re.compile(r"current statement uses (\d+)")
_NAMED = re.compile(r"(no such table): ([\w.]+)$")
_KNOWN = re.compile(
    r"no such (?:column|index|module|view|function)|ambiguous column name|syntax error|incomplete input"
    r"|unrecognized token|misuse of (?:aggregate|window function)|no query solution"
    r"|too many (?:columns|terms|arguments|SQL variables)|has no column named|values for \d+ columns"
    r"|circular reference|ON CONFLICT clause does not match"
)


class SchemaCopy:
    """The copy. What the catalog's tables lack in it is told in `problems`, and named in `left_out`."""

    def __init__(self, catalog: Catalog) -> None:
        self._connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self._stubs: set[tuple[str, str]] = set()
        self._depth = 0
        self.problems: tuple[str, ...] = ()
        self.left_out: frozenset[str] = frozenset()
        with self.savepoint(keeps=True):
            self._make(catalog)

    def _make(self, catalog: Catalog) -> None:
        problems, left_out = [], set()
        for table in sorted(catalog.tables, key=lambda table: table.kind is RelationKind.VIEW):
            if problem := self._make_table(table):
                problems.append(f"`{table.name}` is left out: {problem}")
                left_out.add(table.name)
            else:
                problems += self._make_indexes(table)
        self.problems, self.left_out = tuple(problems), frozenset(left_out)

    def _make_table(self, table: Table) -> str:
        if table.kind is RelationKind.VIRTUAL:
            return "virtual tables are planned by their module"
        if not table.ddl:
            return "its statement is not known"
        try:
            self.rows(table.ddl)
        except REFUSED as error:
            return reason(error)
        return ""

    def _make_indexes(self, table: Table) -> Iterator[str]:
        for index in table.indexes:
            if index.ddl:
                try:
                    self.rows(index.ddl)
                except REFUSED as error:
                    yield f"index `{index.name}` is left out: {reason(error)}"

    def rows(self, sql: str) -> list[Row]:
        """Run one statement and return its rows; what the program would have registered is stubbed on the way.

        Raises:
            One of REFUSED: When SQLite does not take it; `reason` tells why without literals.
        """
        values = [None] * sql.count("?")
        while True:
            try:
                return self._connection.execute(sql, values).fetchall()
            except sqlite3.ProgrammingError as error:
                match = _BINDINGS.search(str(error))
                if match is None or len(values) == int(match[1]):
                    raise
                values = [None] * int(match[1])
            except sqlite3.OperationalError as error:
                if not self._stub(str(error)):
                    raise

    def many(self, sql: str, rows: Iterator[Row] | list[Row]) -> None:
        """Run one statement for each row of values."""
        self._connection.executemany(sql, rows)

    def _stub(self, message: str) -> bool:
        """Register what a message says is missing; return whether there was anything new to register."""
        for kind, pattern in (("function", _FUNCTION), ("window", _WINDOW), ("collation", _COLLATION)):
            match = pattern.search(message)
            name = next((group for group in match.groups() if group), "") if match else ""
            if name and (kind, name) not in self._stubs:
                self._stubs.add((kind, name))
                self._register(kind, name)
                return True
        return False

    def _register(self, kind: str, name: str) -> None:
        if kind == "function":
            self._connection.create_function(name, -1, _nothing, deterministic=True)
        elif kind == "window":
            self._connection.create_window_function(name, -1, _Aggregate)
        else:
            self._connection.create_collation(name, _compare)

    @contextmanager
    def savepoint(self, *, keeps: bool = False) -> Iterator[None]:
        """Undo in the end whatever the block did to the schema, or keep it; blocks may stand in each other."""
        self._depth += 1
        name = f"dbguard_{self._depth}"
        self._connection.execute(f"SAVEPOINT {name}")
        try:
            yield
        finally:
            if not keeps:
                self._connection.execute(f"ROLLBACK TO {name}")
            self._connection.execute(f"RELEASE {name}")
            self._depth -= 1

    def close(self) -> None:
        """Forget it."""
        self._connection.close()


class _Aggregate:
    """What stands in for an aggregate of the program."""

    def step(self, *values: object) -> None:
        """Take a row."""

    def inverse(self, *values: object) -> None:
        """Give a row back."""

    def value(self) -> None:
        """Return nothing."""

    def finalize(self) -> None:
        """Return nothing."""


def _nothing(*values: object) -> None:
    return None


def _compare(left: str, right: str) -> int:
    return (left > right) - (left < right)


def reason(error: Exception) -> str:
    """Return why SQLite refused a statement, without the words of the statement: these may hold values."""
    text = str(error)
    if match := _NAMED.search(text):
        return f"{match[1]} `{match[2]}`"
    known = _KNOWN.search(text)
    return known[0] if known is not None else "SQLite refuses it"
