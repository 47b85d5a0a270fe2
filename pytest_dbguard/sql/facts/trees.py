"""Walks over trees as sqlglot does, in the same order and several times as fast, and values that are computed once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Generic, TypeVar, overload

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.generator import Generator

_Node = TypeVar("_Node", bound=exp.Expr)
_Value = TypeVar("_Value")
_EXPRESSION: type[exp.Expr] = getattr(exp, "Expr", exp.Expression)
"""What sqlglot walks over, in its versions before and since 30."""


def children(node: exp.Expr) -> list[exp.Expr]:
    """Return what `iter_expressions` yields."""
    found: list[exp.Expr] = []
    for value in node.args.values():
        if value.__class__ is list:
            found += [each for each in value if isinstance(each, _EXPRESSION)]
        elif isinstance(value, _EXPRESSION):
            found.append(value)
    return found


def walk(root: exp.Expr) -> list[exp.Expr]:
    """Return what `walk` yields: a node and all beneath it, those of one depth after another."""
    found = [root]
    # it grows while it is read
    for node in found:
        for value in node.args.values():
            if value.__class__ is list:
                found += [each for each in value if isinstance(each, _EXPRESSION)]
            elif isinstance(value, _EXPRESSION):
                found.append(value)
    return found


def find_all(root: exp.Expr, *types: type[_Node]) -> Iterator[_Node]:
    """Yield what `find_all` yields; the tree must not be changed meanwhile."""
    return (node for node in walk(root) if isinstance(node, types))


def holds(root: exp.Expr, *types: type[exp.Expr]) -> bool:
    """Whether a node of some types stands in a tree."""
    return any(isinstance(node, types) for node in walk(root))


def written(tree: exp.Expr, dialect: str) -> str:
    """Return the SQL of a tree that nobody needs any more: functions in small letters, no comments."""
    return _generator(dialect).generate(tree, copy=False)


@cache
def _generator(dialect: str) -> Generator:
    # a new one for each expression costs as much as the expression
    return Dialect.get_or_raise(dialect).generator(normalize_functions="lower", comments=False)


class lazy(Generic[_Value]):
    """As `cached_property`, without the lock which that has before Python 3.12."""

    def __init__(self, compute: Callable[[Any], _Value]) -> None:
        self._compute = compute
        self._name = compute.__name__
        self.__doc__ = compute.__doc__

    @overload
    def __get__(self, instance: None, owner: type) -> lazy[_Value]: ...

    @overload
    def __get__(self, instance: object, owner: type) -> _Value: ...

    def __get__(self, instance: object | None, owner: type) -> lazy[_Value] | _Value:
        if instance is None:
            return self
        value = self._compute(instance)
        instance.__dict__[self._name] = value
        return value
