"""Tells whether a statement's conditions imply the predicate of a partial index."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from pytest_dbguard.planning.candidates.expressions import parsed, parsed_statement, spelled
from pytest_dbguard.schema.catalog import Dialect
from pytest_dbguard.sql.facts.model import Term, TermKind

if TYPE_CHECKING:
    from sqlglot import exp

_STRICT = (TermKind.EQUAL, TermKind.LIST, TermKind.JOIN, TermKind.RANGE, TermKind.PREFIX)


def implied(predicate: str, terms: Sequence[Term], sql: str, dialect: Dialect) -> bool:
    """Return whether rows that meet a statement's terms on a table meet the predicate; True where nobody can tell.

    Only literals can be compared: a parameter on the predicate's column may hold the right value.
    """
    tree = parsed(predicate, dialect)
    if tree is None:
        return True
    said = _conditions(sql, dialect) if sql else None
    return all(_is_met(part, terms, said) for part in _conjuncts(tree))


def asks_for_null(sql: str, column: str, dialect: Dialect) -> bool:
    """Return whether a statement says anywhere that a column may be NULL."""
    return bool(sql) and f"{column.lower()} is null" in _conditions(sql, dialect)


def _is_met(part: exp.Expr, terms: Sequence[Term], said: frozenset[str] | None) -> bool:
    from sqlglot import exp

    names = {column.name.lower() for column in part.find_all(exp.Column)}
    of_names = [term for term in terms if term.column.lower() in names and not term.is_negated]
    if _is_not_null(part):
        return any(term.kind in _STRICT for term in of_names) or (said is not None and _canonical(part) in said)
    if said is None or any(term.operand == "parameter" for term in of_names):
        return {term.column.lower() for term in of_names} == names
    if isinstance(part, exp.GT | exp.GTE | exp.LT | exp.LTE):
        return bool(of_names)
    return any(one in said for one in _alternatives(part))


def _conjuncts(tree: exp.Expr) -> Iterator[exp.Expr]:
    from sqlglot import exp

    tree = _without_negate(tree.unnest())
    if isinstance(tree, exp.And):
        yield from _conjuncts(tree.left)
        yield from _conjuncts(tree.right)
    else:
        yield tree


def _is_not_null(part: exp.Expr) -> bool:
    from sqlglot import exp

    return isinstance(part, exp.Not) and isinstance(part.this.unnest(), exp.Is)


def _alternatives(part: exp.Expr) -> Iterator[str]:
    """Yield the conditions each of which implies this one: itself, and equality with one value of a list."""
    from sqlglot import exp

    yield _canonical(part)
    values: Sequence[exp.Expr] = ()
    if isinstance(part, exp.In):
        values = part.expressions
    elif isinstance(part, exp.EQ) and isinstance(part.expression, exp.Any):
        array = part.expression.find(exp.Array)
        values = array.expressions if array is not None else ()
    for value in values:
        yield _canonical(exp.EQ(this=part.this.copy(), expression=value.copy()))


@lru_cache(maxsize=500)
def _conditions(sql: str, dialect: Dialect) -> frozenset[str]:
    """Return the canonical spellings of all conditions of a statement, wherever they stand."""
    from sqlglot import exp

    tree = parsed_statement(sql, dialect)
    if tree is None:
        return frozenset()
    kinds = (exp.EQ, exp.NEQ, exp.Is, exp.In, exp.Not, exp.Like, exp.Column, exp.NullSafeEQ)
    found = {_canonical(node) for node in tree.find_all(*kinds) if _is_said(node)}
    for node in tree.find_all(exp.In):
        if len(node.expressions) == 1:
            found.add(_canonical(exp.EQ(this=node.this.copy(), expression=node.expressions[0].copy())))
    return frozenset(found)


def _is_said(node: exp.Expr) -> bool:
    """Whether a condition stands as such: not under NOT, and a column not as an operand."""
    from sqlglot import exp

    above = node.parent
    while isinstance(above, exp.Paren):
        above = above.parent
    if isinstance(node, exp.Column):
        return isinstance(above, exp.Where | exp.And | exp.Or | exp.Join)
    return not isinstance(above, exp.Not)


def _without_negate(node: exp.Expr) -> exp.Expr:
    """Return IS NOT as NOT around IS: some versions of sqlglot say it by an attribute of IS."""
    from sqlglot import exp

    if isinstance(node, exp.Is) and node.args.get("negate"):
        return exp.Not(this=exp.Is(this=node.this.copy(), expression=node.expression.copy()))
    return node


def _canonical(node: exp.Expr) -> str:
    """Return the spelling of a condition; the ways to ask for a boolean share one."""
    from sqlglot import exp

    node = _without_negate(node.unnest())
    if isinstance(node, exp.Not) and isinstance(node.this.unnest(), exp.Column):
        return f"not {spelled(node.this)}"
    if isinstance(node, exp.EQ | exp.Is | exp.NullSafeEQ) and isinstance(node.this.unnest(), exp.Column):
        value = node.expression.unnest()
        if isinstance(value, exp.Boolean):
            return spelled(node.this) if value.this else f"not {spelled(node.this)}"
        if isinstance(value, exp.Literal) and not value.is_string and value.this in ("0", "1"):
            return spelled(node.this) if value.this == "1" else f"not {spelled(node.this)}"
    return spelled(node)
