"""Fits text into a number of terminal cells: wide characters take two, combining ones none."""

from __future__ import annotations

import re
import unicodedata

ELLIPSIS = "…"
_SPACE = re.compile(r"\s+")
_PARENTHESES = re.compile(r"\([^()]{5,}\)")
_WORD = re.compile(r"[A-Za-z_]\w*|[()]|'[^']*'|\"[^\"]*\"|`[^`]*`")


def one_line(text: str) -> str:
    """Return the text on one line, without control characters that a terminal would obey."""
    return without_controls(_SPACE.sub(" ", text).strip())


def without_controls(text: str) -> str:
    """Return the text with control and format characters shown as a replacement character."""
    if text.isprintable():
        return text
    return "".join("\ufffd" if unicodedata.category(char) in ("Cc", "Cf", "Cs") else char for char in text)


def cells(text: str) -> int:
    """Return how many terminal cells the text takes."""
    return len(text) if text.isascii() else sum(map(_char_cells, text))


def pad(text: str, width: int) -> str:
    """Return the text followed by spaces up to `width` cells."""
    return text + " " * (width - cells(text))


def head(text: str, width: int) -> str:
    """Return as much of the start as takes at most `width` cells."""
    taken, used = 0, 0
    for char in text:
        used += _char_cells(char)
        if used > width:
            break
        taken += 1
    return text[:taken]


def tail(text: str, width: int) -> str:
    """Return as much of the end as takes at most `width` cells."""
    start, used = len(text), 0
    while start and used + _char_cells(text[start - 1]) <= width:
        start -= 1
        used += _char_cells(text[start])
    return text[start:]


def cut(text: str, width: int) -> str:
    """Return the text, its end replaced by an ellipsis when it is too wide."""
    return text if cells(text) <= width else head(text, max(width - 1, 0)) + ELLIPSIS


def wrap(text: str, width: int, *, first: int | None = None, break_words: bool = True) -> list[str]:
    """Break text into lines at spaces.

    Args:
        text: One paragraph.
        width: Cells of a line.
        first: Cells of the first line, where they differ.
        break_words: Break words that are wider than a line; without it they stand out, as paths do.
    """
    lines: list[str] = []
    line, room, width = "", max(first if first is not None else width, 1), max(width, 1)
    for word in text.split():
        if line and cells(line) + 1 + cells(word) > room:
            lines.append(line)
            line, room = "", width
        rest = word
        while break_words and not line and cells(rest) > room:
            part = head(rest, room) or rest[0]
            lines.append(part)
            rest, room = rest[len(part) :], width
        line = f"{line} {rest}" if line else rest
    return [*lines, line] if line or not lines else lines


def elide_middle(text: str, width: int) -> str:
    """Return the text with its middle replaced by an ellipsis when it is too wide, cut between words if possible."""
    if cells(text) <= width:
        return text
    room = max(width - 3, 0)
    start, end = head(text, (room + 1) // 2), tail(text, room // 2)
    # a few letters of a word that is cut say nothing, but half a line of blanks says less
    at_word, of_word = start.rpartition(" ")[0], end.partition(" ")[2]
    start = at_word if len(at_word) > len(start) // 2 else start
    end = of_word if len(of_word) > len(end) // 2 else end
    return f"{start.rstrip()} {ELLIPSIS} {end.lstrip()}" if width >= 8 else cut(text, width)


def fit_query(shape: str, width: int) -> str:
    """Return a statement in one line of at most `width` cells, shortest loss of meaning first.

    First the list of columns goes, then long lists in parentheses, then the middle: table and condition stay longest.
    """
    text = one_line(shape)
    if cells(text) <= width:
        return text
    text = _without_columns(text)
    if cells(text) > width:
        text = _PARENTHESES.sub(f"({ELLIPSIS})", text)
    return elide_middle(text, width)


def _without_columns(text: str) -> str:
    """Return `SELECT a, b FROM t` as `SELECT … FROM t`, and what an UPDATE sets alike; inner queries end nothing."""
    depth, start, end_word = 0, 0, ""
    for match in _WORD.finditer(text):
        word = match.group().upper()
        depth += (word == "(") - (word == ")")
        if depth == 0 and not end_word and word in ("SELECT", "SET"):
            start, end_word = match.end(), "FROM" if word == "SELECT" else "WHERE"
        elif depth == 0 and word == end_word:
            return f"{text[:start]} {ELLIPSIS} {text[match.start() :]}"
    return text


def _char_cells(char: str) -> int:
    if char.isascii():
        return 1
    if unicodedata.category(char) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in ("W", "F") else 1
