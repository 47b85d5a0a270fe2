"""What one condition says, and how conditions are taken apart at AND and OR."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlglot import exp

from pytest_dbguard.sql.facts.model import Term
from pytest_dbguard.sql.facts.operands import Operand
from pytest_dbguard.sql.facts.scans import Found, Leaf, Reach, Ref


@dataclass(frozen=True, slots=True)
class Bound:
    """A term and the column that it is about."""

    ref: Ref
    leaf: Leaf
    is_local: bool
    term: Term
    needs: Reach


@dataclass(slots=True)
class Reading:
    """What one condition says.

    Attributes:
        bounds: Terms.
        pairs: Columns that must be equal.
        strict: Elements of FROM of which a row of NULLs cannot fulfil it.
        queries: (kind of join, columns before IN, query) of EXISTS and IN.
        mentions: Elements of FROM that it names.
        either: Of an OR: what its branches say.
    """

    bounds: list[Bound] = field(default_factory=list)
    pairs: list[tuple[Found, Found]] = field(default_factory=list)
    strict: list[Leaf] = field(default_factory=list)
    queries: list[tuple[str, tuple[Operand, ...], exp.Expr]] = field(default_factory=list)
    mentions: list[Leaf] = field(default_factory=list)
    either: list[list[Bound]] = field(default_factory=list)


def apart(kind: type[exp.Expr], *parts: exp.Expr) -> exp.Expr:
    """Return a node over parts of a tree, which go on belonging to that tree: others look from them outwards."""
    places = [(part, part.parent, part.arg_key, part.index) for part in parts]
    node = kind(**dict(zip(("this", "expression"), parts, strict=False)))
    for part, parent, key, index in places:
        part.parent, part.arg_key, part.index = parent, key, index
    return node


def conjuncts(condition: exp.Expr) -> Iterator[exp.Expr]:
    """Yield the conditions that must all hold, in the order of the text; NOT (a OR b) is NOT a AND NOT b."""
    pending = [condition]
    while pending:
        node = pending.pop().unnest()
        inner = node.this.unnest() if isinstance(node, exp.Not) else None
        if isinstance(node, exp.And):
            pending += (node.expression, node.this)
        elif isinstance(inner, exp.Or):
            pending += (apart(exp.Not, inner.expression), apart(exp.Not, inner.this))
        else:
            yield node


def branches(condition: exp.Expr) -> list[exp.Expr]:
    """Return the conditions of which one must hold, in the order of the text; NOT (a AND b) is NOT a OR NOT b."""
    found: list[exp.Expr] = []
    pending = [condition]
    while pending:
        node = pending.pop().unnest()
        inner = node.this.unnest() if isinstance(node, exp.Not) else None
        if isinstance(node, exp.Or):
            pending += (node.expression, node.this)
        elif isinstance(inner, exp.And):
            pending += (apart(exp.Not, inner.expression), apart(exp.Not, inner.this))
        else:
            found.append(node)
    return found


def is_or(condition: exp.Expr) -> bool:
    """Whether a condition is an OR, or the opposite of an AND."""
    node = condition.unnest()
    return isinstance(node, exp.Or) or (isinstance(node, exp.Not) and isinstance(node.this.unnest(), exp.And))
