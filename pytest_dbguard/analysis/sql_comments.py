"""Finds ignore comments in SQL files, and the lines that each of them covers."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator

from pytest_dbguard.analysis.ignore_comments import SourceComments, Written
from pytest_dbguard.core.directives import MARK
from pytest_dbguard.sql.splitting import split_script


def sql_comments(text: str) -> SourceComments:
    """Return the ignore comments of a SQL file.

    A comment covers the statement that it stands in or behind. Alone on its line it covers the statement right below
    it and below further lines of comments. Text in strings is no comment.
    """
    found = SourceComments()
    if MARK in text:
        for written, first, last in _Lines(text).covered():
            found.add(written, first, last)
    return found


class _Lines:
    """Tells which lines the statements and comments of a script take."""

    def __init__(self, text: str) -> None:
        script = split_script(text)
        self._text = text
        self._starts = [0, *(newline.end() for newline in re.finditer("\n", text))]
        self._parts = [(self._line(part.start), self._line(part.end - 1)) for part in script.parts]
        self._comments = [(start, self._line(start), self._line(end - 1), end) for start, end in script.comments]
        self._of_comments = {line for _, first, last, _ in self._comments for line in range(first, last + 1)}

    def covered(self) -> Iterator[tuple[Written, int, int]]:
        """Yield the comments that may speak to dbguard, and the lines that each covers."""
        for start, first, last, end in self._comments:
            text = self._text[start:end]
            if MARK in text:
                yield (Written(text, first, at_edge=start == self._starts[first - 1]), *self._lines(first, last))

    def _lines(self, first: int, last: int) -> tuple[int, int]:
        """Return the lines of the statement that a comment belongs to; its own where there is none."""
        inner = self._part_at(first)
        if inner is None:
            below = last + 1
            while below in self._of_comments and self._part_at(below) is None:
                below += 1
            inner = self._part_at(below)
        return inner or (first, last)

    def _part_at(self, line: int) -> tuple[int, int] | None:
        """Return the last statement that has text in a line."""
        number = bisect_right(self._parts, (line, len(self._text)))
        part = self._parts[number - 1] if number else None
        return part if part is not None and part[1] >= line else None

    def _line(self, offset: int) -> int:
        return bisect_left(self._starts, offset + 1)
