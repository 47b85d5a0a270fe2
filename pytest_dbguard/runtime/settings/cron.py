"""Says what is wrong with a schedule that is written as in a crontab."""

from __future__ import annotations

import re
from typing import Final

_FIELDS: Final = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day", 1, 31, ()),
    ("month", 1, 12, ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")),
    ("weekday", 0, 7, ("sun", "mon", "tue", "wed", "thu", "fri", "sat")),
)
_PART: Final = re.compile(r"(?:\*|(?P<first>\w+)(?:-(?P<last>\w+))?)(?:/(?P<step>\d+))?")


def wrong_in(text: str) -> str | None:
    """Return what is wrong with "minute hour day month weekday"; None when nothing is."""
    words = text.split()
    if len(words) != len(_FIELDS):
        return f"expected minute, hour, day, month and weekday, as in '30 3 * * *', not {len(words)} of them"
    for word, (name, least, most, names) in zip(words, _FIELDS, strict=True):
        for part in word.split(","):
            if not _is_good(part.lower(), least, most, names):
                return f"{part!r} is no {name} from {least} to {most}"
    return None


def _is_good(part: str, least: int, most: int, names: tuple[str, ...]) -> bool:
    found = _PART.fullmatch(part)
    if found is None or found["step"] == "0":
        return False
    ends = [_number(word, least, names) for word in (found["first"], found["last"]) if word is not None]
    known = [end for end in ends if end is not None and least <= end <= most]
    return len(known) == len(ends) and known == sorted(known)


def _number(word: str, least: int, names: tuple[str, ...]) -> int | None:
    if word in names:
        return names.index(word) + least
    return int(word) if word.isdecimal() else None
