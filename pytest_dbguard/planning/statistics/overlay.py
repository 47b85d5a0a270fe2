"""Lays declared figures over those of a file: sizes follow in proportion, columns are replaced."""

from __future__ import annotations

from dataclasses import replace

from pytest_dbguard.planning.statistics.model import (
    ColumnStatistics,
    IndexStatistics,
    NDistinct,
    Origin,
    Statistics,
    TableStatistics,
)


def laid_over(base: Statistics, declared: Statistics) -> Statistics:
    """Return the statistics of `base` with what `declared` says; the origin of the whole stays that of `base`.

    A table that is declared without its schema is the one in `public`, else the only one of its name. Where that does
    not tell, both entries stay, and `completed` decides by the search path.
    """
    tables = {(table.schema, table.name): table for table in base.tables}
    for table in declared.tables:
        key = _key_of(table, base)
        known = tables.get(key)
        tables[key] = table if known is None else laid_over_table(known, table)
    return replace(
        base,
        tables=tuple(tables[key] for key in sorted(tables)),
        source=f"{base.source}, {declared.source}",
        default_rows=declared.default_rows,
    )


def laid_over_table(known: TableStatistics, declared: TableStatistics) -> TableStatistics:
    """Return one table with declared rows, all sizes in proportion, and declared columns."""
    scaled = known
    if declared.origin is not Origin.DEFAULT:
        scaled = replace(rescaled(known, declared.rows), origin=declared.origin)
    columns = {column.name: column for column in scaled.columns}
    for column in declared.columns:
        columns[column.name] = laid_over_column(columns.get(column.name), column)
    return replace(scaled, columns=tuple(columns[name] for name in sorted(columns)))


def laid_over_column(known: ColumnStatistics | None, declared: ColumnStatistics) -> ColumnStatistics:
    """Return one column; what is not declared of it stays. A negative share of NULLs stands for "not declared"."""
    if known is None:
        return declared
    is_same = not declared.n_distinct and declared.null_fraction < 0
    return replace(
        known,
        n_distinct=declared.n_distinct or known.n_distinct,
        null_fraction=declared.null_fraction if declared.null_fraction >= 0 else known.null_fraction,
        average_width=declared.average_width or known.average_width,
        correlation=known.correlation if declared.correlation is None else declared.correlation,
        # common values would contradict what is declared
        slots=known.slots if is_same else (),
    )


def rescaled(table: TableStatistics, rows: float) -> TableStatistics:
    """Return a table with other numbers of rows, pages and combinations in proportion; heights are then not known.

    Numbers of different values stay: PostgreSQL writes those that grow with the table as a share of its rows.
    """
    if rows == table.rows:
        return table
    factor = rows / table.rows if table.rows else 0.0
    return replace(
        table,
        rows=rows,
        pages=_pages(table.pages, factor),
        all_visible=min(round(table.all_visible * factor), _pages(table.pages, factor)),
        indexes=tuple(_rescaled_index(index, factor) for index in table.indexes),
        combinations=tuple(_capped(each, rows) for each in table.combinations),
    )


def _rescaled_index(index: IndexStatistics, factor: float) -> IndexStatistics:
    return replace(
        index,
        pages=_pages(index.pages, factor),
        rows=float(round(index.rows * factor)),
        height=None,
        stat=_rescaled_stat(index.stat, factor),
    )


def _rescaled_stat(stat: str, factor: float) -> str:
    """Return SQLite's text for other numbers of rows: more rows for each value, but one where there was one."""
    return " ".join(
        str(round(int(part) * factor)) if number == 0 else _rows_a_value(part, factor)
        for number, part in enumerate(stat.split())
    )


def _rows_a_value(part: str, factor: float) -> str:
    return str(max(1, round(int(part) * factor))) if part.isdecimal() and part != "1" else part


def _capped(combination: NDistinct, rows: float) -> NDistinct:
    return replace(combination, n_distinct=min(combination.n_distinct, rows))


def _pages(pages: int, factor: float) -> int:
    return max(1, round(pages * factor)) if pages and factor else 0


def _key_of(table: TableStatistics, base: Statistics) -> tuple[str, str]:
    schemas = [known.schema for known in base.tables if known.name == table.name]
    if table.schema or not schemas:
        return table.schema, table.name
    if "public" in schemas:
        return "public", table.name
    return (schemas[0] if len(schemas) == 1 else ""), table.name
