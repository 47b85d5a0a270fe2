"""Tells what is known of an expression that is put into a text: whether it can hold anybody's input."""

from __future__ import annotations

import ast
import re
from typing import Final

from pytest_dbguard.linting.calls import called_name
from pytest_dbguard.linting.placed_text import Safety

_PLACEHOLDER = re.compile(
    r"place_?holder|qmark|question_?mark|param_?style|(?:^|_)(?:ph|marks?|params?|bind(?:er|s|_?params?)?)s?$",
    re.IGNORECASE,
)
_QUOTES_NAMES = re.compile(
    r"(?:quote|quoted|escape|safe|format|sanitize)_?(?:ident|name|table|column|schema)|^Identifier$|^quote$|^ident$",
    re.IGNORECASE,
)
_HARMLESS: Final = frozenset(
    {"int", "len", "float", "round", "abs", "ord", "bool", "Decimal", "UUID", "uuid1", "uuid4", "uuid7", "isoformat"}
    | {"now", "utcnow", "today", "time", "timestamp", "monotonic", "strftime", "random", "randint", "hexdigest", "hex"}
)
"""What they return is nobody's choice, or holds nothing but digits, letters and signs of dates."""
_NUMBERS: Final = frozenset({"int", "float", "bool", "Decimal", "UUID", "date", "datetime", "time", "timedelta"})
"""Types whose values hold nothing else either."""
_QUOTES_VALUES = re.compile(r"(?:quote|escape)_?(?:literal|string|value|str)|^escape$|^adapt$|^mogrify$|^literal$")
_SQL: Final = frozenset({"compile", "as_string", "render", "to_sql", "getvalue"})
_COMPOSED: Final = frozenset({"Literal", "Placeholder"})
"""Of psycopg: it quotes, or binds, what they hold."""
_CONSTANT = re.compile(r"_*[A-Z][A-Z\d_]*")
_RESERVED: Final = frozenset(
    {"table", "order", "user", "group", "column", "from", "select", "where", "schema", "index", "limit", "offset"}
    | {"values", "value", "in", "like", "join", "on", "set", "default", "database", "view", "key", "all", "desc", "asc"}
)


def safety_of(node: ast.expr) -> Safety:
    """Return what is known of an expression by its own looks."""
    match node:
        case ast.Constant():
            return Safety.CONSTANT
        case ast.Name(id=name):
            return _of_name(name)
        case ast.Attribute(attr="value" | "name" as attr, value=ast.Attribute(attr=member)):
            return Safety.CONSTANT if _CONSTANT.fullmatch(member) else _of_name(attr)
        case ast.Attribute(value=ast.Name(id=owner), attr=attr) if owner[:1].isupper() and not _PLACEHOLDER.search(
            attr
        ):
            # of a class: a constant, a member of an enumeration, or a column
            return Safety.CONSTANT
        case ast.Attribute(attr=attr):
            return _of_name(attr)
        case ast.Subscript(slice=ast.Constant(value=str() as key)):
            return Safety.PLACEHOLDER if _PLACEHOLDER.search(key) else Safety.UNKNOWN
        case ast.BinOp(left=left, op=ast.Sub() | ast.Mult() | ast.FloorDiv() | ast.Div() | ast.Add(), right=right):
            sides = {safety_of(left), safety_of(right)}
            return Safety.CONSTANT if sides == {Safety.CONSTANT} else Safety.UNKNOWN
        case ast.Call():
            return _of_call(node)
    return Safety.UNKNOWN


def _of_name(name: str) -> Safety:
    if _PLACEHOLDER.search(name):
        return Safety.PLACEHOLDER
    return Safety.CONSTANT if _CONSTANT.fullmatch(name) else Safety.UNKNOWN


def _of_call(node: ast.Call) -> Safety:
    name = called_name(node)
    match node.args:
        case [ast.GeneratorExp(elt=each) | ast.ListComp(elt=each)] if name == "join":
            return safety_of(each)
        case [ast.Call(func=ast.Name(id="map"), args=[function, values])] if name == "join":
            return safety_of(ast.Call(function, [values], []))
        case [_, ast.Constant(value="?" | "%s")] if name == "get":
            return Safety.PLACEHOLDER
        case _:
            pass
    if name in _COMPOSED:
        return Safety.PLACEHOLDER
    if name in _HARMLESS or _QUOTES_VALUES.search(name):
        return Safety.CONSTANT
    if _QUOTES_NAMES.search(name):
        return Safety.NAME
    if name in _SQL:
        return Safety.SQL
    if _PLACEHOLDER.search(name):
        return Safety.PLACEHOLDER
    if name in ("str", "repr") and len(node.args) == 1:
        return safety_of(node.args[0])
    return Safety.UNKNOWN


def is_number(annotation: ast.expr | None) -> bool:
    """Whether an annotation allows nothing but numbers, dates and the like, in which nobody can write SQL."""
    match annotation:
        case ast.Constant(value=None):
            return True
        case ast.Constant(value=str() as text):
            return all(part.strip() in _NUMBERS or part.strip() == "None" for part in text.split("|"))
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in _NUMBERS
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return is_number(left) and is_number(right)
        case ast.Subscript(value=ast.Name(id="Optional") | ast.Attribute(attr="Optional"), slice=inner):
            return is_number(inner)
    return False


def parameter_name(node: ast.expr) -> str:
    """Return a name for a parameter that takes the place of an expression, or for what the expression names."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            found = name
        case ast.Subscript(slice=ast.Constant(value=str() as key)):
            found = key
        case ast.Subscript(value=value) | ast.Await(value=value) | ast.FormattedValue(value=value):
            return parameter_name(value)
        case ast.Call(func=ast.Attribute(attr="join"), args=[ast.Call(args=[*_, texts]) | texts]):
            return parameter_name(texts)
        case ast.GeneratorExp(generators=[each, *_]) | ast.ListComp(generators=[each, *_]):
            return parameter_name(each.iter)
        case ast.Call(func=ast.Attribute(value=value, attr="strip" | "lower" | "upper" | "replace" | "strftime")):
            return parameter_name(value)
        case ast.BinOp(left=left, right=right):
            return next((name for side in (left, right) if (name := parameter_name(side)) != "value"), "value")
        case ast.Call(args=[ast.Constant(value=str() as key), *_]):
            found = key
        case ast.Call(args=[argument, *_], func=ast.Name()):
            return parameter_name(argument)
        case ast.Call():
            found = called_name(node)
        case _:
            found = ""
    found = re.sub(r"\W+", "_", found, flags=re.ASCII).strip("_").lower()
    if not found or found[0].isdigit():
        found = f"value_{found}".rstrip("_")
    return found


def stand_in(name: str) -> str:
    """Return a name that SQL takes for that of a table or column, without quotes."""
    return f"{name}_" if name in _RESERVED else name
