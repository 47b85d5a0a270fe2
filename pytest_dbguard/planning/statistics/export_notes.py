"""Tells what an export could not see, so that nobody takes an absent figure for a small one."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from pytest_dbguard.planning.statistics.model import TableStatistics
from pytest_dbguard.planning.statistics.names import join_name

_SHOWN: Final = 8
_REFUSED: Final = "no figures of columns, since the role may not SELECT"
_HIDDEN: Final = "no figures of columns, since row security holds for the role"
_NEVER_ANALYSED: Final = "no figures of columns until ANALYZE runs"
_NO_EXTENDED: Final = "no extended statistics, which only the owner sees once ANALYZE has run"
_NO_EXPRESSIONS: Final = "no figures of expressions of indexes, which only the owner sees once ANALYZE has run"
_REASONS: Final = (_REFUSED, _HIDDEN, _NEVER_ANALYSED, _NO_EXTENDED, _NO_EXPRESSIONS)

Key = tuple[str, str]
"""Schema and name."""


def notes_of(
    relations: Sequence[Mapping[str, Any]], tables: Sequence[TableStatistics], expressions: Mapping[Key, int]
) -> tuple[str, ...]:
    """Return a line for each reason, with the names of the tables that it is about.

    Args:
        relations: What the catalog says of each table.
        tables: What was found out, in the same order.
        expressions: Numbers of expressions of indexes by schema and name of the table.
    """
    found: dict[str, list[str]] = {reason: [] for reason in _REASONS}
    for row, table in zip(relations, tables, strict=True):
        for reason in _reasons(row, table, expressions.get((table.schema, table.name), 0)):
            found[reason].append(join_name(table.schema, table.name))
    return tuple(f"{reason}: {listed(names)}" for reason, names in found.items() if names)


def _reasons(row: Mapping[str, Any], table: TableStatistics, expressions: int) -> Iterator[str]:
    if table.columns:
        if row["extended"] and not table.combinations and not table.dependencies:
            yield _NO_EXTENDED
        if expressions > sum(len(index.columns) for index in table.indexes):
            yield _NO_EXPRESSIONS
    elif not row["may_select"]:
        yield _REFUSED
    elif row["hides_rows"]:
        yield _HIDDEN
    elif table.rows or table.pages:
        # an empty table has no figures after ANALYZE either
        yield _NEVER_ANALYSED


def listed(names: Collection[str]) -> str:
    """Return names in order, the first few of many."""
    return ", ".join(_few(sorted(names)))


def _few(names: Sequence[str]) -> Iterator[str]:
    yield from names[:_SHOWN]
    if len(names) > _SHOWN:
        yield f"and {len(names) - _SHOWN} more"
