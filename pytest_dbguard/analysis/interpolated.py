"""Finds what is put into the text of a statement where a bound value should stand, in the source that sends it."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterable, Iterator

from pytest_dbguard.analysis.source_trees import SourceTree, name_of

MAX_LETTERS = 60
_TEXTS = frozenset({"text", "TextClause", "DDL", "dedent", "cleandoc", "strip", "lstrip", "rstrip"})
_KEYWORDS = frozenset({"statement", "sql", "query", "operation", "text", "clause"})
_MAX_DEPTH = 8
_PERCENT = re.compile(r"%(?:%|(?:\((\w+)\))?[-#0 +]*\d*(?:\.\d+)?[sdrfiax])")
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
    for node in sent:
        before = ""
        pieces = list(_pieces(node, tree))
        for number, piece in enumerate(pieces):
            if isinstance(piece, str):
                before += piece
                continue
            after = pieces[number + 1] if number + 1 < len(pieces) else ""
            if _stands_for_a_value(before, after if isinstance(after, str) else "") and _is_value(piece, tree):
                return " ".join(ast.unparse(piece).split())[:MAX_LETTERS]
            before += "x"
    return ""


def _pieces(node: ast.expr, tree: SourceTree, depth: int = _MAX_DEPTH) -> Iterator[str | ast.expr]:
    """Yield what a text is made of: pieces that are known, and what is put in between."""
    if isinstance(node, ast.Constant):
        yield node.value if isinstance(node.value, str) else node
    elif isinstance(node, ast.JoinedStr):
        for part in node.values:
            yield from _pieces(part.value if isinstance(part, ast.FormattedValue) else part, tree, depth - 1)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        yield from _pieces(node.left, tree, depth - 1)
        yield from _pieces(node.right, tree, depth - 1)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        yield from _formatted(node, tree, depth)
    elif isinstance(node, ast.Call):
        yield from _of_call(node, tree, depth)
    elif isinstance(node, ast.Name) and depth > 0:
        yield from _of_name(node, tree, depth)
    else:
        yield node


def _of_call(node: ast.Call, tree: SourceTree, depth: int) -> Iterator[str | ast.expr]:
    name = name_of(node)
    if name == "format" and isinstance(node.func, ast.Attribute):
        template = _known(_pieces(node.func.value, tree, depth - 1))
        yield from _fields(template, node) if template is not None else (node,)
    elif name in _TEXTS and (node.args or isinstance(node.func, ast.Attribute)):
        is_method = name.endswith("strip") and isinstance(node.func, ast.Attribute)
        inner = node.func.value if is_method and isinstance(node.func, ast.Attribute) else (node.args or [node])[0]
        yield from _pieces(inner, tree, depth - 1) if inner is not node else (node,)
    else:
        yield node


def _of_name(node: ast.Name, tree: SourceTree, depth: int) -> Iterator[str | ast.expr]:
    """Yield what a name holds: all that its function gives it, or the one text that the module does."""
    texts = [each.value for each in tree.given(node) if each.value is not None]
    if not texts or not any(_is_text(each, tree, depth) for each in texts):
        yield node
        return
    for each in texts:
        yield from _pieces(each, tree, depth - 2)


def _is_text(node: ast.expr, tree: SourceTree, depth: int) -> bool:
    """Whether an expression is built of pieces of text."""
    if depth <= 0:
        return False
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str)
    if isinstance(node, ast.BinOp):
        return any(_is_text(side, tree, depth - 1) for side in (node.left, node.right))
    if isinstance(node, ast.Call):
        return name_of(node) in _TEXTS | {"format"}
    return isinstance(node, ast.JoinedStr)


def _known(pieces: Iterable[str | ast.expr]) -> str | None:
    """Return a text all of whose pieces are known."""
    found = list(pieces)
    return "".join(str(each) for each in found) if all(isinstance(each, str) for each in found) else None


def _formatted(node: ast.BinOp, tree: SourceTree, depth: int) -> Iterator[str | ast.expr]:
    """Yield the pieces of `"..." % values`."""
    template = _known(_pieces(node.left, tree, depth - 1))
    if template is None:
        yield node
        return
    given = list(node.right.elts) if isinstance(node.right, ast.Tuple) else [node.right]
    by_name = dict(zip(_keys(node.right), node.right.values, strict=False)) if isinstance(node.right, ast.Dict) else {}
    end = 0
    for match in _PERCENT.finditer(template):
        yield template[end : match.start()]
        end = match.end()
        if match.group() == "%%":
            yield "%"
        elif match[1] is not None:
            yield by_name.get(match[1], node.right)
        else:
            yield given.pop(0) if given else node.right
    yield template[end:]


def _keys(node: ast.Dict) -> list[str]:
    return [str(key.value) if isinstance(key, ast.Constant) else "" for key in node.keys]


def _fields(template: str, call: ast.Call) -> Iterator[str | ast.expr]:
    """Yield the pieces of `"...".format(...)`."""
    by_name = {each.arg: each.value for each in call.keywords if each.arg}
    number = 0
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError:
        yield call
        return
    for text, field, _, _ in parts:
        yield text
        if field is None:
            continue
        name = re.split(r"[.\[]", field, maxsplit=1)[0]
        index = int(name) if name.isdigit() else number
        number += not name
        found = by_name.get(name) if name and not name.isdigit() else None
        yield found or (call.args[index] if index < len(call.args) else call)


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
