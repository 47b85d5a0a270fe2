"""Asks the planner how high it believes a B-tree to be: the proof that forged pages are what it reads."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

from pytest_dbguard.planning.lab.relation_sizes import RelationSize
from pytest_dbguard.schema.catalog import Catalog, Index, Table

if TYPE_CHECKING:
    from psycopg import Connection

# To descend costs ceil(log2(entries)) comparisons, and 50 more for each page on the way down, the leaf included
# (btcostestimate in src/backend/utils/adt/selfuncs.c). With comparisons at 1, the startup cost tells the height.
_SETTINGS: Final = """
    SET LOCAL cpu_operator_cost = 1; SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off;
    SET LOCAL enable_bitmapscan = off; SET LOCAL max_parallel_workers_per_gather = 0
"""
_PAGE: Final = 50
_ASKED: Final = 5
_NOT_HERE: Final = "42"  # the class of errors about names: the table could not be made


def height_is_believed(connection: Connection, catalog: Catalog, sizes: Iterable[RelationSize]) -> bool:
    """Tell whether the planner sees the heights that these sizes tell; also where there is no B-tree to ask about.

    The connection must be a new one.
    """
    from psycopg import Error

    known = {(size.schema, size.name): size for size in sizes}
    asked = 0
    for table, index in _telling(catalog):
        size = known.get((table.schema, index.name))
        if size is None or not size.height or asked == _ASKED:
            continue
        try:
            seen = height_seen(connection, table, index)
        except Error as error:
            if (error.sqlstate or "").startswith(_NOT_HERE):
                continue
            return False  # what was forged is no tree to this server
        if seen is not None:
            return seen == size.height
        asked += 1
    return True


def _telling(catalog: Catalog) -> Iterator[tuple[Table, Index]]:
    """Yield the indexes that a plain ORDER BY can be made to use."""
    for table in catalog.tables:
        for index in table.indexes if table.holds_rows else ():
            first = index.keys[0]
            plain = first.column is not None and not first.collation and not first.operator_class
            if plain and index.method == "btree" and not index.predicate and first.nulls_first == first.descending:
                yield table, index


def height_seen(connection: Connection, table: Table, index: Index) -> int | None:
    """Return the height that the planner reads of a B-tree; None where it takes another index for its first column."""
    from psycopg import sql

    query = sql.SQL("EXPLAIN (FORMAT JSON) SELECT FROM {} ORDER BY {}").format(
        sql.Identifier(table.schema, table.name), sql.Identifier(index.keys[0].column or "")
    )
    with connection.transaction(force_rollback=True):
        connection.execute(_SETTINGS)
        row: Any = connection.execute(query).fetchone()
    found = row[0] if isinstance(row[0], list) else json.loads(row[0])
    plan = found[0]["Plan"]
    if plan.get("Index Name") != index.name:
        return None
    comparisons = math.ceil(math.log2(max(plan["Plan Rows"], 1)))
    startup_cost: float = plan["Startup Cost"]
    return round((startup_cost - comparisons) / _PAGE) - 1
