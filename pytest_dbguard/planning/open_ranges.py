"""Writes the other bound to a range that is open at one end: what the planner thinks of it where few rows are left.

Of a range whose bound is not known PostgreSQL assumes that a third of the table lies in it, and reads all of it; of one
with two bounds, half a percent. Neither is knowledge. Which of the two an application asks for decides whether an index
on the column pays, so both are asked where no histogram tells.
"""

from __future__ import annotations

from collections.abc import Sequence

from pytest_dbguard.sql.facts.model import Term, TermKind


def closed(sql: str, terms: Sequence[Term], alias: str) -> str | None:
    """Return a PostgreSQL statement whose open ranges on these terms' columns have a second bound; None without any."""
    columns = {term.column for term in terms if term.kind is TermKind.RANGE}
    return _closed(sql, columns, alias) if columns else None


def _closed(sql: str, columns: set[str], alias: str) -> str | None:
    # the parser is only paid for by who needs it
    from sqlglot import exp, parse_one
    from sqlglot.errors import SqlglotError

    try:
        tree = parse_one(sql, read="postgres")
    except (SqlglotError, RecursionError):
        return None
    inverse = {exp.GT: exp.LT, exp.GTE: exp.LTE, exp.LT: exp.GT, exp.LTE: exp.GTE}
    found = [node for node in tree.find_all(*inverse) if _is_bound_of(node, columns, alias)]
    for node in found:
        other = inverse[type(node)](this=node.this.copy(), expression=node.expression.copy())
        node.replace(exp.Paren(this=exp.And(this=node.copy(), expression=other)))
    return tree.sql(dialect="postgres") if found else None


def _is_bound_of(comparison: object, columns: set[str], alias: str) -> bool:
    """Whether it compares one of the columns with a value."""
    from sqlglot import exp

    if not isinstance(comparison, exp.Binary) or comparison.expression.find(exp.Column, exp.Query) is not None:
        return False
    side = comparison.this
    return isinstance(side, exp.Column) and side.name in columns and side.table in ("", alias)
