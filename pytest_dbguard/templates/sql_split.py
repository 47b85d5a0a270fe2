"""Cuts the text of SQL files into statements, as psql does, with the rows of COPY that pg_dump writes between them."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

_TOKEN: Final = re.compile(
    r"""(?P<space>\s+|--[^\n]*)
      | (?P<comment>/\*)
      | (?P<escapes>[eE]'(?:[^'\\]|\\.|'')*')
      | (?P<quoted>'[^']*'|"[^"]*")
      | (?P<dollar>\$(?:[^\W\d]\w*)?\$)
      | (?P<word>[^\W\d][\w$]*)
      | (?P<meta>\\[^\n]*)
      | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_COMMENT: Final = re.compile(r"/\*|\*/")
_COPY: Final = re.compile(r"COPY\b.*\bFROM\s+STDIN\b", re.IGNORECASE | re.DOTALL)
# around what pg_dump writes since 2025: it forbids all other commands of psql
_HARMLESS: Final = re.compile(r"\\(un)?restrict\b")
_ROUTINE: Final = re.compile(r"CREATE (OR REPLACE )?(FUNCTION|PROCEDURE)\b")


class MetaCommand(ValueError):
    """A command of psql, which no server understands."""

    def __init__(self, command: str, line: int) -> None:
        super().__init__(command)
        self.command = command
        self.line = line


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a file."""

    sql: str
    line: int
    """The line that it begins in."""

    rows: str | None = None
    """What stands between COPY and the line with a backslash and a full stop."""


def split_postgres(text: str) -> Iterator[Statement]:
    r"""Yield the statements of a text.

    A semicolon does not end one within quotes, comments, parentheses (as in CREATE RULE) or BEGIN ATOMIC.

    Raises:
        MetaCommand: For commands of psql, other than those that pg_dump puts around its output.
    """
    pending = _Pending()
    position = 0
    while (token := _TOKEN.match(text, position)) is not None:
        kind, value, position = token.lastgroup, token.group(), token.end()
        if kind == "comment":
            position = _end_of_comment(text, position)
        elif kind == "meta":
            if pending.begin is not None or not _HARMLESS.match(value):
                raise MetaCommand(value.split()[0], _line(text, token.start()))
        elif value == ";" and pending.may_end:
            if pending.begin is not None:
                statement = Statement(text[pending.begin : position], _line(text, pending.begin))
                if pending.words[:1] == ["COPY"] and _COPY.match(statement.sql):
                    rows, position = _rows(text, position)
                    statement = replace(statement, rows=rows)
                yield statement
            pending = _Pending()
        elif kind != "space":
            pending.take(token)
            if kind == "dollar":
                end = text.find(value, position)
                position = len(text) if end < 0 else end + len(value)
    if pending.begin is not None:
        yield Statement(text[pending.begin :].rstrip(), _line(text, pending.begin))


@dataclass(slots=True)
class _Pending:
    """A statement that has not ended yet."""

    begin: int | None = None
    words: list[str] = field(default_factory=list)
    _parentheses: int = 0
    _blocks: int = 0

    @property
    def may_end(self) -> bool:
        """Whether a semicolon ends it."""
        return not self._parentheses and not self._blocks

    def take(self, token: re.Match[str]) -> None:
        """Take in its next part."""
        self.begin = token.start() if self.begin is None else self.begin
        value = token.group()
        if token.lastgroup == "word":
            self.words.append(value.upper())
            self._blocks += self._opened()
        elif value in "()":
            self._parentheses = max(0, self._parentheses + (1 if value == "(" else -1))

    def _opened(self) -> int:
        """Return 1 when the last word opens a block of a routine written in SQL, -1 when it ends one, else 0."""
        last = self.words[-1]
        if last == "BEGIN":
            return int(bool(self._blocks or _ROUTINE.match(" ".join(self.words[:4]))))
        return int(last == "CASE") - int(last == "END") if self._blocks else 0


def split_sqlite(text: str) -> Iterator[Statement]:
    """Yield the statements of a text, cut where SQLite itself says that one ends."""
    start = 0
    for end in (match.end() for match in re.finditer(";", text)):
        if sqlite3.complete_statement(text[start:end]):
            yield from _stripped(text, start, end)
            start = end
    yield from _stripped(text, start, len(text))


def _stripped(text: str, start: int, end: int) -> Iterator[Statement]:
    blank = re.compile(r"(?:\s+|--[^\n]*|/\*.*?\*/|;)*", re.DOTALL).match(text, start, end)
    start = blank.end() if blank else start
    if start < end:
        yield Statement(text[start:end].strip(), _line(text, start))


def _rows(text: str, position: int) -> tuple[str, int]:
    """Return the rows that follow a COPY, and where what follows them begins."""
    begin = text.find("\n", position) + 1 or len(text)
    end = re.compile(r"^\\\.\r?$", re.MULTILINE).search(text, begin)
    if end is None:
        return text[begin:], len(text)
    return text[begin : end.start()], end.end()


def _end_of_comment(text: str, position: int) -> int:
    depth = 1
    while depth and (mark := _COMMENT.search(text, position)) is not None:
        depth += 1 if mark.group() == "/*" else -1
        position = mark.end()
    return len(text) if depth else position


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1
