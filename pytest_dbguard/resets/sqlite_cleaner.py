"""Puts an SQLite database into its clean state, at the cost of what a test changed."""

from __future__ import annotations

import re
import secrets
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from pytest_dbguard.core.errors import DatabaseError
from pytest_dbguard.databases.snapshots import KEPT_FILES
from pytest_dbguard.databases.sqlite import SqliteDatabase
from pytest_dbguard.databases.sqlite_copy import copy_database, is_locked
from pytest_dbguard.resets.base import Did, Leak, Ledger, Outcome
from pytest_dbguard.resets.sqlite_intruders import Intruders
from pytest_dbguard.resets.sqlite_keeper import Keeper
from pytest_dbguard.resets.sqlite_state import Change, State
from pytest_dbguard.resets.sqlite_subtraction import without
from pytest_dbguard.templates.sqlite_templates import SqliteTemplate

_PATIENCE_S = 2.0
_POLL_S = 0.01
_NOTHING = Outcome()
_Result = TypeVar("_Result")


class SqliteCleaner:
    """Knows in what one SQLite database differs from its clean state, and puts it back.

    Whether anything was written at all is one number that SQLite keeps. Then the tables are looked at: those that
    were empty are empty again, those that were not get their rows back, ids and rowids as they were. Where rows will
    not do (another schema, virtual tables, triggers before Python 3.12, much seed data) the whole database is copied.

    Known limits: databases that a test attaches are not cleaned. Of a connection with `locking_mode = EXCLUSIVE` or
    in another thread that no pool knows, a database in memory cannot be freed: that is an error. Text that is no
    text (invalid UTF-8) makes a table count as changed.
    """

    def __init__(
        self,
        database: SqliteDatabase,
        template: SqliteTemplate,
        ledger: Ledger,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Take the present state of `database`, a fresh copy of `template`, for clean."""
        self._database = database
        self._project = template.project
        self._ledger = ledger
        self._clock = clock
        self._sleep = sleep
        self._intruders = Intruders(database, ledger)
        self._keeper = Keeper(database)
        self._states = [self._keeper.read("", template.image)]

    def clean(self) -> Outcome:
        """Put the database into its clean state, at the cost of what was changed. Never waits for a lock for long.

        Raises:
            DatabaseError: When a lock stands in the way that cannot be ended.
        """
        return self._clean(lambda: self._keeper.clean(self._state))

    def truncate(self) -> Outcome:
        """Put the database into its clean state by emptying every table."""
        return self._clean(lambda: self._keeper.clean(self._state, empties_all=True), always=True)

    def swap(self, reason: str) -> Outcome:
        """Put a fresh copy in the place of the database."""
        leaks = list(self._ledger.end_leaks())
        return self._restored(reason, leaks, ())

    def set_aside(self, name: str) -> str:
        """Keep the database as it is in a file, put a fresh copy in its place, return the URL of the file.

        It is below the project, or below the current directory where there is none.
        """
        directory = (self._project or Path.cwd()) / KEPT_FILES
        slug = re.sub(r"[^A-Za-z0-9]+", "-", name.rpartition("::")[2] or name).strip("-")[:60]
        path = directory / f"{slug or 'database'}-{secrets.token_hex(4)}.db"
        try:
            directory.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(path, isolation_level=None)) as file:
                self._past_locks(lambda: copy_database(self._keeper.connection, file), [])
                file.execute("PRAGMA journal_mode = DELETE").fetchall()
        except _StillLockedError as error:
            raise self._locked() from error
        except (OSError, sqlite3.Error) as error:
            raise DatabaseError(f"the database cannot be kept at '{path}': {error}") from error
        self._restored("it was kept", [], ())
        return f"sqlite:///{path}"

    def is_dirty(self) -> bool:
        """Tell whether anything differs from the clean state, changing nothing; a lock in the way counts as that."""
        try:
            return self._keeper.is_changed(self._state)
        except sqlite3.OperationalError as error:
            if is_locked(error):
                return True
            raise

    def keep(self, owner: str) -> bool:
        """Make the present state the clean one until `forget(owner)`; False when nothing differs from it now.

        Raises:
            DatabaseError: When the state cannot be read.
        """
        try:
            above = self._keeper.read_above(owner, self._state)
        except sqlite3.Error as error:
            raise DatabaseError(
                f"what {owner} wrote cannot be kept: {error}",
                hint="commit or roll back in the fixture before it yields",
            ) from error
        if above is not None:
            self._states.append(above)
        return above is not None

    def forget(self, owner: str) -> None:
        """Let what `keep(owner)` kept be dirt again; a later `clean` removes it."""
        gone = next((state for state in self._states[1:] if state.owner == owner), None)
        if gone is None:
            return
        position = self._states.index(gone)
        before, below = self._states[position:], self._states[position - 1]
        self._states[position:] = [without(state, gone, below) for state in before[1:]]
        if before[-1] is not self._state:
            self._keeper.distrust(schema=before[-1].layout is not self._state.layout)
        used = {id(state.image) for state in self._states}
        for image in {id(state.image): state.image for state in before if id(state.image) not in used}.values():
            image.close()

    def close(self) -> None:
        """Close the cleaner's own connections; the database stays as it is."""
        self._keeper.close()
        template = self._states[0].image
        for state in self._states:
            if state.image is not template:
                state.image.close()

    @property
    def _state(self) -> State:
        return self._states[-1]

    def _clean(self, clean: Callable[[], Change], *, always: bool = False) -> Outcome:
        leaks = list(self._ledger.end_leaks())
        try:
            change = self._past_locks(clean, leaks)
        except _StillLockedError:
            return self._replaced("another connection holds a lock on it", leaks)
        dirty = tuple(sorted(table.name for table in change.tables))
        if change.beyond_rows:
            return self._restored(change.beyond_rows, leaks, dirty)
        if change.is_none and not always:
            return Outcome(leaks=tuple(leaks)) if leaks else _NOTHING
        return Outcome(Did.EMPTIED, dirty, leaks=tuple(leaks))

    def _restored(self, reason: str, leaks: list[Leak], dirty: tuple[str, ...]) -> Outcome:
        try:
            is_altered = self._past_locks(lambda: self._keeper.restore(self._state), leaks)
        except _StillLockedError:
            return self._replaced(reason, leaks, dirty)
        if is_altered:
            # SQLite compiles against the schema that a connection has read, and looks whether that still holds only
            # for some of the errors that come of it
            self._ledger.let_go()
        return Outcome(Did.SWAPPED, dirty, reason, tuple(leaks))

    def _replaced(self, reason: str, leaks: list[Leak], dirty: tuple[str, ...] = ()) -> Outcome:
        """Put a new file in place of the one that is locked; in memory there is no such way out."""
        if not self._database.is_file or self._intruders.holder() is not None:
            raise self._locked()
        self._keeper.close()
        self._database.replace(self._state.image)
        self._ledger.let_go()
        self._keeper = Keeper(self._database)
        self._keeper.take_for(self._state)
        return Outcome(
            Did.SWAPPED,
            dirty,
            reason,
            tuple(leaks),
            ("a connection that no pool knows, or another process, had the database locked: it got a new file",),
        )

    def _locked(self) -> DatabaseError:
        holder = self._intruders.holder() or "a connection that no pool knows"
        where = self._database.url.render_as_string(hide_password=True)
        return DatabaseError(
            f"{holder} holds a lock on '{where}', which cannot be cleaned",
            hint="commit, roll back or close it before the fixture yields or the test ends",
        )

    def _past_locks(self, work: Callable[[], _Result], leaks: list[Leak]) -> _Result:
        """Do something that waits for no lock; where there is one, end what the test left, and try for a while."""
        try:
            return work()
        except sqlite3.OperationalError as error:
            if not is_locked(error):
                raise
        start = self._clock()
        leaks += self._intruders.end(closes=False)
        is_closed = False
        while True:
            try:
                return work()
            except sqlite3.OperationalError as error:
                if not is_locked(error):
                    raise
                waited_s = self._clock() - start
                if waited_s >= _PATIENCE_S:
                    raise _StillLockedError from error
            if waited_s >= _PATIENCE_S / 4 and not is_closed:
                is_closed = True
                self._ledger.let_go()
                leaks += self._intruders.end(closes=True)
            self._sleep(_POLL_S)


class _StillLockedError(Exception):
    """A lock has been in the way for as long as anybody waits."""
