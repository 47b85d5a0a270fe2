"""Fills tables with pages that hold nothing visible: rows that are written and taken back at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

from pytest_dbguard.planning.lab.base import LabError
from pytest_dbguard.schema.catalog import RelationKind, Table

if TYPE_CHECKING:
    from psycopg import Connection, sql

_ROW_BYTES: Final = 600
"""With a tenth of each page to fill, no page takes a second row of this size."""
_CAP: Final = 2_000
"""Pages a table: more bring little, see the measured ladder."""

_PARENTS: Final = """
    SELECT c.relispartition, n.nspname, p.relname FROM pg_catalog.pg_inherits i
    JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid JOIN pg_catalog.pg_class p ON p.oid = i.inhparent
    JOIN pg_catalog.pg_namespace n ON n.oid = p.relnamespace WHERE i.inhrelid = %s::regclass
"""
_CONSTRAINTS: Final = """
    SELECT conname FROM pg_catalog.pg_constraint
    WHERE conrelid = %s::regclass AND contype IN ('c', 'p', 'u', 'x', 'f')
"""
_INDEXES: Final = """
    SELECT n.nspname, c.relname FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE i.indrelid = %s::regclass
"""


def ballast_pages(wanted: Mapping[tuple[str, str], int], limit: int) -> dict[tuple[str, str], int]:
    """Return how many pages each table gets: as many as it should have, less where all together are too many."""
    capped = {name: min(max(pages, 1), _CAP) for name, pages in wanted.items()}
    total = sum(capped.values())
    factor = min(1.0, limit / total) if total else 1.0
    return {name: max(1, int(pages * factor)) for name, pages in capped.items()}


def fill(connection: Connection, tables: Iterable[Table], pages: Mapping[tuple[str, str], int]) -> None:
    """Write so many pages to each table; needs its owner.

    All that rows would have to satisfy is dropped first, in the transaction that is rolled back in the end: pages
    are not. Materialized views cannot be filled.

    Raises:
        LabError: Where a table takes none.
    """
    import psycopg

    for table in tables:
        count = pages.get((table.schema, table.name), 0)
        if not count or table.kind not in (RelationKind.TABLE, RelationKind.PARTITION):
            continue
        try:
            _keep(connection, table)
            with connection.transaction(force_rollback=True):
                _fill(connection, table, count)
        except psycopg.Error as error:
            raise LabError(f"table {table.label} takes no ballast: {type(error).__name__}") from error


def _keep(connection: Connection, table: Table) -> None:
    """Have nobody clean up what is not visible: the pages would go as well."""
    from psycopg import sql

    target = sql.Identifier(table.schema, table.name)
    connection.execute(sql.SQL("ALTER TABLE {} SET (autovacuum_enabled = off)").format(target))


def empty(connection: Connection, table: Table) -> None:
    """Take all pages from a table within a transaction: it is written anew, and no row of it is visible.

    TRUNCATE would ask for the tables that refer to it as well.
    """
    from psycopg import sql

    target, order = sql.Identifier(table.schema, table.name), sql.Identifier("dbguard_order")
    connection.execute(sql.SQL("CREATE INDEX {} ON {} ((1))").format(order, target))
    connection.execute(sql.SQL("CLUSTER {} USING {}").format(target, order))
    connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(table.schema, "dbguard_order")))


def _fill(connection: Connection, table: Table, count: int) -> None:
    from psycopg import sql

    target = sql.Identifier(table.schema, table.name)
    for statement in (*_detached(connection, target), *_freed(connection, target)):
        connection.execute(statement)
    columns = [sql.SQL("DROP COLUMN IF EXISTS {} CASCADE").format(sql.Identifier(c.name)) for c in table.columns]
    room = [sql.SQL("ADD COLUMN dbguard_ballast text"), sql.SQL("SET (fillfactor = 10)")]
    connection.execute(sql.SQL("ALTER TABLE {} {}").format(target, sql.SQL(", ").join([*columns, *room])))
    insert = "INSERT INTO {} (dbguard_ballast) SELECT repeat('x', {}) FROM generate_series(1, {})"
    connection.execute(sql.SQL(insert).format(target, sql.Literal(_ROW_BYTES), sql.Literal(count)))


def _detached(connection: Connection, target: sql.Identifier) -> Iterator[sql.Composed]:
    """Yield what takes a table from its parents, whose columns it could not lose."""
    from psycopg import sql

    for is_partition, place, name in connection.execute(_PARENTS, [target.as_string(connection)]).fetchall():
        verb = (
            "ALTER TABLE {parent} DETACH PARTITION {table}"
            if is_partition
            else "ALTER TABLE {table} NO INHERIT {parent}"
        )
        yield sql.SQL(verb).format(parent=sql.Identifier(place, name), table=target)


def _freed(connection: Connection, target: sql.Identifier) -> Iterator[sql.Composed]:
    """Yield what takes keys, checks and indexes from a table."""
    from psycopg import sql

    name = target.as_string(connection)
    for (constraint,) in connection.execute(_CONSTRAINTS, [name]).fetchall():
        drop = sql.SQL("ALTER TABLE {} DROP CONSTRAINT IF EXISTS {} CASCADE")
        yield drop.format(target, sql.Identifier(constraint))
    for index in connection.execute(_INDEXES, [name]).fetchall():
        yield sql.SQL("DROP INDEX IF EXISTS {} CASCADE").format(sql.Identifier(*index))
