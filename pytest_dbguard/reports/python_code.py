"""Breaks lines of suggested code where Python allows it, so that what is printed can be pasted."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytest_dbguard.reports.fitting import cells

_PART = re.compile(r"\"[^\"]*\"|'[^']*'|[^\"'()\[\]{},]+|.")
_OPENING, _CLOSING = ("(", "[", "{"), (")", "]", "}")
_INDENT = "    "


def fit_code(code: str, width: int) -> list[str]:
    """Return the lines of `code`, those that are too wide broken inside of their last brackets, as formatters do.

    A line without brackets to break in stays as it is: wrong code would be worse than a wide line.
    """
    return [part for line in code.split("\n") for part in _fit_line(line.rstrip(), width)]


def _fit_line(line: str, width: int) -> list[str]:
    brackets = None if line.lstrip().startswith("#") else _last_brackets(line)
    if cells(line) <= width or brackets is None:
        return [line]
    start, end = brackets
    indent = line[: len(line) - len(line.lstrip())]
    inside = f"{indent}{_INDENT}{line[start:end].strip()}"
    parts = [inside] if cells(inside) <= width else [f"{indent}{_INDENT}{part}" for part in _arguments(line[start:end])]
    return [line[:start].rstrip(), *(each for part in parts for each in _fit_line(part, width)), indent + line[end:]]


def _last_brackets(line: str) -> tuple[int, int] | None:
    """Return start and end of what stands in the last outer brackets that hold something."""
    found, depth, offset, start = None, 0, 0, 0
    for part in _PART.findall(line):
        if part in _CLOSING:
            depth -= 1
            if depth == 0 and line[start:offset].strip():
                found = (start, offset)
        offset += len(part)
        if part in _OPENING:
            start = offset if depth == 0 else start
            depth += 1
    return found if depth == 0 else None


def _arguments(text: str) -> Iterator[str]:
    """Yield what commas outside of inner brackets separate, each with its comma."""
    current, depth = "", 0
    for part in _PART.findall(text):
        current += part
        depth += (part in _OPENING) - (part in _CLOSING)
        if part == "," and depth == 0:
            yield current.strip()
            current = ""
    if current.strip():
        yield current.strip()
