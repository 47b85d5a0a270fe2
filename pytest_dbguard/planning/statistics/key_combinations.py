"""Tells from foreign keys of several columns how many combinations these have: no more than the table they refer to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from pytest_dbguard.planning.statistics.model import NDistinct, TableStatistics
from pytest_dbguard.schema.catalog import Table


def with_key_combinations(
    known: TableStatistics, table: Table, rows: Mapping[tuple[str, str], float]
) -> TableStatistics:
    """Return the statistics of a table with the combinations that its foreign keys tell, after those that are told.

    Columns that refer to a row together are far from independent: counting them as such makes an index on them
    larger than it is, twice in TPC-H.

    Args:
        known: What is told of the table.
        table: Its schema.
        rows: Rows of the tables, by schema and name.
    """
    told = {frozenset(each.columns) for each in known.combinations}
    found = tuple(_of_keys(known.rows, table, rows, told))
    return replace(known, combinations=(*known.combinations, *found)) if found else known


def _of_keys(
    own: float, table: Table, rows: Mapping[tuple[str, str], float], told: set[frozenset[str]]
) -> Iterator[NDistinct]:
    for key in table.foreign_keys:
        referred = rows.get((key.referred_schema, key.referred_table), 0.0)
        columns = frozenset(key.columns)
        if len(columns) > 1 and columns not in told and 0 < referred <= own:
            told.add(columns)
            yield NDistinct(tuple(sorted(columns)), referred)
