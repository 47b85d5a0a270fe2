"""Marks outer joins that a condition of WHERE makes inner ones of: it lets no row of NULLs pass."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from pytest_dbguard.sql.facts.conditions import ConditionReader
from pytest_dbguard.sql.facts.readings import branches, conjuncts, is_or
from pytest_dbguard.sql.facts.scans import Leaf
from pytest_dbguard.sql.facts.scopes import Scope
from pytest_dbguard.sql.lint.model import LintMark, MarkKind
from pytest_dbguard.sql.lint.queries import is_negated
from pytest_dbguard.sql.lint.text import LintedText

ASKS_FOR_SOME = "is not null"
"""The condition is no other than that there is a row: IS NOT NULL."""


def marks(text: LintedText) -> Iterator[LintMark]:
    """Yield a mark for each outer join and the first condition that takes its rows of NULLs away."""
    for select in text.selects:
        scope = text.scope(select)
        where = select.args.get("where")
        joins = select.args.get("joins") or []
        if scope is None or where is None or not any(_side(join) for join in joins):
            continue
        reader = ConditionReader(scope, {}, describes=False)
        strict = [(each, _refused(each, reader)) for each in conjuncts(where.this)]
        for join, side, nullable in _outer(joins, scope):
            found = ((each, leaf) for each, leaves in strict for leaf in leaves if leaf in nullable)
            first = next(found, None)
            if first is not None:
                yield _mark(text, join, side, *first)


def _refused(condition: exp.Expr, reader: ConditionReader) -> list[Leaf]:
    """Return the elements of FROM whose rows of NULLs a condition does not let pass; of an OR no branch may."""
    if not is_or(condition):
        return reader.read(condition).strict
    first, *others = (
        [leaf for part in conjuncts(branch) for leaf in _refused(part, reader)] for branch in branches(condition)
    )
    return [leaf for leaf in first if all(leaf in each for each in others)]


def _outer(joins: list[exp.Expr], scope: Scope) -> Iterator[tuple[exp.Expr, str, list[Leaf]]]:
    """Yield each outer join with its side and the elements that it fills with NULLs."""
    for join in joins:
        side = _side(join)
        own = _named(join.this, scope)
        joined = [id(leaf) for later in joins[joins.index(join) :] for leaf in _named(later.this, scope)]
        before = [leaf for leaf in scope.leaves.values() if id(leaf) not in joined]
        nullable = {"LEFT": own, "RIGHT": before, "FULL": [*before, *own]}.get(side, [])
        if nullable:
            yield join, side, nullable


def _side(join: exp.Expr) -> str:
    return str(join.args.get("side") or "").upper()


def _named(element: exp.Expr, scope: Scope) -> list[Leaf]:
    """Return the elements that stand on the right of a join: one, or those of a join in parentheses."""
    names = [element.alias_or_name]
    if isinstance(element, exp.Subquery | exp.Paren) and not element.args.get("alias"):
        names = [table.alias_or_name for table in element.find_all(exp.Table)]
    keys = {scope.names.key(name) for name in names} | {scope.names.key(name.lower()) for name in names}
    return [leaf for leaf in scope.leaves.values() if scope.names.key(leaf.alias) in keys]


def _mark(text: LintedText, join: exp.Expr, side: str, condition: exp.Expr, leaf: Leaf) -> LintMark:
    columns = [text.column(column) for column in condition.find_all(exp.Column)]
    found = next((each for each in columns if each is not None and each.leaf is leaf), None)
    ref = found.plain if found is not None else None
    scan = leaf.scan or (ref.scan if ref is not None else None)
    inner = condition.this.unnest() if isinstance(condition, exp.Not) else condition
    is_null_test = isinstance(inner, exp.Is) and isinstance(inner.expression, exp.Null)
    return LintMark(
        MarkKind.NEGATED_OUTER_JOIN,
        subject=scan.table if scan is not None else leaf.alias,
        table=scan.table if scan is not None else "",
        schema=scan.schema if scan is not None else "",
        columns=(found.name,) if found is not None else (),
        query=leaf.query.number,
        alias=leaf.alias,
        expression=text.spelled(condition),
        position=text.keyword(side, text.position(join.this)) if side else None,
        detail=ASKS_FOR_SOME if is_null_test and (inner is not condition or is_negated(inner)) else side.lower(),
    )
