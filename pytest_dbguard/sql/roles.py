"""Tells what each placeholder of a statement is for, from tokens alone."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Role:
    """What one placeholder is for.

    Attributes:
        role: "limit", "offset", "like", "equal" (also `<>` and IS DISTINCT FROM), "list", "range", "other".
        column: Name of the column that it is compared with, without alias and quotes; "" where there is none.
        key: The name of named styles, else the index in the sequence of parameters, from 0.
    """

    role: str
    column: str = ""
    key: str | int = 0


def placeholder_roles(text: str, style: str) -> tuple[Role, ...]:
    """Return a role for each placeholder in the order of the text; one that is named twice counts twice."""
    return ()
