"""Tells how many different values the columns of foreign keys may hold: those of what they refer to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pytest_dbguard.planning.statistics.table_rows import Key
from pytest_dbguard.schema.catalog import Catalog, Table

_MOST_STEPS = 8


class ReferredValues:
    """Follows foreign keys from column to column, up to the table whose key they are."""

    def __init__(self, catalog: Catalog, rows: Mapping[Key, float]) -> None:
        """Follow the keys of a catalog whose tables hold so many rows."""
        self._tables = {(table.schema, table.name): table for table in catalog.tables}
        self._rows = rows

    def of(self, table: Table) -> dict[str, float]:
        """Return the numbers by column; columns of no foreign key are left out."""
        columns = dict.fromkeys(column for key in table.foreign_keys for column in key.columns)
        found = {column: self._values(table, column, _MOST_STEPS) for column in columns}
        return {column: values for column, values in found.items() if values is not None}

    def _values(self, table: Table, column: str, steps: int) -> float | None:
        """Return the fewest values that any way leads to."""
        return min(self._ways(table, column, steps), default=None)

    def _ways(self, table: Table, column: str, steps: int) -> Iterator[float]:
        for key in table.foreign_keys:
            place = (key.referred_schema, key.referred_table)
            if column not in key.columns or place not in self._tables or not steps:
                continue
            referred = self._tables[place]
            # a key that names no columns refers to the primary key
            columns = key.referred_columns or referred.primary_key
            if len(columns) == 1:
                yield self._rows.get(place, 0.0)
            elif len(columns) == len(key.columns):
                values = self._values(referred, columns[key.columns.index(column)], steps - 1)
                if values is not None:
                    yield values
