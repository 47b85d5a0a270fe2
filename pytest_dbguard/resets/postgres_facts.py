"""What the cleaner must know of a PostgreSQL database before it cleans it: tables, sequences, what acts on deletes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pytest_dbguard.resets.postgres_prepare import TABLES
from pytest_dbguard.resets.postgres_session import PostgresSession

_DELETES, _INSERTS = 8, 4  # bits of pg_trigger.tgtype

# {enabled}: states of triggers and rules that act in our session
_READ_TABLES = (
    """
SELECT c.oid, format('%I.%I', n.nspname, c.relname),
    CASE n.nspname WHEN 'public' THEN c.relname ELSE n.nspname || '.' || c.relname END,
    row_security_active(c.oid) OR NOT (has_table_privilege(c.oid, 'SELECT')
        AND has_table_privilege(c.oid, 'INSERT') AND has_table_privilege(c.oid, 'DELETE')),
    c.relkind = 'm',
    coalesce((SELECT bit_or(t.tgtype) FROM pg_trigger t
        WHERE t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgenabled = ANY ({enabled}::"char"[])), 0)
    | coalesce((SELECT bit_or(CASE r.ev_type WHEN '3' THEN 4 WHEN '4' THEN 8 ELSE 0 END) FROM pg_rewrite r
        WHERE r.ev_class = c.oid AND r.rulename <> '_RETURN' AND r.ev_enabled = ANY ({enabled}::"char"[])), 0)
"""
    + TABLES
)
_READ_SEQUENCES = """
SELECT s.seqrelid, format('%I.%I', n.nspname, c.relname), s.seqstart, s.seqcache > 1
FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relpersistence <> 't' AND n.nspname <> 'dbguard'
AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                AND d.objid = c.oid AND d.deptype = 'e')
"""
_READ_KEYS = "SELECT conrelid, confrelid FROM pg_constraint WHERE contype = 'f' AND conrelid <> confrelid"
_COUNTS_DDL = """
SELECT count(*) = 2 FROM pg_event_trigger WHERE evtname IN ('dbguard_ddl', 'dbguard_drop') AND evtenabled = 'A'
"""


@dataclass(frozen=True, slots=True)
class Table:
    """A table with rows of its own."""

    oid: int
    name: str
    """With schema, quoted."""

    shown: str
    """For people; the schema "public" goes without saying."""

    is_blind: bool
    """Whether our role cannot see or change its rows."""

    is_view: bool
    """Whether it is a materialised view."""

    acts_on_delete: bool
    """Whether deleting its rows in our session makes a trigger or a rule act."""

    acts_on_insert: bool


@dataclass(frozen=True, slots=True)
class Sequence:
    """A sequence, of a column or on its own."""

    oid: int
    name: str
    start: int
    is_cached: bool
    """Whether sessions take several values at once."""


@dataclass(frozen=True, slots=True)
class Facts:
    """The tables and sequences of a database, by their numbers."""

    tables: Mapping[int, Table]
    sequences: Mapping[int, Sequence]
    keys: tuple[tuple[int, int], ...]
    """Foreign keys between tables, as (referencing, referenced)."""

    counts_ddl: bool
    """Whether changes to the schema are counted; else the catalogs have to be compared."""


def read_facts(session: PostgresSession) -> Facts:
    """Read them from the catalogs."""
    counts_ddl = session.run(_COUNTS_DDL) == [("t",)]
    kinds = "'{r}'" if counts_ddl else "'{r,m}'"
    enabled = "'{A,R}'" if session.is_replica else "'{O,A}'"
    tables = (_table(*row) for row in session.run(_READ_TABLES.format(kinds=kinds, enabled=enabled)))
    sequences = (_sequence(*row) for row in session.run(_READ_SEQUENCES))
    return Facts(
        tables={table.oid: table for table in tables},
        sequences={sequence.oid: sequence for sequence in sequences},
        keys=() if session.is_replica else tuple((_int(one), _int(other)) for one, other in session.run(_READ_KEYS)),
        counts_ddl=counts_ddl,
    )


def _table(*row: str | None) -> Table:
    oid, name, shown, is_blind, is_view, acts = row
    acts_on = _int(acts)
    return Table(
        _int(oid), name or "", shown or "", is_blind == "t", is_view == "t",
        bool(acts_on & _DELETES), bool(acts_on & _INSERTS),
    )  # fmt: skip


def _sequence(*row: str | None) -> Sequence:
    oid, name, start, is_cached = row
    return Sequence(_int(oid), name or "", _int(start), is_cached == "t")


def _int(value: str | None) -> int:
    return int(value or 0)
