"""Splits scripts of several statements."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import PurePath
from typing import NamedTuple

_MYSQL = re.compile(
    r"^(?:(?!--|/\*|\*)[^\n'])*(?:`\w|\bENGINE\s*=|\bAUTO_INCREMENT\b)|^\s*DELIMITER\s", re.IGNORECASE | re.MULTILINE
)
_GRAMMAR = r"""
      (?P<comment>--[^\n]*{hash}|/\*)
    | (?P<string>\b[eE]'(?:[^'\\]|''|\\.)*(?:'|\Z)|'(?:[^'{slash}]|''{escape})*(?:'|\Z))
    | (?P<quoted>"(?:[^"]|"")*(?:"|\Z)|`[^`]*(?:`|\Z))
    | (?P<dollar>(?<![\w$])\$(?:[^\W\d]\w*)?\$)
    | (?P<delimiter>{delimiter})
    | (?P<command>^[ \t]*(?:\\[^\n]*|\.[a-z]\w*[^\n]*|go(?:[ \t]+\d+)?(?=\s*$)|/(?=[ \t]*$)|delimiter[ \t]+\S+))
    | (?P<send>\\[a-z]\w*[^\n]*)
    | (?P<open>\() | (?P<close>\))
    | (?P<block>\b(?:begin|case|end)\b)
"""
_COMMENT_ENDS = re.compile(r"/\*|\*/")
_NAME = re.compile(r"(?:--|/\*)\s*(?:name\s*:|:name\b)\s*(?P<name>[^\W\d][\w-]*)")
_ROUTINE = re.compile(
    r"create\s+(?:or\s+(?:replace|alter)\s+)?(?:[^\s(]+\s+){0,4}?(?:function|procedure|trigger|event|package)\b",
    re.IGNORECASE,
)
_NO_BLOCK = re.compile(
    r"begin\s*(?:$|;|\b(?:tran|transaction|work|isolation|read|not|deferr\w+|immediate|exclusive|concurrent)\b)",
    re.IGNORECASE,
)
_ENDS = re.compile(r"\bend\s+$", re.IGNORECASE)
_STAYS_OPEN = re.compile(r"end\s+(?:if|loop|while|repeat|for)\b", re.IGNORECASE)
_ROWS_FOLLOW = re.compile(r"copy\b.*\bfrom\s+stdin\b", re.IGNORECASE | re.DOTALL)
_ROWS_END = re.compile(r"^\\\.[ \t\r]*$", re.MULTILINE)


SCRIPT_SUFFIXES = frozenset({".sql", ".ddl", ".pgsql", ".psql", ".mysql"})
STDIN_PATH = "<stdin>"
"""What a script on standard input is called."""


def is_script(path: str) -> bool:
    """Return whether a file holds SQL, as its name tells; so does standard input."""
    return path == STDIN_PATH or PurePath(path).suffix.lower() in SCRIPT_SUFFIXES


class ScriptPart(NamedTuple):
    """One statement of a script: where it begins and ends, without the semicolon; comments before it left out.

    `name` is what a comment above it calls it (`-- name: get_user :one`), "" without one.
    `is_closed` is False where a quote or comment in it never ends.
    """

    start: int
    end: int
    name: str = ""
    is_closed: bool = True


class Script(NamedTuple):
    """The statements of a script, and where its comments begin and end, both in order."""

    parts: tuple[ScriptPart, ...]
    comments: tuple[tuple[int, int], ...]


def split_script(text: str) -> Script:
    """Return the statements and comments of a script; bodies of functions, triggers and DO blocks stay whole.

    Commands to psql and sqlite3, and the rows of COPY ... FROM stdin are left out. Linear in the length.
    """
    splitter = _Splitter(text)
    return Script(tuple(splitter.parts()), tuple(sorted(splitter.comments)))


def script_parts(text: str) -> Iterator[ScriptPart]:
    """Yield the statements of a script in order, as `split_script`."""
    yield from split_script(text).parts


class _Splitter:
    """Walks over quotes, comments and parentheses, from one delimiter to the next."""

    def __init__(self, text: str) -> None:
        self.comments: set[tuple[int, int]] = set()
        self._text = text
        self._is_mysql = _MYSQL.search(text) is not None
        self._delimiter = ";"
        self._name = ""
        self._at = 0
        self._minds_parentheses = True
        self._forget()

    def _forget(self) -> None:
        """Begin a statement where the walk stands."""
        self._start: int | None = None
        self._parentheses = self._blocks = 0
        self._is_closed = True

    def parts(self) -> Iterator[ScriptPart]:
        while True:
            match = _pattern(self._is_mysql, self._delimiter).search(self._text, self._at)
            self._begin(match.start() if match else len(self._text))
            if match is None:
                if not self._retries():
                    yield from self._part(len(self._text))
                    return
            else:
                self._at = match.end()
                yield from self._step(match, match.lastgroup or "")

    def _begin(self, end: int) -> None:
        """Let the statement begin at what stands before the next token, if anything does."""
        if self._start is None and (gap := self._text[self._at : end].lstrip()):
            self._start = end - len(gap)

    def _retries(self) -> bool:
        """Take up a statement again whose parentheses never close; now any semicolon ends it."""
        if self._start is None or not self._parentheses or not self._minds_parentheses:
            return False
        self._at = self._start
        self._minds_parentheses = False
        self._forget()
        return True

    def _part(self, end: int) -> Iterator[ScriptPart]:
        if self._start is not None:
            end = self._start + len(self._text[self._start : end].rstrip())
            yield ScriptPart(self._start, end, self._name, self._is_closed)
            # the name is that of the statement below it, not of those that follow
            self._name = ""
        self._forget()

    def _step(self, match: re.Match[str], kind: str) -> Iterator[ScriptPart]:
        if kind == "comment":
            yield from self._comment(match)
        elif kind == "delimiter":
            yield from self._end(match.start())
        elif kind == "command" and (self._start is None or match.group().lstrip()[0] in "\\gG/"):
            yield from self._part(match.start())
            self._command(match.group().split())
        elif kind == "send":
            yield from self._part(match.start())
        else:
            self._inside(match, kind)

    def _comment(self, match: re.Match[str]) -> Iterator[ScriptPart]:
        start = match.start()
        if match.group() == "/*":
            self._at = self._comment_end(match.end())
        self.comments.add((start, self._at))
        if named := _NAME.match(self._text, start, self._at):
            yield from self._part(start)
            self._name = named["name"]

    def _comment_end(self, at: int) -> int:
        """Return where a comment ends; PostgreSQL's may hold further ones."""
        depth = 1
        for match in _COMMENT_ENDS.finditer(self._text, at):
            depth += 1 if match.group() == "/*" and not self._is_mysql else -(match.group() == "*/")
            if not depth:
                return match.end()
        self._is_closed = False
        return len(self._text)

    def _end(self, at: int) -> Iterator[ScriptPart]:
        """End the statement at a delimiter, unless it stands inside of parentheses or of a body."""
        if self._delimiter == ";" and (self._blocks or (self._parentheses and self._minds_parentheses)):
            return
        has_rows = self._start is not None and _ROWS_FOLLOW.match(self._text, self._start, at)
        yield from self._part(at)
        if has_rows:
            end = _ROWS_END.search(self._text, at)
            self._at = end.end() if end else len(self._text)

    def _command(self, words: list[str]) -> None:
        if words[0].lower() == "delimiter":
            self._delimiter = words[1]

    def _inside(self, match: re.Match[str], kind: str) -> None:
        """Note a token that belongs to the statement."""
        if self._start is None:
            self._start = match.start()
        if kind == "open":
            self._parentheses += 1
        elif kind == "close":
            self._parentheses = max(self._parentheses - 1, 0)
        elif kind == "block":
            self._block(match)
        elif kind == "dollar":
            end = self._text.find(match.group(), match.end())
            self._is_closed = self._is_closed and end >= 0
            self._at = end + len(match.group()) if end >= 0 else len(self._text)
        elif kind in ("string", "quoted"):
            quoted = match.group().lstrip("eE")
            self._is_closed = self._is_closed and len(quoted) > 1 and quoted[-1] == quoted[0]

    def _block(self, match: re.Match[str]) -> None:
        """Count BEGIN ... END of a body; of other statements both are transactions, or belong to CASE."""
        word, start = match.group().lower(), self._start or 0
        if word == "begin":
            is_routine = _ROUTINE.match(self._text, start, match.start()) is not None
            is_anonymous = start == match.start() and not _NO_BLOCK.match(self._text, start)
            self._blocks += self._blocks > 0 or is_routine or is_anonymous
        elif self._blocks and word == "case":
            self._blocks += not _ENDS.search(self._text[max(start, match.start() - 20) : match.start()])
        elif self._blocks and not _STAYS_OPEN.match(self._text, match.start()):
            self._blocks -= 1


@cache
def _pattern(is_mysql: bool, delimiter: str) -> re.Pattern[str]:
    text = _GRAMMAR.format(
        hash=r"|\#[^\n]*" if is_mysql else "",
        slash=r"\\" if is_mysql else "",
        escape=r"|\\." if is_mysql else "",
        delimiter=re.escape(delimiter),
    )
    return re.compile(text, re.VERBOSE | re.DOTALL | re.IGNORECASE | re.MULTILINE)
