"""Turns a statement as a driver got it into texts that a planner can be asked about, without anybody's values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

Value = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Explainable:
    """One text to be explained.

    Attributes:
        sql: PostgreSQL's with `$1`, `$2`, ..., SQLite's with `?`. It may hold literals: never show it.
        ordinals: For each parameter that is left, in the order of numbers: its position in the original text, from 0.
        is_generic: Whether any parameter is left.
    """

    sql: str
    ordinals: tuple[int, ...] = ()

    @property
    def is_generic(self) -> bool:
        """Whether any parameter is left."""
        return bool(self.ordinals)


def explainables(
    text: str,
    style: str,
    values: Mapping[int, tuple[Value, ...]],
    *,
    dialect: str,
    constants: Callable[[str], bool],
) -> tuple[Explainable, ...]:
    """Return the texts to be explained, the usual one first; () for what has no plan."""
    return ()
