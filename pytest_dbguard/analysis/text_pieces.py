"""Takes texts in source apart: pieces that are known, and what f-strings, `%`, `format` and `+` put in between."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterable, Iterator

from pytest_dbguard.analysis.source_trees import SourceTree, name_of

_TEXTS = frozenset({"text", "TextClause", "DDL", "dedent", "cleandoc", "strip", "lstrip", "rstrip"})
_MAX_DEPTH = 8
_PERCENT = re.compile(r"%(?:%|(?:\((\w+)\))?[-#0 +]*\d*(?:\.\d+)?[sdrfiax])")


def pieces(node: ast.expr, tree: SourceTree, depth: int = _MAX_DEPTH) -> Iterator[str | ast.expr]:
    """Yield what a text is made of, in order; names are followed to what they hold."""
    if isinstance(node, ast.Constant):
        yield node.value if isinstance(node.value, str) else node
    elif isinstance(node, ast.JoinedStr):
        for part in node.values:
            yield from pieces(part.value if isinstance(part, ast.FormattedValue) else part, tree, depth - 1)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        yield from pieces(node.left, tree, depth - 1)
        yield from pieces(node.right, tree, depth - 1)
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
        template = _known(pieces(node.func.value, tree, depth - 1))
        yield from _fields(template, node) if template is not None else (node,)
    elif name in _TEXTS and (node.args or isinstance(node.func, ast.Attribute)):
        is_method = name.endswith("strip") and isinstance(node.func, ast.Attribute)
        inner = node.func.value if is_method and isinstance(node.func, ast.Attribute) else (node.args or [node])[0]
        yield from pieces(inner, tree, depth - 1) if inner is not node else (node,)
    else:
        yield node


def _of_name(node: ast.Name, tree: SourceTree, depth: int) -> Iterator[str | ast.expr]:
    """Yield what a name holds: all that its function gives it, or the one text that the module does."""
    texts = [each.value for each in tree.given(node) if each.value is not None]
    if not texts or not any(_is_text(each, tree, depth) for each in texts):
        yield node
        return
    for each in texts:
        yield from pieces(each, tree, depth - 2)


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
    template = _known(pieces(node.left, tree, depth - 1))
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
