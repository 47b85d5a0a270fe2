"""Classes of LIKE and GLOB patterns, which decide what an index can do for them, and stand-ins that tell nothing."""

from __future__ import annotations

_STAND_INS = {"exact": "abc", "prefix": "abc%", "leading": "%abc%", "any": "%"}


def pattern_class(pattern: str, *, escape: str = "", is_glob: bool = False) -> str:
    """Return "exact" (no wildcard), "prefix" (letters first), "leading" (a wildcard first) or "any" (nothing else).

    Args:
        pattern: As it is compared.
        escape: The character that takes a wildcard its meaning; "" for none.
        is_glob: Whether the wildcards are `*`, `?` and `[` rather than `%` and `_`.
    """
    wildcards = "*?[" if is_glob else "%_"
    if pattern and not pattern.strip(wildcards[0]):
        return "any"
    position = 0
    while position < len(pattern):
        if pattern[position] == escape:
            position += 2
        elif pattern[position] in wildcards:
            return "prefix" if position else "leading"
        else:
            position += 1
    return "exact"


def stand_in(kind: str, *, is_glob: bool = False) -> str:
    """Return a pattern of a class, the same for all patterns of it."""
    return _STAND_INS[kind].replace("%", "*") if is_glob else _STAND_INS[kind]
