"""Guesses the share of a table's rows that the condition of a partial index keeps."""

from __future__ import annotations

import re

from pytest_dbguard.planning.lab.distinct_values import distinct_values
from pytest_dbguard.planning.statistics.model import TableStatistics
from pytest_dbguard.schema.catalog import Table

_TERM = re.compile(
    r"""^\(*\s*(?P<negated>NOT\s+)?\(*\s*["`\[]?(?P<column>\w+)["`\]]?\s*\)*(?:::[\w ]+\)*)?\s*"""
    r"""(?P<test>IS\s+NOT\s+NULL|IS\s+NULL|IS\s+(?:NOT\s+)?(?:TRUE|FALSE)|IS\s+NOT|IS|IN|=\s*ANY|==?|<>|!=|<=?|>=?|)\s*"""
    r"""(?P<rest>.*)$""",
    re.IGNORECASE | re.DOTALL,
)
# the planner's own guesses: an open range, and a condition that nobody understands
_RANGE = 1 / 3
_OTHER = 0.5
_AND = re.compile(r"\s+AND\s+", re.IGNORECASE)
_OR = re.compile(r"\s+OR\s+|\bBETWEEN\b", re.IGNORECASE)


def predicate_share(predicate: str, table: Table, statistics: TableStatistics) -> float:
    """Return the share of the rows, from above 0 to 1; 1 without a condition."""
    if not predicate:
        return 1.0
    if _OR.search(predicate):
        return _OTHER
    share = 1.0
    for text in _AND.split(predicate):
        share *= _term_share(text, table, statistics)
    return max(share, 1e-9)


def _term_share(text: str, table: Table, statistics: TableStatistics) -> float:
    match = _TERM.match(text.strip())
    column = next((c for c in table.columns if match and c.name.lower() == match["column"].lower()), None)
    if match is None or column is None:
        return _OTHER
    known = statistics.column(column.name)
    nulls = known.null_fraction if known is not None else 0.0
    test = re.sub(r"\s+", " ", match["test"].upper())
    if test in ("IS NULL", "IS NOT NULL"):
        # without figures half of a nullable column is NULL
        nulls = nulls if known is not None and known.null_fraction > 0 else (_OTHER if column.nullable else 0.0)
        return nulls if test == "IS NULL" else 1 - nulls
    one = (1 - nulls) / distinct_values(column.name, statistics, table, statistics.rows)
    if test in ("=", "==", "IS"):
        return one
    if test in ("IN", "= ANY", "=ANY"):
        return min(one * (match["rest"].count(",") + 1), 1.0)
    if test in ("<>", "!=", "IS NOT"):
        return 1 - nulls - one
    return _RANGE if test in ("<", "<=", ">", ">=") else _OTHER
