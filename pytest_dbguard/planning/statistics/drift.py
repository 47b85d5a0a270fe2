"""How known statistics differ from a schema: tables and columns that only one of them has, misspelt declarations."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_dbguard.core.errors import nearest
from pytest_dbguard.planning.statistics.loose import sorted_in
from pytest_dbguard.planning.statistics.model import Origin, Statistics, TableStatistics
from pytest_dbguard.planning.statistics.names import join_name
from pytest_dbguard.schema.catalog import Catalog, Dialect, Table
from pytest_dbguard.schema.drift import Seen, drift


def differences(statistics: Statistics, catalog: Catalog) -> tuple[str, ...]:
    """Return lines about how statistics, not completed yet, differ from the schema of the tests; () where they fit."""
    told = sorted_in(statistics, catalog)
    lines = tuple(_unknown(told, catalog))
    if told.origin is not Origin.PRODUCTION:
        return lines
    known = [table for table in told.tables if table.origin is Origin.PRODUCTION or _found(table, catalog) is not None]
    return (*lines, *drift(catalog, {(table.schema, table.name): _seen(table) for table in known}))


def _seen(table: TableStatistics) -> Seen:
    """Return the names of a table that the file has; none where it may be declared only."""
    if table.origin is not Origin.PRODUCTION and not table.pages and not table.indexes:
        return Seen()
    return Seen(tuple(column.name for column in table.columns), tuple(index.name for index in table.indexes))


def _unknown(statistics: Statistics, catalog: Catalog) -> Iterator[str]:
    """Yield a line for each declared name that the schema has not, with the nearest one."""
    for table in statistics.tables:
        if table.origin is Origin.PRODUCTION:
            continue
        ours = _found(table, catalog)
        if ours is None:
            yield _line(join_name(table.schema, table.name), "table", [each.label for each in catalog.tables])
            continue
        names = {_folded(column.name, catalog) for column in ours.columns}
        for column in table.columns:
            if _folded(column.name, catalog) not in names:
                shown = join_name(table.schema, table.name, column.name)
                yield _line(shown, "column", [f"{ours.label}.{each.name}" for each in ours.columns])


def _found(table: TableStatistics, catalog: Catalog) -> Table | None:
    return catalog.table(table.name, table.schema) or (catalog.table(table.name) if table.schema == "public" else None)


def _folded(name: str, catalog: Catalog) -> str:
    return name.lower() if catalog.dialect is Dialect.SQLITE else name


def _line(name: str, kind: str, known: list[str]) -> str:
    match = nearest(name, known)
    return f"[tool.dbguard.scale] names the unknown {kind} {name!r}" + (f", did you mean {match!r}?" if match else "")
