"""What can be found out and put back in a PostgreSQL database over one connection of ours."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from pytest_dbguard.resets.base import Leak, Ledger
from pytest_dbguard.resets.postgres_batch import Batch, why_not
from pytest_dbguard.resets.postgres_facts import Facts
from pytest_dbguard.resets.postgres_intruders import Intruders
from pytest_dbguard.resets.postgres_order import children_first, closure, referring
from pytest_dbguard.resets.postgres_probe import Header, Probe, signature_of
from pytest_dbguard.resets.postgres_session import PostgresSession, StatementFailed
from pytest_dbguard.resets.postgres_state import CleanState
from pytest_dbguard.resets.postgres_upkeep import Upkeep

_Result = TypeVar("_Result")
_TRIES = 3


@dataclass(frozen=True, slots=True)
class Change:
    """In what a database differs from its clean state."""

    header: Header
    tables: frozenset[int] = frozenset()
    sequences: frozenset[int] = frozenset()
    beyond_rows: str = ""
    """What changed that no statement of ours puts back, in words; "" for nothing."""

    large_objects: str = ""
    ddl: str = ""

    @property
    def is_none(self) -> bool:
        """Whether it is clean."""
        return not (self.tables or self.sequences or self.beyond_rows)


class Connected:
    """One session, and what was prepared on it for the clean state."""

    def __init__(self, session: PostgresSession, state: CleanState, ledger: Ledger, intruders: Intruders) -> None:
        self.session = session
        self._state = state
        self._ledger = ledger
        self._intruders = intruders
        self._probe = Probe(session)
        self._seen_xmax: int | None = None
        self._has_second_phase = session.run("SHOW max_prepared_transactions") != [("0",)]
        self.expect()

    def expect(self) -> None:
        """Take the state's uppermost layer for what is clean from now on."""
        self.facts: Facts = self._state.top.facts
        self._copies = self._state.copies
        self._positions = self._state.positions
        self._unsaved = {oid for oid, _ in self._state.unsaved}
        self._probe.expect(self._state)
        self._batch = Batch(self.session, self.facts)
        self._upkeep = Upkeep(self.session, self.facts)
        self._seen_xmax = None

    def alone(self, leaks: list[Leak]) -> Header:
        """End the transactions of others, as far as no fixture of a wider scope holds them, and return what is then."""
        if self._has_second_phase:
            leaks += self._intruders.end_prepared()
        header = self._probe.header()
        for _ in range(_TRIES):
            busy = self._intruders.not_kept(header.busy)
            if not busy:
                break
            leaks += self._intruders.end(busy)
            header = self._probe.header()
        return header

    def take_for_clean(self) -> None:
        """Note the present schema and large objects as those of the uppermost layer."""
        findings = self._probe.findings()
        self._state.top.ddl = self._probe.header().ddl if self.facts.counts_ddl else findings.ddl
        self._state.top.large_objects = findings.large_objects

    def fill(self, tables: Iterable[int]) -> str:
        """Put back tables that are not as they should be in a fresh copy, and all sequences; return "" or why not."""
        header, findings = self._probe.header(), self._probe.findings()
        change = Change(header, frozenset(tables), header.sequences | findings.sequences)
        if not change.is_none:
            emptied = self._with_referring(change)
            self._run(change, self._emptying(emptied), emptied)
        if self.session.is_replica:
            return ""
        left = self.look()  # what triggers wrote while the tables that they belong to were filled
        return "" if left.is_none else left.beyond_rows or self.put_back(left)

    def look(self, leaks: list[Leak] | None = None) -> Change:
        """Return in what the database differs from its clean state; before that, with `leaks`, end and add them."""
        try:
            return self._looked(self._probe.header() if leaks is None else self.alone(leaks))
        except StatementFailed as error:
            if error.is_lock_trouble or not error.is_connected or self._probe.ddl() == self._state.top.ddl:
                raise
        # a table or sequence that we ask about is gone
        return Change(Header.unread(), beyond_rows="the schema was changed")

    def put_back(self, change: Change) -> str:
        """Put changed tables and sequences back; return "" or why that is not possible."""
        tables = self._with_referring(change)
        reason = why_not((self.facts.tables[oid] for oid in sorted(tables)), self._copies, self._unsaved)
        if reason:
            return reason
        if any(self.facts.sequences[oid].is_cached for oid in change.sequences):
            self._ledger.let_go()  # sessions go on with the values that they took in advance
        self._run(change, self._emptying(tables), tables)
        return "" if self.session.is_replica or self.look().is_none else "what deletes cause could not be undone"

    def put_back_all(self, change: Change) -> str:
        """Empty every table and put back what belongs into it; return "" or why that is not possible."""
        tables = {oid for oid, table in self.facts.tables.items() if not table.is_view}
        reason = why_not((self.facts.tables[oid] for oid in sorted(tables)), self._copies, self._unsaved)
        if reason:
            return reason
        self._run(change, self._batch.truncating(), tables)
        return ""

    def past_locks(self, step: Callable[[], _Result], leaks: list[Leak]) -> _Result:
        """Take a step; when somebody's lock is in its way, end that and take it once more.

        Raises:
            DatabaseError: When it is a fixture of a wider scope that holds the lock.
            StatementFailed: When the step fails.
        """
        try:
            return step()
        except StatementFailed as error:
            if not (error.is_lock_trouble and error.is_connected):
                raise
        relations = (*self.facts.tables, *self.facts.sequences)
        leaks += self._intruders.end(self._intruders.busy())
        leaks += self._intruders.end_holders(relations)
        try:
            return step()
        except StatementFailed as error:
            if error.is_lock_trouble and error.is_connected:
                self._intruders.refuse_kept(relations)
            raise

    def _looked(self, header: Header) -> Change:
        if header.ddl != self._state.top.ddl and self.facts.counts_ddl:
            return Change(header, beyond_rows="the schema was changed", ddl=header.ddl)
        change = Change(header, sequences=header.sequences, ddl=header.ddl)
        if header.xmax != self._seen_xmax:
            change = self._looked_closely(header)
        if change.is_none:
            self._note_seen(header.xmax if header.is_quiet else None)
        return change

    def _looked_closely(self, header: Header) -> Change:
        findings = self._probe.findings()
        top = self._state.top
        ddl = header.ddl if self.facts.counts_ddl else findings.ddl
        beyond = ""
        if ddl != top.ddl:
            beyond = "the schema was changed"
        elif findings.large_objects != top.large_objects:
            beyond = "large objects were changed"
        return Change(
            header,
            tables=findings.tables,
            sequences=header.sequences | findings.sequences,
            beyond_rows=beyond,
            large_objects=findings.large_objects,
            ddl=ddl,
        )

    def _with_referring(self, change: Change) -> set[int]:
        """Return what changed, and the tables that have to be emptied with it where foreign keys act on our deletes."""
        if self.session.is_replica:
            return set(change.tables)
        return closure(change.tables, self.facts.keys, self._copies)

    def _emptying(self, tables: set[int]) -> list[str]:
        if self.session.is_replica:
            return self._batch.emptying(sorted(tables))
        order = children_first(tables, self.facts.keys)
        if order is not None:
            return self._batch.emptying(order)
        tables |= referring(tables, self.facts.keys) & self.facts.tables.keys()
        return [f"TRUNCATE {', '.join(self.facts.tables[oid].name for oid in sorted(tables))}"]

    def _run(self, change: Change, emptying: list[str], tables: Iterable[int]) -> None:
        tables = tuple(tables)
        copies = {oid: self._copies[oid] for oid in self._filling_order(tables)}
        positions = {oid: self._positions[oid] for oid in change.sequences}
        statements = [
            *emptying,
            *self._batch.filling(copies),
            *self._batch.setting(positions),
            self._batch.reading(tables),
        ]
        ((number, sizes),) = self.session.run(";".join(statements))
        xid = int(number or 0)
        for copy in copies.values():
            copy.signature = signature_of(copy.rows, xid)
        # Nobody has written in between when the first number that was free then is ours.
        self._note_seen(xid + 1 if change.header.is_quiet and change.header.xmax == xid else None)
        self._upkeep.note(dict(_sizes(sizes)))

    def _filling_order(self, tables: tuple[int, ...]) -> list[int]:
        filled = [oid for oid in tables if oid in self._copies]
        order = None if self.session.is_replica else children_first(filled, self.facts.keys)
        return filled if order is None else order[::-1]

    def _note_seen(self, xmax: int | None) -> None:
        self._seen_xmax = xmax


def _sizes(text: str | None) -> Iterable[tuple[int, int]]:
    for item in filter(None, (text or "").split(",")):
        oid, _, size = item.partition(" ")
        yield int(oid), int(size or 0)
