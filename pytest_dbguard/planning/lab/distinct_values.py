"""Tells how many different keys an index has among the rows of its table."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from pytest_dbguard.planning.lab.base import IndexSpec
from pytest_dbguard.planning.statistics.model import TableStatistics
from pytest_dbguard.schema.catalog import Index, Table

_WORD = re.compile(r'"((?:[^"]|"")+)"|([A-Za-z_]\w*)')
# what PostgreSQL believes of a column without statistics
_UNKNOWN = 200.0

Key = tuple[str, ...]
"""The columns that one key of an index is made of: one, or those that its expression mentions."""


def index_keys(index: Index | IndexSpec, table: Table) -> tuple[Key, ...]:
    """Return for each key of an index the columns that it is made of; () where an expression names none."""
    if isinstance(index, Index):
        pairs = [(key.column, key.expression) for key in index.keys]
    else:
        pairs = list(zip(index.columns, index.keys, strict=True))
    return tuple((column,) if column is not None else _mentioned(text, table) for column, text in pairs)


def _mentioned(expression: str, table: Table) -> Key:
    words = (quoted.replace('""', '"') or bare for quoted, bare in _WORD.findall(expression))
    names = {column.name.lower(): column.name for column in table.columns}
    return tuple(dict.fromkeys(names[word.lower()] for word in words if word.lower() in names))


def distinct_keys(keys: Sequence[Key], statistics: TableStatistics, table: Table, rows: float) -> float:
    """Return the number of different combinations of some keys among so many rows, at least 1.

    What unique constraints and extended statistics tell comes first; else columns count as independent.
    """
    columns = frozenset(column for key in keys for column in key)
    if any(columns >= set(unique) for unique in table.uniques()):
        return max(rows, 1.0)
    for combination in statistics.combinations:
        if frozenset(combination.columns) == columns:
            share = combination.n_distinct
            return _within(-share * rows if share < 0 else share, rows)
    single = [distinct_values(column, statistics, table, rows) for column in sorted(columns)]
    if not all(keys):
        single.append(_within(_UNKNOWN, rows))
    product = math.prod(single)
    if len(single) > 1:
        # of all combinations that there could be chance leaves some out
        product = max(-math.expm1(-rows / product) * product, *single)
    return _within(product, rows)


def distinct_values(column: str, statistics: TableStatistics, table: Table, rows: float) -> float:
    """Return the number of different values of a column among so many rows, NULL counted as one; at least 1."""
    if (column,) in set(table.uniques()):
        return max(rows, 1.0)
    known = statistics.column(column)
    found = known.distinct(rows) if known is not None else 0.0
    if found <= 0:
        found = _UNKNOWN
    if known is not None and known.null_fraction > 0:
        found += 1
    return _within(found, rows)


def distinct_among(distinct: float, rows: float, kept: float) -> float:
    """Return how many of so many different keys are left when only some of the rows are kept, whichever they are."""
    if kept >= rows or distinct <= 1:
        return _within(distinct, kept)
    return _within(distinct * (1 - (1 - kept / rows) ** (rows / distinct)), kept)


def _within(value: float, rows: float) -> float:
    return max(min(value, rows), 1.0)
