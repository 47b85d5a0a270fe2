"""Completes statistics from a schema: every table, column and index gets figures, whatever is known of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from pytest_dbguard.planning.statistics.column_estimates import completed_column, of_stat
from pytest_dbguard.planning.statistics.key_combinations import with_key_combinations
from pytest_dbguard.planning.statistics.loose import sorted_in
from pytest_dbguard.planning.statistics.model import (
    ColumnStatistics,
    IndexStatistics,
    Statistics,
    TableStatistics,
)
from pytest_dbguard.planning.statistics.overlay import laid_over_table
from pytest_dbguard.planning.statistics.referred_values import ReferredValues
from pytest_dbguard.planning.statistics.table_rows import Key, with_rows
from pytest_dbguard.planning.statistics.widths import heap_pages
from pytest_dbguard.schema.catalog import Catalog, Column, Dialect, Index, RelationKind, Table

_VISIBLE = 0.9
"""Share of pages that vacuum has seen since they were written last, as on a server that is looked after."""
_SAME_VALUES = re.compile(r"^\(?(lower|upper|trim|btrim|unaccent|casefold)\(")


def completed(statistics: Statistics, catalog: Catalog) -> Statistics:
    """Return statistics with every table, column and index of the catalog, and no others; views hold no rows.

    What is known stays as it is, each table keeps its origin, and nothing is invented but what a planner cannot do
    without: rows, numbers of different values, NULLs, widths. There are no histograms and no common values: measured,
    invented ones make verdicts worse. Sizes and heights of indexes that no file tells are 0 and None: the lab models
    them. `rows` of a reference table (a list of countries, of states) are few, partitions add up to their parent, and
    a join table has a row at least for each row of the larger table that it joins.
    """
    told = sorted_in(statistics, catalog)
    known = dict(_resolved(told, catalog))
    stored = replace(catalog, tables=tuple(t for t in catalog.tables if t.kind is not RelationKind.VIEW))
    sized = with_rows(known, stored, told.default_rows)
    rows = {key: table.rows for key, table in sized.items()}
    values = ReferredValues(stored, rows)
    tables = tuple(
        with_key_combinations(
            _completed_table(sized[table.schema, table.name], table, values, catalog.dialect), table, rows
        )
        for table in sorted(stored.tables, key=lambda each: (each.schema, each.name))
    )
    return replace(told, tables=tables, dialect=told.dialect or str(catalog.dialect), loose=())


def _resolved(statistics: Statistics, catalog: Catalog) -> Iterator[tuple[Key, TableStatistics]]:
    """Yield what is known by the table's own name in the catalog."""
    exact = {(table.schema, table.name): table for table in statistics.tables}
    for table in catalog.tables:
        key = (table.schema, table.name)
        found = exact.get(key) or _of_other_schema(table, statistics, catalog)
        bare = exact.get(("", table.name)) if table.schema else None
        if bare is not None and catalog.table(table.name) is table:
            found = bare if found is None or found is bare else laid_over_table(found, bare)
        if found is not None:
            yield key, replace(found, schema=table.schema, name=table.name)


def _of_other_schema(table: Table, statistics: Statistics, catalog: Catalog) -> TableStatistics | None:
    """Return the only statistics of that name, where neither side has another schema that it could belong to.

    Tests often make a schema of their own for what stands in `public` in production.
    """
    insensitive = catalog.dialect is Dialect.SQLITE
    name = table.name.lower() if insensitive else table.name
    same = [each for each in statistics.tables if (each.name.lower() if insensitive else each.name) == name]
    ours = [each for each in catalog.tables if each.name == table.name]
    if not table.schema and len(same) > 1:
        # SQLite has no schemas: what production keeps in its main one
        same = [each for each in same if each.schema == "public"]
    return same[0] if len(same) == 1 == len(ours) else None


def _completed_table(known: TableStatistics, table: Table, values: ReferredValues, dialect: Dialect) -> TableStatistics:
    referred = values.of(table)
    columns = tuple(
        completed_column(_column(known, table, column, dialect), column, table, known.rows, referred)
        for column in table.columns
    )
    pages, visible = known.pages, known.all_visible
    if not pages and dialect is Dialect.POSTGRESQL and table.kind is not RelationKind.PARTITIONED:
        pages = heap_pages(table, columns, known.rows)
        visible = int(pages * _VISIBLE)
    indexes = tuple(_indexes(known, table, columns))
    return replace(known, columns=columns, pages=pages, all_visible=visible, indexes=indexes)


def _column(known: TableStatistics, table: Table, column: Column, dialect: Dialect) -> ColumnStatistics | None:
    found = known.column(column.name)
    if found is not None or dialect is not Dialect.SQLITE:
        return found
    folded = next((each for each in known.columns if each.name.lower() == column.name.lower()), None)
    return folded or _of_indexes(known, table, column)


def _of_indexes(known: TableStatistics, table: Table, column: Column) -> ColumnStatistics | None:
    stats = {index.name: index.stat for index in known.indexes}
    full = [index for index in table.indexes if index.columns[:1] == (column.name,) and not index.predicate]
    found = (of_stat(column.name, stats.get(index.name, ""), known.rows) for index in full)
    return next((each for each in found if each is not None), None)


def _indexes(known: TableStatistics, table: Table, columns: tuple[ColumnStatistics, ...]) -> Iterator[IndexStatistics]:
    given = {index.name: index for index in known.indexes}
    for index in table.indexes:
        found = given.get(index.name, IndexStatistics(index.name, table.name))
        entries = {column.name: column for column in (*_expressions(index, columns), *found.columns)}
        yield replace(found, table=table.name, columns=tuple(entries[name] for name in sorted(entries)))


def _expressions(index: Index, columns: tuple[ColumnStatistics, ...]) -> Iterator[ColumnStatistics]:
    """Yield figures of those expressions that keep apart what the column keeps apart, such as `lower(email)`."""
    for number, key in enumerate(index.keys, 1):
        if key.column is None and _SAME_VALUES.match(key.expression):
            words = set(re.findall(r"\w+", key.expression))
            named = [column for column in columns if column.name in words]
            if len(named) == 1:
                yield replace(named[0], name=str(number), correlation=None, slots=())
