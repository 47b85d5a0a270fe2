"""Marks pages of rows that come in no certain order: an OFFSET without ORDER BY, or with keys that may be equal."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from pytest_dbguard.sql.facts.names import arg
from pytest_dbguard.sql.facts.outputs import aggregates
from pytest_dbguard.sql.lint.model import LintMark, MarkKind
from pytest_dbguard.sql.lint.queries import branches, limit_of, number_of
from pytest_dbguard.sql.lint.sorting import sort_of
from pytest_dbguard.sql.lint.text import LintedText


def marks(text: LintedText) -> Iterator[LintMark]:
    """Yield a mark for each query with an OFFSET, a page of more than one row of a table.

    `detail` is "" without ORDER BY; else it is "sorted", and `columns` are the keys, where all are of one table which
    alone stands in FROM.
    """
    for offset in text.all(exp.Offset):
        query = offset.parent
        select = next(branches(query), None)
        scans = text.tables(select) if select is not None else ()
        if query is None or select is None or not scans or not _is_page(text, query, select, offset):
            continue
        is_sorted = arg(query, "order") is not None
        sort = sort_of(text, query) if is_sorted and query is select and _is_alone(text, select) else None
        if is_sorted and sort is None:
            continue
        yield LintMark(
            MarkKind.UNORDERED_PAGE,
            subject=scans[0].table,
            table=scans[0].table,
            schema=scans[0].schema,
            columns=sort.columns if sort is not None else (),
            query=scans[0].query,
            alias=scans[0].alias,
            number=number_of(offset.expression),
            position=text.keyword("OFFSET", text.position(offset)),
            detail="sorted" if is_sorted else "",
        )


def _is_page(text: LintedText, query: exp.Expr, select: exp.Select, offset: exp.Offset) -> bool:
    """Whether it matters which rows a query skips."""
    skipped, most = number_of(offset.expression), limit_of(query)
    if skipped == 0 and most is None:
        # PostgreSQL's way to keep a query from being merged with the one around it
        return False
    if number_of(most) in (0, 1) or offset.find(exp.Rand) is not None:
        # any row will do
        return False
    if query is select and aggregates(select) and select.args.get("group") is None:
        return False
    distinct = select.args.get("distinct")
    has_keys = distinct is not None and distinct.args.get("on") is not None
    return not has_keys and not _is_tested(query)


def _is_tested(query: exp.Expr) -> bool:
    """Whether nothing but the presence of its rows is asked for: EXISTS, IN."""
    parent = query.parent
    while isinstance(parent, exp.Subquery | exp.Paren):
        parent = parent.parent
    return isinstance(parent, exp.Exists | exp.In | exp.Any | exp.All)


def _is_alone(text: LintedText, select: exp.Select) -> bool:
    scope = text.scope(select)
    is_plain = select.args.get("group") is None and select.args.get("distinct") is None
    return is_plain and scope is not None and len(scope.leaves) == 1
