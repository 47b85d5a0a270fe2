"""What rows of a query are sorted by, as far as it is columns of one table."""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from pytest_dbguard.sql.facts.names import arg
from pytest_dbguard.sql.facts.scans import Ref
from pytest_dbguard.sql.lint.queries import meant
from pytest_dbguard.sql.lint.text import LintedText


@dataclass(frozen=True, slots=True)
class Sort:
    """An ORDER BY.

    Attributes:
        alias: Of the scan that all keys are of.
        query: Number of that scan's query.
        columns: The keys.
        way: "asc", "desc", or "mixed" where they do not all go one way.
    """

    alias: str
    query: int
    columns: tuple[str, ...]
    way: str


def sort_of(text: LintedText, query: exp.Expr) -> Sort | None:
    """Return what a query is sorted by; None without ORDER BY, and where a key is no column of the one table."""
    order = arg(query, "order")
    refs: list[Ref] = []
    for key in order.expressions if order is not None else ():
        found = text.column(meant(key.this, query))
        ref = found.plain if found is not None else None
        if ref is None or (refs and ref.scan is not refs[0].scan):
            return None
        refs.append(ref)
    if not refs or order is None:
        return None
    ways = {bool(key.args.get("desc")) for key in order.expressions}
    way = "mixed" if len(ways) > 1 else "desc" if True in ways else "asc"
    scan = refs[0].scan
    return Sort(scan.alias, scan.query.number, tuple(dict.fromkeys(ref.column for ref in refs)), way)
