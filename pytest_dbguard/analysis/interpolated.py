"""Finds what is put into the text of a statement where a bound value should stand, in the source that sends it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from pytest_dbguard.analysis.source_trees import SourceTree, name_of
from pytest_dbguard.analysis.text_pieces import pieces

MAX_LETTERS = 60
_FRAGMENTS = frozenset({"text", "literal_column"})
_KEYWORDS = frozenset({"statement", "sql", "query", "operation", "text", "clause"})
_VALUE_FOLLOWS = re.compile(
    r"(?:=|<>|[<>]|\b(?:LIKE|ILIKE|LIMIT|OFFSET|BETWEEN|IN)|\bIN\s*\(|\bBETWEEN\s+\S+\s+AND)\s*\Z", re.IGNORECASE
)
_LISTS = re.compile(r"\b(?:IN|VALUES)\s*\([^()]*,\s*\Z|\bVALUES\s*(?:\([^()]*\)\s*,\s*)*\(\s*\Z", re.IGNORECASE)
_NAME_GOES_ON = re.compile(r"[\w.(\"]")
_PLACEHOLDER = re.compile(r"\?|%s|%\(|:\w|:\Z|\$|@")
_NAMES_OF_SQL = re.compile(
    r"(?i)(?:\A|_|\b)(?:cols?|columns?|tables?|tablename|alias(?:es)?|fields?|schema|clauses?|conditions?|where|order"
    r"|sql|subquery|placeholders?|params?|binds?|marks?|expr(?:ession)?"
    r"|(?:sequence|table|column|index|schema|constraint|function|database|db)_?name)_?\Z"
)


def interpolated_value(call: ast.Call, tree: SourceTree) -> str:
    """Return the source of the first value that is put into the text that a call sends; "" where none is.

    Names of tables and columns, which cannot be bound, lists of placeholders, and constants of the module are none.
    """
    sent = [*call.args[:1], *(each.value for each in call.keywords if each.arg in _KEYWORDS)]
    within = [part for node in (call, *sent) for part in _texts_in(node, tree)]
    for node in (*sent, *within):
        found = _first_value(list(pieces(node, tree)), tree)
        if found:
            return found
    return ""


def _texts_in(node: ast.expr, tree: SourceTree) -> Iterator[ast.expr]:
    """Yield the pieces of SQL that stand in an expression, and in what a name holds: `select(...).where(text(...))`."""
    values = [each.value for each in tree.given(node)] if isinstance(node, ast.Name) else [node]
    for value in values:
        for part in ast.walk(value) if value is not None else ():
            if isinstance(part, ast.Call) and name_of(part) in _FRAGMENTS and part.args:
                yield part.args[0]


def _first_value(found: list[str | ast.expr], tree: SourceTree) -> str:
    before = ""
    for number, piece in enumerate(found):
        if isinstance(piece, str):
            before += piece
            continue
        after = found[number + 1] if number + 1 < len(found) else ""
        if _stands_for_a_value(before, after if isinstance(after, str) else "") and _is_value(piece, tree):
            return " ".join(ast.unparse(piece).split())[:MAX_LETTERS]
        before += "x"
    return ""


def _stands_for_a_value(before: str, after: str) -> bool:
    """Whether a value stands between two pieces of SQL: in quotes, or behind what compares."""
    if before.count("'") % 2:
        return True
    if _NAME_GOES_ON.match(after):
        return False
    return _VALUE_FOLLOWS.search(before) is not None or _LISTS.search(before) is not None


def _is_value(node: ast.expr, tree: SourceTree) -> bool:
    """Whether an expression is no constant, no name in SQL, and no list of placeholders."""
    nodes = list(ast.walk(node))
    if isinstance(node, ast.Constant) or any(_is_placeholder(each) for each in nodes):
        return False
    if not any(isinstance(each, ast.Name) for each in nodes):
        return False
    last = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    if _NAMES_OF_SQL.search(last) or "__tablename__" in last or last.isupper() or _is_of_class(node):
        return False
    if isinstance(node, ast.Call) and name_of(node) in ("len", "quoted_name", "quote", "Identifier", "format_type"):
        return False
    return not (isinstance(node, ast.Name) and _is_fixed(node, tree))


def _is_of_class(node: ast.expr) -> bool:
    """Whether it is an attribute of a class or an enum, which is a constant: `Kind.OPEN`, `models.Kind.OPEN.value`."""
    while isinstance(node, ast.Attribute):
        node = node.value
        name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
        if name[:1].isupper():
            return True
    return False


def _is_placeholder(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and bool(_PLACEHOLDER.match(node.value))


def _is_fixed(node: ast.Name, tree: SourceTree) -> bool:
    """Whether a name only ever holds constants, placeholders, or what nobody can see to be a value."""
    values = [each.value for each in tree.given(node) if each.value is not None]
    return bool(values) and all(
        isinstance(value, ast.Constant) or any(_is_placeholder(each) for each in ast.walk(value)) for value in values
    )
