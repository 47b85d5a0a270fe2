"""Breaks lines of suggested code where Python allows it, so that what is printed can be pasted."""

from __future__ import annotations

import re

from pytest_dbguard.reports.fitting import cells

_PART = re.compile(r"\"[^\"]*\"|'[^']*'|[\w.]+|\s+|.")
_OPENING, _CLOSING = ("(", "[", "{"), (")", "]", "}")
_INDENT = "    "


def fit_code(code: str, width: int) -> list[str]:
    """Return the lines of `code`, those that are too wide broken inside of their brackets.

    A line without brackets to break in stays as it is: wrong code would be worse than a wide line.
    """
    return [part for line in code.split("\n") for part in _fit_line(line.rstrip(), width)]


def _fit_line(line: str, width: int) -> list[str]:
    if cells(line) <= width or line.lstrip().startswith("#"):
        return [line]
    indent = line[: len(line) - len(line.lstrip())] + _INDENT
    lines: list[str] = []
    current = ""
    for piece in _pieces(line):
        if current.strip() and cells(current + piece.rstrip()) > width:
            lines.append(current.rstrip())
            current = indent + piece.lstrip()
        else:
            current += piece
    return [*lines, current.rstrip()]


def _pieces(line: str) -> list[str]:
    """Return the stretches between which a line may break: after an opening bracket or a comma inside of one."""
    pieces, depth = [""], 0
    for part in _PART.findall(line):
        pieces[-1] += part
        depth += (part in _OPENING) - (part in _CLOSING)
        if depth > 0 and (part == "," or part in _OPENING):
            pieces.append("")
    return pieces
