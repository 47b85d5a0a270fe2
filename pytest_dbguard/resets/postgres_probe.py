"""Asks a PostgreSQL database in what it differs from its clean state, in as few and as cheap questions as possible."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from pytest_dbguard.resets.postgres_catalogs import FINGERPRINT
from pytest_dbguard.resets.postgres_facts import Facts, Sequence
from pytest_dbguard.resets.postgres_session import PostgresSession
from pytest_dbguard.resets.postgres_state import CleanState, Copy, Position

# One statement for all tables would be planned anew, at 0.1 ms a table, whenever one of them is vacuumed.
_CHUNK = 64
_DDL = "(SELECT last_value || is_called::text FROM dbguard.ddl)"
_HAS_SEQUENCE_DATA = 180000
# The sum of the transactions that wrote the rows, counted from the first one there is. No cast leads from a
# transaction to a number but by way of text, which takes three times as long as its age.
_FIRST_XID = 3
_XMIN_BITS = 0xFFFFFFFF  # xmin holds no more of a transaction
_SIGNATURE = f"count(*) || '/' || coalesce(count(*) * age('{_FIRST_XID}'::xid) - sum(age(xmin)), 0)"
_LARGE_OBJECTS = f"SELECT {_SIGNATURE} FROM pg_largeobject_metadata"
_LARGE_OBJECT_PAGES = f"SELECT {_SIGNATURE} FROM pg_largeobject"
_MAY_READ_PAGES = "SELECT has_table_privilege('pg_catalog.pg_largeobject', 'SELECT')"

# Transaction numbers move with every write, also one that was rolled back; values of sequences do not move them.
_HEADER = """
SELECT pg_snapshot_xmin(s), pg_snapshot_xmax(s), {ddl},
    (SELECT string_agg(o::text, ',') FROM unnest('{{{unused}}}'::oid[]) o WHERE pg_sequence_last_value(o) IS NOT NULL),
    (SELECT string_agg(o::text, ',') FROM unnest('{{{used}}}'::oid[], '{{{values}}}'::int8[]) u (o, v)
        WHERE pg_sequence_last_value(o) IS DISTINCT FROM v),
    {busy}
FROM pg_current_snapshot() s
"""
# pg_stat_activity would join what nobody needs here.
_BUSY = """(SELECT string_agg(concat_ws(' ', a.pid, a.state = 'active' OR a.state = 'fastpath function call'), ',')
    FROM pg_stat_get_activity(NULL) a
    WHERE a.datid = {database}
    AND a.state <> 'idle' AND a.pid <> pg_backend_pid() AND a.backend_type = 'client backend')"""
_DATABASE = "(SELECT oid FROM pg_database WHERE datname = current_database())"
BUSY = _BUSY.format(database=_DATABASE)
"""An expression for the sessions of others that are in a transaction, for `parse_busy`."""

PREPARED = """(SELECT string_agg(quote_literal(p.gid), ',') FROM pg_prepared_xact() p
    WHERE p.dbid = (SELECT oid FROM pg_database WHERE datname = current_database()))"""


@dataclass(frozen=True, slots=True)
class Busy:
    """A session of somebody else that is in a transaction."""

    pid: int
    is_running: bool
    """Whether a statement is running just now."""


@dataclass(frozen=True, slots=True)
class Header:
    """What is asked after every test."""

    xmax: int
    is_quiet: bool
    """Whether no transaction with a number was open."""

    ddl: str
    sequences: frozenset[int]
    """Those that moved."""

    busy: tuple[Busy, ...]

    @classmethod
    def unread(cls) -> Header:
        """Return the header of a database that does not answer the questions."""
        return cls(0, False, "", frozenset(), ())


@dataclass(frozen=True, slots=True)
class Findings:
    """What is asked only when something was written."""

    tables: frozenset[int]
    """Those with rows that do not belong there, or without some that do."""

    sequences: frozenset[int]
    """Those that were set without being called."""

    large_objects: str
    ddl: str


class Probe:
    """The questions for one clean state; prepared again, as far as they change, when that changes."""

    def __init__(self, session: PostgresSession) -> None:
        self._session = session
        self._chunks = 0
        self._copies: Mapping[int, Copy] = {}
        self._facts: Facts | None = None
        pages = session.run(_MAY_READ_PAGES) == [("t",)]
        self._large_objects = _LARGE_OBJECT_PAGES if pages else _LARGE_OBJECTS

    def expect(self, state: CleanState) -> None:
        """Take `state` for what is clean."""
        self._facts, self._copies = facts, copies = state.top.facts, state.copies
        asked = [_question(oid, copies.get(oid), facts) for oid in facts.tables]
        self._chunks = max(1, -(-len(asked) // _CHUNK))
        for number in range(self._chunks):
            chunk = ",\n".join(asked[number * _CHUNK : (number + 1) * _CHUNK])
            rest = "" if number else f", {self._rest(facts, state.positions)}"
            self._session.prepare(f"tables_{number}", f"SELECT array_to_string(ARRAY[{chunk}]::text[], ','){rest}")
        ((database,),) = self._session.run(f"SELECT {_DATABASE}")
        self._session.prepare("header", _header(facts, state.positions, _BUSY.format(database=database)))

    def ddl(self) -> str:
        """Ask only for the number of changes to the schema; "" where they are not counted."""
        if self._facts is None or not self._facts.counts_ddl:
            return ""
        ((ddl,),) = self._session.run(f"SELECT {_DDL}")
        return ddl or ""

    def header(self) -> Header:
        """Ask what is always asked."""
        ((xmin, xmax, ddl, one, other, busy),) = self._session.call("header")
        return Header(
            xmax=int(xmax or 0),
            is_quiet=xmin == xmax,
            ddl=ddl or "",
            sequences=frozenset(_numbers(one)) | frozenset(_numbers(other)),
            busy=parse_busy(busy),
        )

    def findings(self) -> Findings:
        """Ask for what a write may have changed."""
        ((found, large_objects, sequences, ddl),) = self._session.call("tables_0")
        others = [self._session.call(f"tables_{number}")[0][0] for number in range(1, self._chunks)]
        tables = frozenset(oid for text in (found, *others) for oid in self._changed(text))
        return Findings(tables, frozenset(_numbers(sequences)), large_objects or "", ddl or "")

    def _changed(self, found: str | None) -> Iterator[int]:
        for item in filter(None, (found or "").split(",")):
            oid, _, signature = item.partition(":")
            copy = self._copies.get(int(oid))
            if not signature or copy is None or copy.signature != signature:
                yield int(oid)

    def _rest(self, facts: Facts, positions: Mapping[int, Position]) -> str:
        fingerprint = "''" if facts.counts_ddl else FINGERPRINT
        sequences = _uncalled(self._session.version, facts, positions)
        return f"({self._large_objects}), ({sequences}), {fingerprint}"


def _question(oid: int, copy: Copy | None, facts: Facts) -> str:
    table = facts.tables[oid]
    if table.is_blind:  # rows leave a mark at least where there were none
        return f"(SELECT '{oid}' WHERE pg_relation_size({oid}) > 0)"
    if (copy is not None and copy.rows) or table.is_view:
        return f"(SELECT '{oid}:' || {_SIGNATURE} FROM ONLY {table.name})"
    return f"(SELECT '{oid}' FROM ONLY {table.name} LIMIT 1)"


def _header(facts: Facts, positions: Mapping[int, Position], busy: str) -> str:
    used = {oid: position.value for oid, position in positions.items() if position.is_called}
    return _HEADER.format(
        ddl=_DDL if facts.counts_ddl else "''",
        unused=",".join(str(oid) for oid in positions if oid not in used),
        used=",".join(map(str, used)),
        values=",".join(map(str, used.values())),
        busy=busy,
    )


def _uncalled(version: int, facts: Facts, positions: Mapping[int, Position]) -> str:
    """Return a query for sequences that stand elsewhere without having been called: setval(…, false)."""
    uncalled = {oid: position.value for oid, position in positions.items() if not position.is_called}
    if not uncalled:
        return "NULL"
    if version >= _HAS_SEQUENCE_DATA:
        oids, values = ",".join(map(str, uncalled)), ",".join(map(str, uncalled.values()))
        return (
            f"SELECT string_agg(o::text, ',') FROM unnest('{{{oids}}}'::oid[], '{{{values}}}'::int8[]) u (o, v)"
            " WHERE (pg_get_sequence_data(o)).last_value <> v"
        )
    each = (_elsewhere(facts.sequences[oid], value) for oid, value in uncalled.items())
    return f"SELECT array_to_string(ARRAY[{','.join(each)}]::text[], ',')"


def _elsewhere(sequence: Sequence, value: int) -> str:
    return f"(SELECT '{sequence.oid}' FROM {sequence.name} WHERE last_value <> {value})"


def read_positions(
    session: PostgresSession, facts: Facts, sequences: Iterable[int] | None = None
) -> dict[int, Position]:
    """Return where sequences stand; None for all."""
    oids = facts.sequences if sequences is None else sequences
    each = [f"SELECT {oid}, last_value, is_called FROM {facts.sequences[oid].name}" for oid in oids]
    rows = session.run(" UNION ALL ".join(each)) if each else []
    return {int(oid or 0): Position(int(value or 0), called == "t") for oid, value, called in rows}


def signature_of(rows: int, xid: int) -> str:
    """Return the signature of a table all rows of which one transaction has written."""
    return f"{rows}/{rows * ((xid & _XMIN_BITS) - _FIRST_XID)}"


def read_signature(session: PostgresSession, table: str) -> tuple[int, str]:
    """Return the number of rows of a table and its signature."""
    ((rows, signature),) = session.run(f"SELECT count(*), {_SIGNATURE} FROM ONLY {table}")
    return int(rows or 0), signature or ""


def parse_busy(text: str | None) -> tuple[Busy, ...]:
    """Read what the query `BUSY` returns."""
    pairs = (item.split(" ") for item in (text or "").split(",") if item)
    return tuple(Busy(int(pid), is_running == "t") for pid, is_running in pairs)


def _numbers(text: str | None) -> Iterator[int]:
    return map(int, filter(None, (text or "").split(",")))
