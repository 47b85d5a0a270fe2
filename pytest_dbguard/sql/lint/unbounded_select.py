"""Marks statements that return all rows of a table: nothing filters, groups or limits them."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from pytest_dbguard.sql.facts.model import Scan, TermKind
from pytest_dbguard.sql.facts.outputs import aggregates
from pytest_dbguard.sql.lint.model import LintMark, MarkKind
from pytest_dbguard.sql.lint.queries import branches, elements, limit_of, part_of_with
from pytest_dbguard.sql.lint.text import LintedText


def marks(text: LintedText) -> Iterator[LintMark]:
    """Yield a mark for each table of a statement that may come back whole: outer joins add to it, and no more.

    `detail` is "joined" where others stand beside it, of which the keys must tell whether they take rows away.
    """
    if not isinstance(text.tree, exp.Query) or any(map(_stops, _around(text.tree))):
        return
    for select in _sources(text.tree):
        scans = text.scans(select)
        if len(scans) != len(list(elements(select))):
            continue
        kept = [scan for scan in scans if not scan.is_outer]
        if any(map(_is_filtered, kept)):
            continue
        for scan in kept:
            yield LintMark(
                MarkKind.UNBOUNDED_SELECT,
                subject=scan.table,
                table=scan.table,
                schema=scan.schema,
                query=scan.query,
                alias=scan.alias,
                detail="joined" if len(kept) > 1 else "",
            )


def _sources(tree: exp.Expr) -> Iterator[exp.Select]:
    """Yield the SELECTs whose rows all come back: the outermost ones, or what stands alone in their FROM."""
    pending, seen = list(branches(tree)), set[int]()
    while pending:
        select = pending.pop()
        if id(select) in seen or _stops(select) or _thins_out(select):
            continue
        seen.add(id(select))
        found = list(elements(select))
        inner = part_of_with(found[0]) or found[0].this if len(found) == 1 else None
        if not isinstance(inner, exp.Query):
            yield select
        elif not any(map(_stops, _around(inner))):
            pending += branches(inner)


def _around(tree: exp.Expr) -> Iterator[exp.Expr]:
    """Yield the set operations and parentheses around the SELECTs of a statement."""
    pending = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, exp.SetOperation):
            pending += (node.this, node.expression)
        elif isinstance(node, exp.Subquery):
            pending.append(node.this)
        else:
            continue
        yield node


def _stops(query: exp.Expr) -> bool:
    """Whether a query ends before all rows were returned."""
    return limit_of(query) is not None or isinstance(query, exp.Except | exp.Intersect)


def _thins_out(select: exp.Select) -> bool:
    """Whether fewer rows come out of a query than are read: a condition, groups, DISTINCT, a sample."""
    where = select.args.get("where")
    is_filtered = where is not None and where.find(exp.Column, exp.Query, exp.Placeholder) is not None
    is_never = where is not None and isinstance(where.this, exp.Boolean) and not where.this.this
    is_gathered = aggregates(select) or select.args.get("distinct") is not None
    sampled = any(element.args.get("sample") is not None for element in elements(select))
    return is_filtered or is_never or is_gathered or sampled or select.args.get("qualify") is not None


def _is_filtered(scan: Scan) -> bool:
    """Whether an inner join's ON compares it with more than columns of other tables."""
    return bool(scan.alternatives) or any(term.kind is not TermKind.JOIN for term in scan.terms)
