"""Reads what comments say to dbguard: `# dbguard: ignore[DBG101] reason`, in Python, SQL and templates alike."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from pytest_dbguard.core.errors import nearest

MARK: Final = "dbguard:"
"""What every such comment holds: text without it need not be read."""

IGNORE: Final = "ignore"
FILE_IGNORE: Final = "file-ignore"
VERBS: Final = (IGNORE, FILE_IGNORE)

_DIRECTIVE = re.compile(
    r"(?:\#|//|--|/\*|<!--)\s*dbguard:\s*(?P<verb>[A-Za-z][\w-]*)(?:\s*\[(?P<words>[^\]\n]*)(?P<end>\])?)?"
)


class Directive(NamedTuple):
    """One comment to dbguard: what it asks for, its words (None without brackets), whether the brackets close."""

    verb: str
    words: tuple[str, ...] | None
    is_closed: bool


def directives(comment: str) -> Iterator[Directive]:
    """Yield what a comment says to dbguard, slips of the pen for a verb included; prose that names it says nothing."""
    for found in _DIRECTIVE.finditer(comment):
        verb, words = found["verb"].lower(), found["words"]
        if verb in VERBS or (words is not None and nearest(verb, VERBS)):
            split = None if words is None else tuple(word for part in words.split(",") if (word := part.strip()))
            yield Directive(verb, split, found["end"] is not None)
