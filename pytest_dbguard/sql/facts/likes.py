"""Classes of patterns as they stand in a tree: literals, parameters, concatenations of both."""

from __future__ import annotations

from sqlglot import exp

from pytest_dbguard.sql.patterns import pattern_class


def class_of(node: exp.Expr, *, escape: str, is_glob: bool) -> str:
    """Return the class of a pattern as `Term.pattern` has it.

    One whose end is not known is settled only by a wildcard at its beginning.
    """
    text, is_complete = _text(node)
    known = pattern_class(text, escape=escape, is_glob=is_glob)
    if known in ("leading", "any"):
        return "leading"
    return known if is_complete else "unknown"


def _text(node: exp.Expr) -> tuple[str, bool]:
    """Return what a pattern begins with, as far as it is known, and whether that is all of it."""
    node = node.unnest()
    if isinstance(node, exp.Cast | exp.Collate | exp.Lower | exp.Upper):
        return _text(node.this)
    if isinstance(node, exp.Literal):
        return node.name, True
    if isinstance(node, exp.DPipe):
        parts: list[exp.Expr] = [node.this, node.expression]
    elif isinstance(node, exp.Concat):
        parts = node.expressions
    else:
        return "", False
    text = ""
    for part in parts:
        piece, is_complete = _text(part)
        text += piece
        if not is_complete:
            return text, False
    return text, True
