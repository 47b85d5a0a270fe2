"""Puts a PostgreSQL database into its clean state, at the cost of what a test changed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import count
from typing import TypeVar

from pytest_dbguard.core.errors import DatabaseError
from pytest_dbguard.databases.base import Database
from pytest_dbguard.resets.base import Did, Leak, Ledger, Outcome
from pytest_dbguard.resets.postgres_connected import Change, Connected
from pytest_dbguard.resets.postgres_intruders import Intruders
from pytest_dbguard.resets.postgres_keeping import drop_copies, read_out, write_in
from pytest_dbguard.resets.postgres_layers import base_layer, new_layer
from pytest_dbguard.resets.postgres_session import PostgresSession, StatementFailed
from pytest_dbguard.resets.postgres_state import CleanState, Layer
from pytest_dbguard.resets.postgres_subtraction import Subtraction
from pytest_dbguard.resets.postgres_switch import Switch
from pytest_dbguard.templates.base import PostgresCopies

_Result = TypeVar("_Result")


class PostgresCleaner:
    """Knows in what one PostgreSQL database differs from its clean state, and puts it back.

    What was written is found in the database itself, so it does not matter who wrote it and how. Tables are emptied
    and filled again from copies in the schema dbguard, sequences set back. Where statements cannot do that, after a
    change of the schema as a rule, a fresh copy of the template takes the place of the database.

    Known limits: what belongs to the whole server is left alone (roles, settings by ALTER DATABASE and ALTER ROLE,
    tablespaces, replication slots), so is what CLUSTER notes at an index. Rows of tables that extensions brought along
    stay. Rows that are put back may come in another order to a query that does not ask for one. For a role that is no
    superuser the catalogs are compared instead of changes counted, and tables whose rows it may not see cost a fresh
    copy as soon as they hold any.
    """

    def __init__(
        self,
        database: Database,
        copies: PostgresCopies,
        ledger: Ledger,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Take the present state of `database`, a fresh copy of a prepared template, for clean."""
        self._database = database
        self._ledger = ledger
        self._clock = clock
        self._sleep = sleep
        self._switch = Switch(database, copies, ledger)
        self._numbers = count(1)
        self._must_swap = ""
        self._is_out_of_order = False
        session = self._session()
        self._state = CleanState(base_layer(session))
        self._connected = self._connect(session)
        self._connected.take_for_clean()

    def clean(self) -> Outcome:
        """Put the database into its clean state, at the cost of what was changed. Never waits for a lock for long.

        Raises:
            DatabaseError: When a fixture of a wider scope stands in the way, or the server is gone.
        """
        return self._clean(Connected.put_back)

    def truncate(self) -> Outcome:
        """Put the database into its clean state by emptying every table."""
        return self._clean(Connected.put_back_all, always=True)

    def swap(self, reason: str) -> Outcome:
        """Put a fresh copy in the place of the database."""
        leaks = list(self._ledger.end_leaks())
        with suppress(StatementFailed):  # a fresh copy helps against that too
            self._again(lambda: self._connected.past_locks(lambda: self._connected.alone(leaks), leaks))
        return self._swap(reason, leaks)

    def make_ready(self) -> None:
        """Begin to make a fresh copy ahead, for the next time that one is needed."""
        self._switch.make_ready(self._state.whole.snapshot)

    def set_aside(self, name: str) -> str:
        """Keep the database as it is under another name, put a fresh copy in its place, return the URL of what is kept.

        The URL has its password hidden. A name that no database can have, such as that of a test, becomes part of
        one that can.
        """
        return self._replace(lambda snapshot: self._switch.set_aside(name, snapshot))

    def is_dirty(self) -> bool:
        """Tell whether anything differs from the clean state, changing nothing."""
        if self._must_swap:
            return True
        try:
            return not self._again(self._connected.look).is_none
        except StatementFailed:
            return True

    def keep(self, owner: str) -> bool:
        """Make the present state the clean one until `forget(owner)`; False when nothing differs from it now.

        Raises:
            DatabaseError: When the state cannot be read.
        """
        try:
            change = self._again(self._connected.look)
            if self._must_swap:  # the rows that the fixture wrote must not go with the rest
                change, self._must_swap = replace(change, beyond_rows=self._must_swap), ""
            if not change.is_none:
                self._push(owner, change)
        except StatementFailed as error:
            raise DatabaseError(f"what {owner} wrote cannot be kept: the server says {error}") from error
        return not change.is_none

    def forget(self, owner: str) -> None:
        """Let what `keep(owner)` kept be dirt again; a later `clean` removes it.

        Where an owner that began later is still there, and what it wrote depends on these rows, they stay for as long
        as it does.
        """
        number = self._state.find(owner)
        if number is None:
            return
        is_top = number == len(self._state.layers) - 1
        layer = self._state.pop() if is_top else self._taken_from_below(number)
        if layer.snapshot is not None:
            self._switch.discard(layer.snapshot)
        self._is_out_of_order = self._is_out_of_order or not is_top
        if self._is_out_of_order and len(self._state.layers) == 1:
            # what one of several left in the other's rows is found by comparing them: a fresh copy is certain
            self._is_out_of_order, self._must_swap = False, "fixtures ended in another order than they began"
            return
        if is_top and layer.is_whole:
            self._must_swap = f"{owner} had changed the schema"
            return
        try:
            self._again(lambda: drop_copies(self._connected.session, layer.copies.values()))
            self._connected.expect()
        except StatementFailed:
            self._must_swap = f"what {owner} wrote could not be taken away"

    def _taken_from_below(self, number: int) -> Layer:
        """Take a layer out from below others; where that cannot be, make it part of the one above.

        That is where it changed more than rows, or where the rows of later layers depend on what it wrote.
        """
        if self._state.is_mixed(number):
            return self._state.merge_up(number)
        try:
            can_go = self._again(lambda: self._take_out(number))
        except StatementFailed:
            can_go = False
        return self._state.remove(number) if can_go else self._state.merge_up(number)

    def _take_out(self, number: int) -> bool:
        subtraction = Subtraction(self._connected.session, self._state, number)
        try:
            can_go = subtraction.try_out()
            if can_go:
                subtraction.carry_out()
        finally:
            with suppress(StatementFailed):
                subtraction.close()
        return can_go

    def close(self) -> None:
        """Close the cleaner's own connections and delete what was made ahead; the database stays as it is."""
        self._connected.session.close()
        for layer in self._state.layers[1:]:
            if layer.snapshot is not None:
                self._switch.discard(layer.snapshot)
        self._switch.close()

    def _clean(self, put_back: Callable[[Connected, Change], str], *, always: bool = False) -> Outcome:
        leaks = list(self._ledger.end_leaks())
        if self._must_swap:
            return self._swap(self._must_swap, leaks)
        try:
            return self._again(lambda: self._cleaned(put_back, leaks, always=always))
        except StatementFailed as error:
            return self._swap(f"it could not be cleaned: the server says {error}", leaks)

    def _cleaned(self, put_back: Callable[[Connected, Change], str], leaks: list[Leak], *, always: bool) -> Outcome:
        connected = self._connected
        change = connected.past_locks(lambda: connected.look(leaks), leaks)
        if change.is_none and not always:
            return Outcome(leaks=_distinct(leaks))
        dirty = tuple(sorted(connected.facts.tables[oid].shown for oid in change.tables))
        reason = change.beyond_rows or connected.past_locks(lambda: put_back(connected, change), leaks)
        if reason:
            return self._swap(reason, leaks, dirty)
        return Outcome(Did.EMPTIED, dirty, leaks=_distinct(leaks))

    def _swap(self, reason: str, leaks: Sequence[Leak], dirty: tuple[str, ...] = ()) -> Outcome:
        holders = {self._ledger.leak_of(pid, "").owner for pid in self._ledger.kept_backends()}
        try:
            self._replace(self._switch.swap)
        except _RowsLostError:
            raise
        except (DatabaseError, StatementFailed) as error:
            why = error.message if isinstance(error, DatabaseError) else f"the server says {error}"
            raise DatabaseError(
                f"no fresh copy can take the place of the database ({reason}): {why}",
                hint=getattr(error, "hint", None) or "was the server stopped, or its template deleted, by a test?",
            ) from error
        warnings = tuple(
            f"{holder or 'a fixture'} held a connection, which ended when the database was replaced"
            for holder in sorted(holders, key=str)
        )
        return Outcome(Did.SWAPPED, dirty, reason, _distinct(leaks), warnings)

    def _replace(self, put_in_place: Callable[[str | None], _Result]) -> _Result:
        """Have a fresh database put in place, and give it what fixtures of wider scopes have added."""
        import psycopg

        whole, unsaved = self._state.whole, self._state.unsaved
        if whole.is_whole and whole.snapshot is None:
            raise DatabaseError(
                f"no fresh copy of the database can be made: {whole.owner} changed its schema with a connection open",
                hint="close the connection in the fixture before it yields",
            )
        try:
            rows = read_out(self._database.url, (copy for _, copy in unsaved))
        except psycopg.Error as error:
            lost = self._state.give_up_unsaved()
            self._replace(put_in_place)
            raise _RowsLostError(
                f"what {' and '.join(lost)} wrote is lost: its copies in the schema dbguard cannot be read",
                hint="a test that drops the database or all its schemas cannot be among those of such fixtures",
            ) from error
        self._connected.session.close()
        result = put_in_place(whole.snapshot)
        self._must_swap = ""
        self._state.refreshed()
        write_in(self._database.url, self._state.top.facts, unsaved, rows)
        self._connected = self._connect(self._session())
        if len(self._state.layers) > 1:
            self._fill({oid for oid, _ in unsaved})
        return result

    def _fill(self, tables: set[int]) -> None:
        try:
            reason = self._connected.fill(tables)
        except StatementFailed as error:
            reason = f"the server says {error}"
        if reason:
            owners = " and ".join(layer.owner for layer in self._state.layers[1:])
            raise DatabaseError(
                f"what {owners} wrote cannot be put into a fresh copy of the database: {reason}",
                hint="a superuser's tests have neither triggers nor foreign keys in their way",
            )

    def _push(self, owner: str, change: Change) -> None:
        """Add a layer for what an owner changed."""
        layer = new_layer(self._connected.session, self._state, owner, change, next(self._numbers))
        self._state.push(layer)
        self._connected.expect()
        if not layer.is_whole:
            return
        self._connected.take_for_clean()
        if not self._ledger.kept_backends():  # copying a database wants nobody connected to it
            self._connected.session.close()
            layer.snapshot = self._switch.snapshot()
            self._connected = self._connect(self._session())

    def _again(self, step: Callable[[], _Result]) -> _Result:
        """Take a step, once more on a new connection if a test has ended ours."""
        try:
            return step()
        except StatementFailed as error:
            if error.is_connected:
                raise
        # whoever ended ours has hardly spared those of the application
        self._ledger.let_go()
        self._connected = self._connect(self._session())
        return step()

    def _connect(self, session: PostgresSession) -> Connected:
        intruders = Intruders(session, self._ledger, self._clock, self._sleep)
        return Connected(session, self._state, self._ledger, intruders)

    def _session(self) -> PostgresSession:
        import psycopg

        try:
            return PostgresSession(self._database.url)
        except psycopg.OperationalError as error:
            raise StatementFailed(error.sqlstate, is_connected=False) from error


class _RowsLostError(DatabaseError):
    """A fresh database is there, without rows that a fixture of a wider scope wrote."""


def _distinct(leaks: Sequence[Leak]) -> tuple[Leak, ...]:
    """Return the leaks without those that the ledger told before, and tells again as their backends are ended."""
    return tuple({id(leak): leak for leak in leaks}.values())
