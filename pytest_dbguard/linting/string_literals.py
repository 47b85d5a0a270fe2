"""Reads string literals of Python from their source: what they say, and where each character of it stands.

`ast` tells where a literal begins and ends, but not where its inside stands, and of f-strings not before Python 3.12.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from pytest_dbguard.linting.placed_text import Piece

_GAP = re.compile(r"(?:\s|\\\n|#[^\n]*)+")
_OPENING = re.compile(r"(?P<prefix>[A-Za-z]{0,2})(?P<quote>'''|\"\"\"|'|\")")
_PLAIN = re.compile(r"[^\\{}\n'\"]+")
_ESCAPE = re.compile(
    r"\\(?:(?P<octal>[0-7]{1,3})|x(?P<hex>[\da-fA-F]{2})|u(?P<short>[\da-fA-F]{4})|U(?P<long>[\da-fA-F]{8})"
    r"|N\{(?P<name>[^}]*)\}|(?P<simple>[\n\\'\"abfnrtv]))"
)
_SIMPLE = dict(zip("\n\\'\"abfnrtv", ["", "\\", "'", '"', "\a", "\b", "\f", "\n", "\r", "\t", "\v"], strict=True))
_BRACKETS = {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}


class Field(NamedTuple):
    """A replacement field of an f-string: where its expression begins and ends, its conversion and format."""

    start: int
    end: int
    conversion: str
    format: str


def literal_parts(source: str, start: int, end: int) -> Iterator[Piece | Field]:
    """Yield the text and the fields of one literal, or of several that stand side by side.

    Args:
        source: With line feeds at the ends of its lines.
        start: Offset of the first literal.
        end: Offset behind the last one.
    """
    at = start
    while at < end:
        if gap := _GAP.match(source, at):
            at = gap.end()
            continue
        opening = _OPENING.match(source, at)
        if opening is None:
            return
        reader = _Reader(source, opening)
        yield from reader.parts()
        at = reader.at


class _Reader:
    """Reads one literal; afterwards `at` is the offset behind it."""

    def __init__(self, source: str, opening: re.Match[str]) -> None:
        prefix = opening["prefix"].lower()
        self.at = opening.end()
        self._source = source
        self._quote = opening["quote"]
        self._is_raw = "r" in prefix
        self._has_fields = "f" in prefix or "t" in prefix

    def parts(self) -> Iterator[Piece | Field]:
        source, length = self._source, len(self._source)
        begin = self.at
        while self.at < length:
            at = self.at
            if plain := _PLAIN.match(source, at):
                self.at = plain.end()
            elif source.startswith(self._quote, at):
                yield from self._text(begin, at)
                self.at = at + len(self._quote)
                return
            elif source[at] == "\n":
                self.at += 1
                yield from self._text(begin, self.at)
                begin = self.at
            elif (source[at] == "\\" and not self._is_raw) or (source[at] in "{}" and self._has_fields):
                yield from self._text(begin, at)
                yield self._escape() if source[at] == "\\" else self._brace()
                begin = self.at
            else:
                # of a raw literal, a backslash keeps the quote behind it from closing
                self.at += 2 if source[at] == "\\" and source[at + 1] in "\\'\"" else 1

    def _text(self, start: int, end: int) -> Iterator[Piece]:
        if start < end:
            yield Piece(self._source[start:end], start)

    def _escape(self) -> Piece:
        at = self.at
        match = _ESCAPE.match(self._source, at)
        if match is None:
            self.at += 1
            return Piece("\\", at)
        self.at = match.end()
        return Piece(_decoded(match), at)

    def _brace(self) -> Piece | Field:
        at, char = self.at, self._source[self.at]
        if char == "}" or self._source.startswith("{{", at):
            self.at += 2
            return Piece(char, at)
        return self._field()

    def _field(self) -> Field:
        start = self.at + 1
        end = self._walk(start, "!:=}")
        self.at = end
        if self._source[end] == "=":
            self.at = self._walk(end + 1, "!:}")
        conversion = ""
        if self._source[self.at] == "!":
            conversion = self._source[self.at + 1]
            self.at += 2
        close = self._format_end(self.at)
        text = self._source[self.at : close].lstrip(":")
        self.at = close + 1
        return Field(start, end, conversion, text)

    def _format_end(self, at: int) -> int:
        """Return the offset of the brace that closes a field; a format holds no expressions but in fields."""
        depth = 0
        while at < len(self._source) - 1 and (depth or self._source[at] != "}"):
            depth += (self._source[at] == "{") - (self._source[at] == "}")
            at += 1
        return at

    def _walk(self, at: int, ends: str) -> int:
        """Return the offset of the first of these characters outside of brackets, strings and comparisons."""
        depth = 0
        while at < len(self._source):
            char = self._source[at]
            if depth == 0 and char in ends and not self._compares(at):
                return at
            if char == "#":
                at = self._source.find("\n", at) % len(self._source)
            elif opening := self._opening(at):
                inner = _Reader(self._source, opening)
                for _ in inner.parts():
                    pass
                at = inner.at
            else:
                depth += _BRACKETS.get(char, 0)
                at += 2 if self._compares(at) else 1
        return len(self._source) - 1

    def _compares(self, at: int) -> bool:
        return self._source[at : at + 2] in ("!=", "==", "<=", ">=")

    def _opening(self, at: int) -> re.Match[str] | None:
        """Return the beginning of a string literal at an offset; letters that end a name are no prefix."""
        if self._source[at - 1].isalnum() or self._source[at - 1] == "_":
            return _OPENING.match(self._source, at) if self._source[at] in "'\"" else None
        return _OPENING.match(self._source, at)


def _decoded(match: re.Match[str]) -> str:
    if match["simple"] is not None:
        return _SIMPLE[match["simple"]]
    if match["name"] is not None:
        try:
            return unicodedata.lookup(match["name"])
        except KeyError:
            return match.group()
    if match["octal"] is not None:
        return chr(int(match["octal"], 8))
    return chr(int(match["hex"] or match["short"] or match["long"], 16))
