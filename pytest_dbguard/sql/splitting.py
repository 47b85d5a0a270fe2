"""Splits scripts of several statements."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple


class ScriptPart(NamedTuple):
    """One statement of a script: where it begins and ends, without the semicolon; comments before it left out.

    `name` is what a comment above it calls it (`-- name: get_user :one`), "" without one.
    `is_closed` is False where a quote or comment in it never ends.
    """

    start: int
    end: int
    name: str = ""
    is_closed: bool = True


def script_parts(text: str) -> Iterator[ScriptPart]:
    """Yield the statements of a script in order; bodies of functions, triggers and DO blocks stay whole.

    Commands to psql and sqlite3, and the rows of COPY ... FROM stdin are left out.
    """
    yield from ()
