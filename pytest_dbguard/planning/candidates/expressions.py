"""Compares expressions as an index and a statement write them: without aliases, text casts, parentheses and case."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from pytest_dbguard.schema.catalog import Dialect

if TYPE_CHECKING:
    from sqlglot import exp


@lru_cache(maxsize=2_000)
def canonical(expression: str, dialect: Dialect) -> str:
    """Return the spelling that equal expressions share; the text in small letters where it cannot be parsed."""
    tree = parsed(expression, dialect)
    return expression.lower() if tree is None else spelled(tree)


@lru_cache(maxsize=2_000)
def columns_in(expression: str, dialect: Dialect) -> frozenset[str]:
    """Return the names of the columns in an expression; empty where it cannot be parsed."""
    from sqlglot import exp

    tree = parsed(expression, dialect)
    return frozenset() if tree is None else frozenset(column.name for column in tree.find_all(exp.Column))


@lru_cache(maxsize=2_000)
def has_values(expression: str, dialect: Dialect) -> bool:
    """Whether an expression holds a parameter or a text, so that it is not the same in all executions or tells data."""
    from sqlglot import exp

    tree = parsed(expression, dialect)
    if tree is None:
        return True
    values = tree.find_all(exp.Placeholder, exp.Parameter, exp.Literal)
    return any(not isinstance(value, exp.Literal) or value.is_string for value in values)


_PARAMETER = re.compile(r"(?<=[(,\s])\?(?=[):,\s]|\Z)|\A\?")


def parsed(expression: str, dialect: Dialect) -> exp.Expr | None:
    """Return the tree of an expression; None where it cannot be parsed."""
    if dialect is Dialect.POSTGRESQL:
        # facts of statements write all parameters so
        expression = _PARAMETER.sub("$1", expression)
    # by itself sqlglot takes replace(...) for a command
    tree = parsed_statement(f"SELECT {expression}", dialect)
    found = tree.expressions if tree is not None else []
    return found[0] if len(found) == 1 else None


def parsed_statement(sql: str, dialect: Dialect) -> exp.Expr | None:
    """Return the tree of a statement; None where it cannot be parsed."""
    # the parser is only paid for by who needs it
    from sqlglot import parse_one
    from sqlglot.errors import SqlglotError

    try:
        return parse_one(sql, read="postgres" if dialect is Dialect.POSTGRESQL else "sqlite")
    except (SqlglotError, RecursionError):
        return None


def spelled(tree: exp.Expr) -> str:
    """Return the canonical spelling of a tree."""
    from sqlglot import exp

    def bare(node: exp.Expr) -> exp.Expr:
        found: exp.Expr = node.transform(plain)
        return found

    def plain(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Paren):
            return bare(node.this)
        if isinstance(node, exp.Cast) and node.to.is_type("text", "varchar"):
            return bare(node.this)
        if isinstance(node, exp.Column):
            return exp.column(node.name.lower())
        return node

    return tree.copy().transform(plain).sql(dialect="postgres", normalize_functions="lower").lower()
