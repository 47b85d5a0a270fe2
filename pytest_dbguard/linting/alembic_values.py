"""Works out the constants in a migration's code: names, lists, texts put together, types of columns."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterable, Mapping
from typing import Final

UNKNOWN: Final = object()
"""What only running the code can tell."""
PLACEHOLDER: Final = "dbguard_unknown"
"""Stands in a text for a part that nobody can tell; a name to whoever reads SQL."""
_MAX_DEPTH = 12
_UNWRAPPED = frozenset({"text", "f", "DDL", "dedent", "str", "quoted_name", "literal_column", "SQL"})
_LISTED = frozenset({"list", "tuple", "sorted", "reversed", "set", "frozenset"})

_TYPES: Mapping[str, str] = {
    "String": "varchar",
    "Unicode": "varchar",
    "VARCHAR": "varchar",
    "AutoString": "varchar",
    "Text": "text",
    "UnicodeText": "text",
    "TEXT": "text",
    "CITEXT": "citext",
    "CHAR": "char",
    "Integer": "integer",
    "INTEGER": "integer",
    "INT": "integer",
    "BigInteger": "bigint",
    "BIGINT": "bigint",
    "SmallInteger": "smallint",
    "SMALLINT": "smallint",
    "Numeric": "numeric",
    "NUMERIC": "numeric",
    "DECIMAL": "numeric",
    "Float": "double precision",
    "FLOAT": "double precision",
    "Double": "double precision",
    "DOUBLE_PRECISION": "double precision",
    "REAL": "real",
    "Boolean": "boolean",
    "BOOLEAN": "boolean",
    "DateTime": "timestamp",
    "TIMESTAMP": "timestamp",
    "DATETIME": "timestamp",
    "Date": "date",
    "DATE": "date",
    "Time": "time",
    "TIME": "time",
    "Interval": "interval",
    "INTERVAL": "interval",
    "LargeBinary": "bytea",
    "BYTEA": "bytea",
    "JSON": "json",
    "JSONB": "jsonb",
    "UUID": "uuid",
    "Uuid": "uuid",
    "INET": "inet",
    "CIDR": "cidr",
}
_LIMITED = frozenset({"varchar", "char", "numeric"})


class Values:
    """The names of a function or module, each with its value or with the code that gives it."""

    def __init__(self, names: Mapping[str, object] | None = None) -> None:
        self._names: dict[str, object] = dict(names or {})

    def inner(self, names: Mapping[str, object]) -> Values:
        """Return these names and more: what a function sees."""
        return Values({**self._names, **names})

    def bind(self, name: str, value: object) -> None:
        """Give a name another value; code is worked out at once, where that goes."""
        found = self.value(value) if isinstance(value, ast.expr) else value
        self._names[name] = value if found is UNKNOWN else found

    def node(self, node: ast.expr) -> ast.expr:
        """Return the code that a name stands for; other code as it is."""
        for _ in range(_MAX_DEPTH):
            given = self._names.get(node.id) if isinstance(node, ast.Name) else None
            if not isinstance(given, ast.expr):
                break
            node = given
        return node

    def text(self, node: ast.expr | None) -> str:
        """Return a text; "" where it is unknown, or none."""
        value = self.value(node) if node is not None else UNKNOWN
        return value if isinstance(value, str) and PLACEHOLDER not in value else ""

    def sql(self, node: ast.expr) -> str:
        """Return a text whose unknown parts are the placeholder; "" where all of it is unknown."""
        value = self.value(node)
        return value if isinstance(value, str) and value.strip() != PLACEHOLDER else ""

    def texts(self, node: ast.expr | None) -> tuple[str, ...]:
        """Return the texts in a list; others are left out."""
        value = self.value(node) if node is not None else UNKNOWN
        if isinstance(value, str):
            return (value,)
        return tuple(each for each in value if isinstance(each, str)) if isinstance(value, tuple) else ()

    def items(self, node: ast.expr) -> tuple[object, ...] | None:
        """Return what a loop goes over, as values or code; None where that is unknown."""
        node = self.node(node)
        if isinstance(node, ast.List | ast.Tuple | ast.Set):
            return tuple(self._known(each) for each in node.elts)
        value = self.value(node)
        return value if isinstance(value, tuple) else None

    def _known(self, node: ast.expr) -> object:
        value = self.value(node)
        return node if value is UNKNOWN else value

    def value(self, node: ast.expr, depth: int = 0) -> object:
        """Return a constant, a tuple of them for any list, or `UNKNOWN`."""
        if depth > _MAX_DEPTH:
            return UNKNOWN
        match node:
            case ast.Constant():
                return node.value
            case ast.Name():
                given = self._names.get(node.id, UNKNOWN)
                return self.value(given, depth + 1) if isinstance(given, ast.expr) else given
            case ast.List() | ast.Tuple() | ast.Set():
                found = tuple(self.value(each, depth + 1) for each in node.elts)
                return UNKNOWN if UNKNOWN in found else found
            case ast.Dict():
                return self._keys(node, depth)
            case ast.JoinedStr():
                return "".join(self._part(part, depth) for part in node.values)
            case ast.BinOp(op=ast.Add()):
                return self._sum(node, depth)
            case ast.BinOp(op=ast.Mod()):
                return self._percent(node, depth)
            case ast.Call():
                return self._called(node, depth)
            case _:
                return UNKNOWN

    def _keys(self, node: ast.Dict, depth: int) -> object:
        found = tuple(self.value(key, depth + 1) if key is not None else UNKNOWN for key in node.keys)
        return UNKNOWN if UNKNOWN in found else found

    def _part(self, node: ast.expr, depth: int) -> str:
        value = self.value(node.value if isinstance(node, ast.FormattedValue) else node, depth + 1)
        return str(value) if isinstance(value, str | int) else PLACEHOLDER

    def _sum(self, node: ast.BinOp, depth: int) -> object:
        left, right = self.value(node.left, depth + 1), self.value(node.right, depth + 1)
        if isinstance(left, tuple) and isinstance(right, tuple):
            return left + right
        if not isinstance(left, str) and not isinstance(right, str):
            return UNKNOWN
        return "".join(each if isinstance(each, str) else PLACEHOLDER for each in (left, right))

    def _percent(self, node: ast.BinOp, depth: int) -> object:
        pattern, right = self.value(node.left, depth + 1), node.right
        if not isinstance(pattern, str):
            return UNKNOWN
        if isinstance(right, ast.Dict):
            keys = [key.value for key in right.keys if isinstance(key, ast.Constant)]
            given: object = {k: self._part(v, depth) for k, v in zip(keys, right.values, strict=False)}
        else:
            given = tuple(self._part(each, depth) for each in (right.elts if isinstance(right, ast.Tuple) else [right]))
        try:
            return pattern % given
        except (TypeError, ValueError, KeyError):
            return UNKNOWN

    def _called(self, node: ast.Call, depth: int) -> object:
        name = called_name(node)
        if name == "format" and isinstance(node.func, ast.Attribute):
            return self._formatted(node, node.func.value, depth)
        if name in ("strip", "lstrip", "rstrip", "lower", "upper") and isinstance(node.func, ast.Attribute):
            return self.value(node.func.value, depth + 1)
        if name == "keys" and isinstance(node.func, ast.Attribute):
            return self.value(node.func.value, depth + 1)
        if not node.args or name not in _UNWRAPPED | _LISTED:
            return UNKNOWN
        value = self.value(node.args[0], depth + 1)
        return textwrap.dedent(value) if name == "dedent" and isinstance(value, str) else value

    def _formatted(self, node: ast.Call, receiver: ast.expr, depth: int) -> object:
        pattern = self.value(receiver, depth + 1)
        if not isinstance(pattern, str):
            return UNKNOWN
        given = {key.arg: self._part(key.value, depth) for key in node.keywords if key.arg}
        try:
            return pattern.format(*(self._part(each, depth) for each in node.args), **given)
        except (IndexError, KeyError, ValueError, AttributeError):
            return UNKNOWN


def called_name(call: ast.Call) -> str:
    """Return the last name of what is called: `create_index` of `op.create_index(...)`."""
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""


def keyword(call: ast.Call, *names: str) -> ast.expr | None:
    """Return the argument that is given by one of these names."""
    return next((each.value for each in call.keywords if each.arg in names), None)


def type_text(node: ast.expr | None, values: Values) -> str:
    """Return the type that SQLAlchemy's object makes in PostgreSQL; "" for one that nobody knows."""
    if node is None:
        return ""
    node = values.node(node)
    if isinstance(node, ast.Attribute | ast.Name):
        name = node.attr if isinstance(node, ast.Attribute) else node.id
        return _TYPES.get(name, "")
    if not isinstance(node, ast.Call):
        return ""
    name = called_name(node)
    if name == "with_variant" and isinstance(node.func, ast.Attribute):
        names = [values.text(each) for each in node.args[1:]]
        return type_text(node.args[0] if "postgresql" in names else node.func.value, values)
    if name in ("Enum", "ENUM"):
        is_native = values.value(keyword(node, "native_enum") or ast.Constant(True))
        return values.text(keyword(node, "name")) if is_native is True else "varchar"
    if name == "ARRAY" and node.args:
        inner = type_text(node.args[0], values)
        return f"{inner}[]" if inner else ""
    return _with_arguments(_TYPES.get(name, ""), node, values)


def _with_arguments(name: str, node: ast.Call, values: Values) -> str:
    given = [*node.args, *_named(node, ("length", "precision", "scale"))]
    numbers = [value for each in given if isinstance(value := values.value(each), int) and value is not True]
    if name == "timestamp" or name == "time":
        zone = keyword(node, "timezone") or next(iter(node.args), None)
        has_zone = zone is not None and values.value(zone) is True
        return f"{name} with time zone" if has_zone else f"{name} without time zone"
    if name not in _LIMITED or not numbers:
        return name
    return f"{name}({', '.join(map(str, numbers))})"


def _named(node: ast.Call, names: Iterable[str]) -> list[ast.expr]:
    return [value for name in names if (value := keyword(node, name)) is not None]
