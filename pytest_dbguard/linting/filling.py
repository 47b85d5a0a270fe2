"""Finds where templates of Python (`%` and `str.format`) take their arguments."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from pytest_dbguard.linting.placed_text import Part, Piece

_PERCENT = re.compile(r"%%|%(?:\((?P<key>[^)]*)\))?[-#0 +]*(?:\d+|\*)?(?:\.\d+)?(?P<type>[sdifgruxXceEFGoa])")
_FORMAT = re.compile(r"\{\{|\}\}|\{(?P<key>[^{}:!]*)(?:![rsa])?(?::(?P<spec>[^{}]*))?\}")

NUMBER_FORMAT = re.compile(r"[-+ #,_<>=^\d]*(?:\.\d+)?[bdeEfgGnoxX]")
"""Formats that take nothing but numbers."""


class Argument(NamedTuple):
    """A place in a template that takes an argument: which one, a name for it, and whether only a number fits."""

    key: str | int
    name: str
    is_number: bool


_Reader = Callable[[re.Match[str], int], Argument]


def filled_by_percent(parts: Iterable[Part]) -> tuple[Part | Argument, ...]:
    """Return the parts of a template of `%`, each argument apart."""
    return tuple(_filled(parts, _PERCENT, _percent_argument))


def filled_by_format(parts: Iterable[Part]) -> tuple[Part | Argument, ...]:
    """Return the parts of a template of `str.format`, each argument apart."""
    return tuple(_filled(parts, _FORMAT, _format_argument))


def _filled(parts: Iterable[Part], pattern: re.Pattern[str], read: _Reader) -> Iterator[Part | Argument]:
    count = 0
    for part in parts:
        if not isinstance(part, Piece):
            yield part
            continue
        at = 0
        for match in pattern.finditer(part.text):
            if at < match.start():
                yield Piece(part.text[at : match.start()], part.at + at)
            at = match.end()
            if len(match.group()) == 2 and match.group() in ("%%", "{{", "}}"):
                yield Piece(match.group()[0], part.at + match.start())
            else:
                found = read(match, count)
                count += isinstance(found.key, int)
                yield found
        if at < len(part.text):
            yield Piece(part.text[at:], part.at + at)


def _percent_argument(match: re.Match[str], count: int) -> Argument:
    key = match["key"]
    return Argument(count if key is None else key, key or "value", match["type"] in "difgeEFGxXo")


def _format_argument(match: re.Match[str], count: int) -> Argument:
    key = re.split(r"[.\[]", match["key"])[0]
    name = re.sub(r"\W+", "_", match["key"]).strip("_")
    is_number = NUMBER_FORMAT.fullmatch(match["spec"] or "") is not None
    if not key or key.isdigit():
        return Argument(int(key) if key else count, "value", is_number)
    return Argument(key, name, is_number)
