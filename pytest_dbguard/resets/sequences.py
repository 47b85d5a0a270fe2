"""Puts PostgreSQL's sequences back after a rollback, which leaves them moved: ids are the same in every test."""

from __future__ import annotations

from typing import Any

_VALUES = "SELECT seqrelid, pg_sequence_last_value(seqrelid) FROM pg_sequence"
# Only sequences that belong to a column, and only upward ones: for those it can be told whether a value is in use.
_OWNED = """
SELECT s.seqrelid, s.seqstart, d.refobjid::regclass::text, quote_ident(a.attname)
FROM pg_sequence s
JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = s.seqrelid AND d.deptype IN ('a', 'i')
    AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0
JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
WHERE s.seqrelid = ANY(%s) AND s.seqincrement > 0
"""


class Sequences:
    """What the sequences of a database stood at before a test, as oid -> last value (None: never used)."""

    def __init__(self) -> None:
        self._before: dict[int, int | None] = {}

    def remember(self, dbapi_connection: Any) -> None:
        """Note where every sequence stands."""
        self._before = dict(_rows(dbapi_connection, _VALUES))

    def restore(self, dbapi_connection: Any) -> None:
        """Put back the sequences that moved, except where a row that stayed uses a later value."""
        now = dict(_rows(dbapi_connection, _VALUES))
        moved = [oid for oid, value in self._before.items() if oid in now and now[oid] != value]
        if not moved:
            return
        for oid, start, table, column in _rows(dbapi_connection, _OWNED, ([*moved],)):
            last = self._before[oid]
            value, highest = (start, start - 1) if last is None else (last, last)
            _rows(
                dbapi_connection,
                f"SELECT setval(%s::oid::regclass, %s, %s)"
                f" WHERE NOT EXISTS (SELECT FROM {table.replace('%', '%%')} WHERE {column.replace('%', '%%')} > %s)",
                (oid, value, last is not None, highest),
            )


def _rows(dbapi_connection: Any, statement: str, parameters: tuple[Any, ...] = ()) -> list[Any]:
    cursor = dbapi_connection.cursor()
    try:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())
    finally:
        cursor.close()
