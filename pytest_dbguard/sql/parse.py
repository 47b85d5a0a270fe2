"""Parses the text of a shape with sqlglot, for what tokens cannot tell; None for what no dialect reads."""

from __future__ import annotations

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError


def parse(text: str) -> exp.Expr | None:
    """Return the tree of a statement; about 600 µs, so ask once a shape."""
    dialects = ("mysql", "sqlite") if "`" in text else ("postgres", "sqlite", "mysql")
    for dialect in dialects:
        try:
            return sqlglot.parse_one(text, read=dialect)
        except (SqlglotError, RecursionError):
            continue
    return None


def source(select: exp.Expr) -> exp.Expr | None:
    """Return the FROM clause of a query, which sqlglot's versions call by different names."""
    found = select.args.get("from_") or select.args.get("from")
    return found if isinstance(found, exp.From) else None


def yields_one_row(query: exp.Expr) -> bool:
    """Whether a query yields one row whatever the data: an aggregate without GROUP BY, or no FROM.

    A LIMIT counts too: shapes do not tell its value.
    """
    while isinstance(query, exp.Subquery):
        query = query.this
    if query.args.get("limit") is not None:
        return True
    if isinstance(query, exp.SetOperation):
        # a list of constants
        return all(source(select) is None for select in query.find_all(exp.Select))
    if not isinstance(query, exp.Select):
        return False
    if source(query) is None:
        return True
    return query.args.get("group") is None and any(map(_aggregates, query.expressions))


def _aggregates(expression: exp.Expr) -> bool:
    """Whether an expression holds an aggregate of its own query that is no window function."""
    for found in expression.find_all(exp.AggFunc):
        inner = found.find_ancestor(exp.Window, exp.Select)
        if not isinstance(inner, exp.Window) and (inner is None or inner is expression.parent):
            return True
    return False
