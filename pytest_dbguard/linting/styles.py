"""Tells the style of a statement's parameters from its text."""

from __future__ import annotations

import re

_GRAMMAR = r"""
      (?P<skipped>--[^\n]*|/\*.*?(?:\*/|\Z)|\b[eE]'(?:[^'\\]|''|\\.)*(?:'|\Z)|'(?:[^']|'')*(?:'|\Z)
        |"(?:[^"]|"")*(?:"|\Z)|`[^`]*(?:`|\Z)|(?<![\w$])\$(?P<tag>(?:[^\W\d]\w*)?)\$.*?(?:\$(?P=tag)\$|\Z)|::|:=|@@|%%)
    | (?P<numeric_dollar>(?<![\w$])\$\d+)
    | (?P<pyformat>%\(\w+\)[sbt])
    | (?P<format>%[sbt](?!\w))
    | (?P<numeric>(?<![\w)\]:]):\d+)
    | (?P<named>(?<![\w)\]:\\]):[^\W\d]\w*)
    | (?P<at>(?<![\w@])@[^\W\d]\w*(?!\w|\s*:?=\s*(?:@|\(?select\b)))
    | (?P<qmark>\?(?![|&?]|\s*'))
"""
PARAMETERS = re.compile(_GRAMMAR, re.VERBOSE | re.DOTALL | re.IGNORECASE)
"""Parameters of all styles, each in a group of its style's name; "at" is `@name`; "skipped" holds none."""


def style_of(text: str) -> str:
    """Return the style of the first parameter, as a snippet's, or "at"; "" without parameters."""
    kinds = (match.lastgroup for match in PARAMETERS.finditer(text))
    return next((kind for kind in kinds if kind not in (None, "skipped", "tag")), "") or ""


def placeholder(style: str, name: str) -> str:
    """Return a parameter of a style, to stand beside others of it; `:name` where there are none."""
    if style in ("qmark", "format"):
        return "?" if style == "qmark" else "%s"
    return f"%({name})s" if style == "pyformat" else f":{name}"
