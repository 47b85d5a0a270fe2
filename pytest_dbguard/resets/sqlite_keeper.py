"""The cleaner's own connection to an SQLite database: tells whether others have written, and undoes it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pytest_dbguard.databases.sqlite import SqliteDatabase
from pytest_dbguard.databases.sqlite_copy import copy_database, in_memory, is_locked
from pytest_dbguard.resets.sqlite_layout import read_layout
from pytest_dbguard.resets.sqlite_state import Change, State, read_state

_UNCHANGED = Change()
# values of rows go in as they were, whatever rules have been added to the table since
_SETTINGS = (
    "foreign_keys = OFF",
    "ignore_check_constraints = ON",
    "secure_delete = OFF",
    "cache_size = -16384",
    "mmap_size = 268435456",
)


class Keeper:
    """Compares a database with a state and makes it that state again. Waits for no lock, but raises.

    `PRAGMA data_version` moves with every commit of another connection, and with none of our own:
    https://www.sqlite.org/pragma.html#pragma_data_version
    """

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database
        self.connection = database.connect()
        for setting in _SETTINGS:
            self.connection.execute(f"PRAGMA {setting}").fetchall()
        if database.is_file:
            self.connection.execute("PRAGMA synchronous = OFF")
        self._triggers_fire = not _silence_triggers(self.connection)
        self._seen: int | None = None
        self._schema: int | None = None

    def read(self, owner: str, image: sqlite3.Connection | None = None) -> State:
        """Return the present state; `image` holds it already, else a copy is made."""
        with self._reading():
            if image is None:
                image = in_memory()
                copy_database(self.connection, image)
            layout = read_layout(self.connection, triggers_fire=self._triggers_fire)
            state = read_state(owner, self.connection, layout, image)
            self._note_seen()
        return state

    def read_above(self, owner: str, below: State) -> State | None:
        """Return the present state where that differs from the one below; None where it does not."""
        with self._reading():
            change = self._look(below)
            if change.is_none:
                self._note_seen()
                return None
            if not change.beyond_rows:
                state = read_state(owner, self.connection, below.layout, below.image, is_whole=False)
                if not state.unread:
                    self._note_seen()
                    return state
        return self.read(owner)

    def is_changed(self, state: State) -> bool:
        """Tell whether anything differs from a state."""
        with self._reading():
            return not self._look(state).is_none

    def clean(self, state: State, *, empties_all: bool = False) -> Change:
        """Undo what others have committed, and return what that was; nothing is undone where rows will not do."""
        execute = self.connection.execute
        execute("BEGIN IMMEDIATE")
        try:
            change = self._look(state)
            if (change is _UNCHANGED and not empties_all) or change.beyond_rows:
                execute("ROLLBACK")
                return change
            change = self._put_back(state, change, empties_all=empties_all)
            if change.beyond_rows:
                execute("ROLLBACK")
            else:
                seen = self._versions()
                execute("COMMIT")
                self._seen, self._schema = seen
        except BaseException:
            self._abandon()
            raise
        return change

    def restore(self, state: State) -> bool:
        """Make the database this state by copying all of it, and tell whether that changed the schema."""
        before: int = self._pragma("schema_version")
        try:
            copy_database(state.image, self.connection)
        except BaseException:
            self._abandon()
            raise
        is_altered = before != self._schema
        if not is_altered and not self._database.shares_cache:
            # the schema is what it was: other connections need not read it again
            self.connection.execute(f"PRAGMA schema_version = {before}")
        self.take_for(state)
        return is_altered

    def take_for(self, state: State) -> None:
        """Take the database for a copy of the state's image, and give it the rows that are not in that."""
        self._note_seen()
        if not state.is_whole:
            self._seen = None
            self.clean(state)

    def distrust(self, *, schema: bool) -> None:
        """Look at everything the next time, and take the schema for changed if it is said to be."""
        self._seen = None
        if schema:
            self._schema = None

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()

    def _look(self, state: State) -> Change:
        seen = self._pragma("data_version")
        if seen == self._seen:
            return _UNCHANGED
        if self._pragma("schema_version") != self._schema:
            return Change(beyond_rows="the schema was changed")
        try:
            return state.look(self.connection)
        except sqlite3.Error as error:
            if is_locked(error):
                raise
            return Change(beyond_rows=f"it cannot be compared: {error}")

    def _put_back(self, state: State, change: Change, *, empties_all: bool) -> Change:
        tables = state.layout.tables if empties_all else None
        reason = state.beyond_rows(tables) if tables is not None else ""
        if reason:
            return Change(change.tables, beyond_rows=reason)
        try:
            state.put_back(self.connection, change, tables)
        except sqlite3.Error as error:
            # an index may need a function or a collation that only the application's connections have
            if is_locked(error):
                raise
            return Change(change.tables, beyond_rows=f"rows cannot be put back: {error}")
        return change

    def _note_seen(self) -> None:
        self._seen, self._schema = self._versions()

    def _versions(self) -> tuple[int, int]:
        return self._pragma("data_version"), self._pragma("schema_version")

    def _pragma(self, name: str) -> int:
        (value,) = self.connection.execute(f"PRAGMA main.{name}").fetchone()
        return int(value)

    def _abandon(self) -> None:
        if self.connection.in_transaction:
            self.connection.execute("ROLLBACK")

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """See one state of the database throughout."""
        self.connection.execute("BEGIN")
        try:
            yield
        finally:
            self._abandon()


def _silence_triggers(connection: Any) -> bool:
    """Keep triggers from firing at our statements; False where Python cannot, before 3.12."""
    switch = getattr(sqlite3, "SQLITE_DBCONFIG_ENABLE_TRIGGER", None)
    if switch is None:
        return False
    connection.setconfig(switch, False)
    return True
