"""Finds the placeholders of a statement by the style of its driver; strings, comments and names hide none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

DOUBLED = frozenset({"format", "pyformat"})
"""Styles in which `%%` stands for one per cent sign."""
NAMED_POSTGRES = "named_postgres"
"""`:name` in a text for PostgreSQL, as SQLAlchemy's `text()` takes it; the style "named" is SQLite's."""
_POSTGRES = DOUBLED | {"numeric_dollar", NAMED_POSTGRES}
_PARAMETERS = {
    "format": r"%(?:\((?P<name>[^)]+)\))?[sbt]",
    "numeric_dollar": r"\$(?P<number>\d+)",
    NAMED_POSTGRES: r"(?<![:\w\\\])]):(?P<name>[^\W\d]\w*)",
    "sqlite": r"\?(?P<number>\d*)|(?<![\w)\]]):(?P<position>\d+)|[:@$](?P<name>[^\W\d]\w*)",
}
_COMMON = r"""
      (?P<space>\s+)
    | (?P<plain>[^\W\d][\w$]*(?![\w$']))
    | (?P<comment>--[^\n]*|/\*)
    | (?P<string>{strings})
    | (?P<quoted>"(?:[^"]|"")*(?:"|\Z)|`[^`]*`{brackets})
    | (?P<cast>::\s*(?:timestamp|time)(?:\s*\(\d+\))?\s+with(?:out)?\s+time\s+zone|::\s*double\s+precision
        |::\s*character\s+varying(?:\(\d+\))?|::\s*bit\s+varying(?:\(\d+\))?
        |::\s*(?:"[^"]*"|\w+)(?:\.(?:"[^"]*"|\w+))?(?:\s*\(\d+(?:,\s*\d+)?\))?(?:\s*\[\d*\])*)
    | (?P<percent>{percent})
    {operators}
    | (?P<parameter>{parameter})
    | (?P<number_>0x[\da-f_]+|\d[\d_]*(?:\.\d*)?(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?)
    | (?P<word>[^\W\d][\w$]*)
    | (?P<sign><=>|<=|>=|<>|!=|==|=>|\|\||->>|->|\#>>|\#>|@>|<@|@@|&&|~~\*?|!~~\*?|.)
"""
_STRINGS = r"[nbx]?'(?:[^']|'')*(?:'|\Z)"
_ESCAPED = r"e'(?:[^'\\]|''|\\.)*(?:'|\\?\Z)|\$(?P<tag>(?:[^\W\d]\w*)?)\$.*?(?:\$(?P=tag)\$|\Z)|" + _STRINGS
# PostgreSQL's operator on JSON, where a driver's question marks stand beside it: data ? 'key', data ?| array[...]
_QUESTIONS = r"| (?P<operator>\?\?[|&]?|\?[|&]?(?=\s*(?:'|array\s*\[)|\s+\?))"
_FLAGS = re.VERBOSE | re.DOTALL | re.IGNORECASE
_NEVER = r"(?!)"


def _pattern(parameter: str, *, is_postgres: bool, is_doubled: bool = False) -> re.Pattern[str]:
    text = _COMMON.format(
        strings=_ESCAPED if is_postgres else _STRINGS,
        # after a name or a parenthesis a bracket is a subscript
        brackets="" if is_postgres else r"|(?<![\w)\]])\[[^\]]*\]",
        percent="%%" if is_doubled else _NEVER,
        operators="" if is_postgres else _QUESTIONS,
        parameter=_PARAMETERS[parameter],
    )
    return re.compile(text, _FLAGS)


_FORMAT = _pattern("format", is_postgres=True, is_doubled=True)
_DOLLAR = _pattern("numeric_dollar", is_postgres=True)
_COLON = _pattern(NAMED_POSTGRES, is_postgres=True)
_SQLITE = _pattern("sqlite", is_postgres=False)
_PATTERNS = {"numeric_dollar": _DOLLAR, NAMED_POSTGRES: _COLON}
_COMMENT_ENDS = re.compile(r"/\*|\*/")


class Lexeme(NamedTuple):
    """One token: kind, text as written, where it begins and ends, and of a parameter the key.

    Kinds: string, quoted, cast, parameter, number, word, sign. The key of a parameter is its name, else its index in
    the sequence of values, from 0; of other tokens it is None.
    """

    kind: str
    text: str
    start: int
    end: int
    key: str | int | None = None


class Placeholder(NamedTuple):
    """One placeholder: where it begins and ends in the text, and its key as in `Lexeme`."""

    start: int
    end: int
    key: str | int


def is_postgres_style(style: str) -> bool:
    """Whether only drivers of PostgreSQL use this style here; the others are SQLite's."""
    return style in _POSTGRES


def placeholders(text: str, style: str) -> tuple[Placeholder, ...]:
    """Return the placeholders in the order of the text; one that is named twice stands twice. Linear in the length."""
    return tuple(Placeholder(t.start, t.end, t.key) for t in lexemes(text, style) if t.key is not None)


def lexemes(text: str, style: str) -> list[Lexeme]:
    """Return the tokens without whitespace and comments. Linear in the length."""
    return list(_known(text, style))


@lru_cache(maxsize=4)
def _known(text: str, style: str) -> tuple[Lexeme, ...]:
    """Return the tokens of one of the last texts, which several who read a statement ask for."""
    return tuple(_lexemes(text, style))


def _lexemes(text: str, style: str) -> Iterator[Lexeme]:
    pattern = _FORMAT if style in DOUBLED else _PATTERNS.get(style, _SQLITE)
    count = 0
    begin: int | None = 0
    while begin is not None:
        matches, begin = pattern.finditer(text, begin), None
        for match in matches:
            kind = match.lastgroup or "sign"
            if kind == "space":
                continue
            start, end = match.span()
            if kind == "comment":
                begin = _comment_end(text, start, end, is_nested=style in _POSTGRES)
                break
            if kind in _KEYED:
                key = _key(match, count)
                count = max(count, key + 1) if isinstance(key, int) else count
                yield Lexeme("parameter", match.group(), start, end, key)
            else:
                yield Lexeme(_KINDS.get(kind, kind), match.group(), start, end)


_KEYED = frozenset({"parameter", "name", "number", "position"})
_KINDS = {"plain": "word", "tag": "string", "number_": "number", "percent": "sign", "operator": "sign"}


def _key(match: re.Match[str], count: int) -> str | int:
    """Return what a parameter is called: its name, the number that it tells (from 1), else the next one."""
    groups = match.groupdict()
    if groups.get("name"):
        return groups["name"]
    number = groups.get("number") or groups.get("position")
    return int(number) - 1 if number and int(number) else count


def _comment_end(text: str, start: int, end: int, *, is_nested: bool) -> int:
    """Return where a comment ends; PostgreSQL's may hold further ones."""
    if text[start] == "-":
        return end
    depth = 1
    for match in _COMMENT_ENDS.finditer(text, end):
        if match.group() == "*/":
            depth -= 1
        elif is_nested:
            depth += 1
        if not depth:
            return match.end()
    return len(text)
