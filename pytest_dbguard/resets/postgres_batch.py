"""Writes the one batch of statements that puts changed tables and sequences of a PostgreSQL database back."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping

from pytest_dbguard.resets.postgres_facts import Facts, Table
from pytest_dbguard.resets.postgres_prepare import TABLES
from pytest_dbguard.resets.postgres_session import PostgresSession
from pytest_dbguard.resets.postgres_state import Copy, Position

MANY_ROWS = 20_000
"""Putting back more rows than this takes longer than a fresh copy of the template."""

_COLUMNS = """
SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
WHERE attrelid = {oid} AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
"""
# Partitioned tables are named themselves: a foreign key to one keeps its partitions from being truncated alone.
_ALL_TABLES = "SELECT format('%I.%I', n.nspname, c.relname)" + TABLES.format(kinds="'{r,p}'")


def why_not(tables: Iterable[Table], copies: Mapping[int, Copy], unsaved: Container[int] = ()) -> str:
    """Return why tables cannot be put back by statements; "" when they can.

    Rows of `unsaved` tables would have to be put into a fresh copy too.
    """
    rows = 0
    for table in tables:
        copy = copies.get(table.oid)
        rows += copy.rows if copy and table.oid not in unsaved else 0
        if table.is_blind:
            return f"rows of {table.shown} may have changed, which the role of the tests may not see or change"
        if table.is_view:
            return f"the materialized view {table.shown} was refreshed"
        if table.acts_on_delete or (table.acts_on_insert and copy and copy.rows):
            return f"a trigger or rule on {table.shown} would act on the cleaning itself"
    return f"{rows} rows had to be put back" if rows > MANY_ROWS else ""


class Batch:
    """The statements for a session; deleting is prepared, since planning it takes longer than doing it."""

    def __init__(self, session: PostgresSession, facts: Facts) -> None:
        self._session = session
        self._facts = facts

    def emptying(self, tables: Iterable[int]) -> list[str]:
        """Return statements that empty tables."""
        statements = []
        for oid in tables:
            name = f"empty_{oid}"
            self._session.prepare(name, f"DELETE FROM ONLY {self._facts.tables[oid].name}")
            statements.append(f"EXECUTE {name}")
        return statements

    def truncating(self) -> list[str]:
        """Return statements that empty all tables, by giving them new files."""
        names = [name or "" for (name,) in self._session.run(_ALL_TABLES)]
        return [f"TRUNCATE {', '.join(names)}"] if names else []

    def filling(self, copies: Mapping[int, Copy]) -> list[str]:
        """Return statements that fill empty tables."""
        statements = []
        for oid, copy in copies.items():
            if copy.rows:
                columns = self._columns(oid, copy)
                into = f"{self._facts.tables[oid].name} ({columns}) OVERRIDING SYSTEM VALUE" if columns else ""
                into = into or self._facts.tables[oid].name
                statements.append(f"INSERT INTO {into} SELECT {columns} FROM {copy.name}")
        return statements

    def setting(self, positions: Mapping[int, Position]) -> list[str]:
        """Return a statement that puts sequences back."""
        calls = [
            f"setval({oid}::regclass, {position.value}, {str(position.is_called).lower()})"
            for oid, position in positions.items()
        ]
        return [f"SELECT {', '.join(part)}" for part in _parts(calls)]

    def reading(self, tables: Iterable[int]) -> str:
        """Return the last statement of a batch: its transaction's number, and the sizes of tables in bytes."""
        sizes = (f"concat_ws(' ', {oid}, pg_relation_size({oid}))" for oid in tables)
        return f"SELECT pg_current_xact_id(), array_to_string(ARRAY[{', '.join(sizes)}]::text[], ',')"

    def _columns(self, oid: int, copy: Copy) -> str:
        if copy.columns is None:
            ((columns,),) = self._session.run(_COLUMNS.format(oid=oid))
            copy.columns = columns or ""
        return copy.columns


def _parts(calls: list[str], size: int = 500) -> Iterable[list[str]]:
    """Yield the calls in parts: a SELECT has at most 1664 columns."""
    return (calls[start : start + size] for start in range(0, len(calls), size))
