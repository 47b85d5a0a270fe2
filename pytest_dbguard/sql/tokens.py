"""Splits SQL text of any dialect into tokens; enough for shapes, not a parser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_TOKEN = re.compile(
    r"""
      (?P<space>\s+)
    | (?P<comment>--[^\n]*|/\*.*?(?:\*/|\Z))
    | (?P<string>[eE]'(?:[^'\\]|''|\\.)*(?:'|\\?\Z)|[nNbBxX]?'(?:[^']|'')*(?:'|\Z)
        |\$(?P<tag>(?:[A-Za-z_]\w*)?)\$.*?\$(?P=tag)\$)
    | (?P<quoted>"(?:[^"]|"")*"|`[^`]*`)
    | (?P<cast>::\s*(?:timestamp|time)\s+with(?:out)?\s+time\s+zone|::\s*double\s+precision
        |::\s*character\s+varying(?:\(\d+\))?|::\s*"?\w+"?(?:\.\w+)?(?:\(\d+(?:,\s*\d+)?\))?(?:\[\])*)
    | (?P<parameter>%\(\w+\)s|%s|\$\d+|:[A-Za-z_]\w*|\?)
    | (?P<number>0x[\da-f_]+|\d[\d_]*(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)
    | (?P<word>[^\W\d]\w*(?:\$\w*)?)
    | (?P<sign><=|>=|<>|!=|\|\||->>|->|\#>>|\#>|@>|<@|~~\*?|!~~\*?|[^\s\w])
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)


class Token(NamedTuple):
    """One token: kind (the group's name), text as written, and offset in the statement."""

    kind: str
    text: str
    offset: int


def comments(statement: str) -> Iterator[str]:
    """Yield the comments of a statement; what looks like one in a string or a quoted name is none."""
    for match in _TOKEN.finditer(statement):
        if match.lastgroup == "comment":
            yield match.group()


def tokens(statement: str) -> Iterator[Token]:
    """Yield the tokens of a statement, without whitespace and comments."""
    for match in _TOKEN.finditer(statement):
        kind = match.lastgroup or "sign"
        if kind == "tag":
            kind = "string"
        if kind not in ("space", "comment"):
            yield Token(kind, match.group(), match.start())
