"""Tells for every table and index of a catalog how many pages, rows and levels the planner is to believe in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pytest_dbguard.planning.lab.index_size import heap_pages, index_size, tree_height
from pytest_dbguard.planning.lab.predicate_share import predicate_share
from pytest_dbguard.planning.lab.sized_statistics import table_statistics
from pytest_dbguard.planning.statistics.model import IndexStatistics, Statistics, TableStatistics
from pytest_dbguard.schema.catalog import Catalog, Index, Table


@dataclass(frozen=True, slots=True)
class RelationSize:
    """One table or index.

    Attributes:
        schema: Its schema.
        name: Its name.
        pages: Of 8 192 bytes.
        rows: What `reltuples` is to say.
        all_visible: What `relallvisible` is to say; 0 for an index.
        table: Name of the table of an index; "" for a table.
        method: Access method of an index; "" for a table.
        height: Levels above the leaves of a B-tree; None for anything else.
    """

    schema: str
    name: str
    pages: int
    rows: float
    all_visible: int = 0
    table: str = ""
    method: str = ""
    height: int | None = None


def relation_sizes(catalog: Catalog, statistics: Statistics, *, major: int) -> tuple[RelationSize, ...]:
    """Return the sizes of all tables that are stored and of their indexes: each table before its indexes.

    What the statistics tell of an index counts; what they do not is computed. Partitioned tables hold nothing and have
    no size; their partitions do.
    """
    found = (_of_table(table, statistics, catalog, major) for table in catalog.tables if table.holds_rows)
    return tuple(size for sizes in found for size in sizes)


def _of_table(table: Table, statistics: Statistics, catalog: Catalog, major: int) -> Iterator[RelationSize]:
    known = table_statistics(table, statistics)
    pages = heap_pages(known, catalog)
    # where nobody told, as after VACUUM
    visible = known.all_visible if known.pages else pages
    yield RelationSize(table.schema, table.name, pages, max(known.rows, 0.0), min(visible, pages))
    told = {index.name: index for index in known.indexes}
    for index in table.indexes:
        yield _of_index(index, table, known, told.get(index.name), catalog, major)


def _of_index(
    index: Index, table: Table, known: TableStatistics, told: IndexStatistics | None, catalog: Catalog, major: int
) -> RelationSize:
    rows = told.rows if told is not None else 0.0
    if rows <= 0:
        rows = known.rows * predicate_share(index.predicate, table, known)
    computed = index_size(known, index, catalog, major=major, rows=rows)
    pages, height = computed.pages, computed.height
    if told is not None and told.pages:
        pages = told.pages
        height = told.height if told.height is not None else tree_height(pages, known, index, catalog)
    is_tree = index.method == "btree"
    return RelationSize(
        table.schema,
        index.name,
        pages,
        max(rows, 0.0),
        table=table.name,
        method=index.method,
        height=height if is_tree else None,
    )
