"""Knows the calls that take statements: of SQLAlchemy, of drivers, and of what is built on them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from enum import Enum


class Taken(Enum):
    """What a call takes a string for."""

    STATEMENT = "statement"
    TEXT = "text"
    PERHAPS = "perhaps"


_EXECUTE = frozenset(
    {"execute", "executemany", "executescript", "exec_driver_sql", "execute_sql", "scalar", "scalars", "stream"}
    | {"stream_scalars", "fetch", "fetchrow", "fetchval", "fetch_all", "fetch_one", "fetch_val", "fetchmany", "iterate"}
    | {"cursor", "prepare", "mogrify", "read_sql", "read_sql_query", "raw", "run_sql", "RunSQL", "query", "query_one"}
    | {"execute_query", "execute_query_dict", "from_statement", "read_database", "sql", "exec"}
)
_SECOND = frozenset({"execute_values", "execute_batch", "copy_expert"})
_KEYWORDS = frozenset({"sql", "query", "statement", "stmt", "operation", "command", "sql_query"})
_SOUNDS_LIKE_IT = re.compile(
    r"sql|quer(?:y|ies)|exec|fetch|select|statement|stmt|cursor|insert|update|delete|prepare|rows?$|scalar|^run|^_?q$",
    re.IGNORECASE,
)
_MESSAGES = frozenset({"debug", "info", "warning", "warn", "error", "exception", "critical", "log", "print", "echo"})
_TEXT_OWNERS = frozenset({"sa", "sqlalchemy", "db", "sql"})
ROWS_IN_STATEMENT = frozenset({"format", "join", "strip", "lstrip", "rstrip", "dedent", "cleandoc"})
"""Methods that return a text made of the one they are called on."""

Imports = Mapping[str, str]


def imported_names(node: ast.Import | ast.ImportFrom) -> Imports:
    """Return the dotted names that the names of an import stand for."""
    if isinstance(node, ast.ImportFrom):
        return {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return {alias.asname or alias.name.partition(".")[0]: alias.name for alias in node.names}


def taken_by(call: ast.Call, imports: Imports) -> Iterator[tuple[Taken, ast.expr]]:
    """Yield the arguments of a call that may be statements, and what it takes them for."""
    name = called_name(call)
    if name == "text" or imports.get(name, "").endswith(".text"):
        yield from _taken_by_text(call, imports)
    elif name in _EXECUTE:
        yield from ((Taken.STATEMENT, argument) for argument in (*call.args[:1], *_named(call)))
    elif name in _SECOND:
        yield from ((Taken.STATEMENT, argument) for argument in (*call.args[1:2], *_named(call)))
    elif name not in _MESSAGES and name not in ROWS_IN_STATEMENT:
        arguments = call.args if _SOUNDS_LIKE_IT.search(name) else ()
        yield from ((Taken.PERHAPS, argument) for argument in (*arguments, *_named(call)))


def called_name(call: ast.Call) -> str:
    """Return the last name of what is called; "" for what has none."""
    func = call.func
    return func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""


def _taken_by_text(call: ast.Call, imports: Imports) -> Iterator[tuple[Taken, ast.expr]]:
    arguments = call.args[:1] or [keyword.value for keyword in call.keywords if keyword.arg == "text"]
    kind = Taken.TEXT if _is_sqlalchemys(call.func, imports) else Taken.PERHAPS
    yield from ((kind, argument) for argument in arguments)


def _is_sqlalchemys(func: ast.expr, imports: Imports) -> bool:
    if isinstance(func, ast.Name):
        origin = imports.get(func.id, "")
    else:
        owner = func.value if isinstance(func, ast.Attribute) else None
        name = owner.id if isinstance(owner, ast.Name) else owner.attr if isinstance(owner, ast.Attribute) else ""
        origin = "sqlalchemy" if name in _TEXT_OWNERS else imports.get(name, "")
    return origin.split(".")[0] in ("sqlalchemy", "sqlmodel")


def _named(call: ast.Call) -> Iterator[ast.expr]:
    yield from (keyword.value for keyword in call.keywords if keyword.arg in _KEYWORDS)
