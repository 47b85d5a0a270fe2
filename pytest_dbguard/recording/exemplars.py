"""Keeps one text of each shape, and what those of its parameters held that can change a plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pytest_dbguard.recording.literal_sets import MAX_SETS, literal_set
from pytest_dbguard.sql.roles import Role, placeholder_roles

MAX_SHAPES = 20_000
MAX_VALUES = 8
"""A parameter that holds more values than these is none that a plan could be made for."""
_MAX_LETTERS = 64
_KEPT_ROLES = frozenset({"limit", "offset", "like", "equal", "count"})
_SCALARS = (bool, int, float, str)

Value = str | int | float | bool | None


@dataclass(slots=True)
class TextValues:
    """A text, the style of its parameters, and the values that were seen, by the parameter's position.

    What holds too many values, or values of other kinds than numbers and short texts, is given up for good: the result
    does not depend on the order of executions. Of a pattern for LIKE only the class is kept. What is not given up is
    `watched`. `longest_list` and `literal_sets` are of all texts of the shape: how long IN lists are, and digests of
    the literals that are written into the texts, at most `MAX_SETS` of them.
    """

    text: str
    style: str
    watched: dict[int, Role] = field(default_factory=dict)
    values: dict[int, set[Value]] = field(default_factory=dict)
    given_up: set[int] = field(default_factory=set)
    longest_list: int = 0
    literal_sets: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, text: str, style: str) -> TextValues:
        """Return what keeps nothing so far."""
        roles = placeholder_roles(text, style)
        kept = {place: each for place, each in enumerate(roles) if each.role in _KEPT_ROLES}
        return cls(text, style, kept)

    def take(self, parameters: Any) -> None:
        """Take in the parameters of one execution: a mapping, or a sequence in the order of the driver."""
        for position, placeholder in list(self.watched.items()):
            try:
                value = parameters[placeholder.key]
            except (KeyError, IndexError, TypeError):
                self._give_up(position)
                continue
            if placeholder.role == "like":
                value = _pattern_class(value)
            seen = self.values.setdefault(position, set())
            if value.__class__ in _SCALARS or value is None:
                if value in seen:
                    continue
                if len(seen) < MAX_VALUES and not (value.__class__ is str and len(value) > _MAX_LETTERS):
                    seen.add(value)
                    continue
            self._give_up(position)

    def _give_up(self, position: int) -> None:
        self.watched.pop(position, None)
        self.values.pop(position, None)
        self.given_up.add(position)


class Exemplars:
    """The shortest text of each shape, the first in order among equals, for each style of parameters."""

    def __init__(self) -> None:
        self._best: dict[tuple[str, str], TextValues] = {}
        self._by_text: dict[str, TextValues] = {}

    def learn(self, shape_id: str, statement: str, style: str, longest_list: int = 0) -> None:
        """Take in a text at its first sight; of its parameters nothing is kept where a better one is known.

        `longest_list` is the number of members of its longest IN list.
        """
        key = (shape_id, style)
        known = self._best.get(key)
        if known is None and len(self._best) >= MAX_SHAPES:
            return
        best = known
        if known is None or (len(statement), statement) < (len(known.text), known.text):
            best = TextValues.of(statement, style)
            if known is not None:
                best.longest_list, best.literal_sets = known.longest_list, known.literal_sets
                self._by_text.pop(known.text, None)
            self._best[key] = self._by_text[statement] = best
        assert best is not None
        best.longest_list = max(best.longest_list, longest_list)
        if len(best.literal_sets) < MAX_SETS:
            best.literal_sets.add(literal_set(statement))

    def take(self, statement: str, parameters: Any) -> None:
        """Take in the parameters of an execution; in the hot path."""
        known = self._by_text.get(statement)
        if known is not None and known.watched and parameters:
            known.take(parameters)

    def __iter__(self) -> Iterator[tuple[str, TextValues]]:
        """Yield (shape id, text and values), in the order in which shapes were first seen."""
        for (shape_id, _), known in self._best.items():
            yield shape_id, known


def style_of(dialect: Any, parameters: Any) -> str:
    """Return the style of a statement's parameters: a mapping for a driver of positions means names."""
    style = str(getattr(dialect, "paramstyle", "qmark"))
    if isinstance(parameters, Mapping) and style in ("qmark", "numeric"):
        return "named"
    return style


def _pattern_class(value: Any) -> Any:
    """Return a pattern of the same class: it begins with a wildcard, it has one behind letters, or it has none."""
    if not isinstance(value, str):
        return value
    if value[:1] in ("%", "_"):
        return "%abc%"
    return "abc%" if "%" in value or "_" in value else "abc"
