"""Counts what one test ran, by scope, shape and place, in a form that travels from worker to controller."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import astuple, dataclass, field
from typing import Any

from pytest_dbguard.core.findings import Site
from pytest_dbguard.recording.frames import Stack
from pytest_dbguard.recording.scopes import Scope

MAX_PLACES = 3

_NOT_COUNTED = frozenset({"setup", "teardown"})
# a word of a route, at most with a version number; all else may be a key, a name or a token
_WORD = re.compile(r"[A-Za-z_.~-]{1,32}|v\d{1,3}|[A-Za-z-]{1,31}\d", re.ASCII)
_PATH = re.compile(r"(\w+ )(/.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ShapeCount:
    """How often one shape ran in a scope.

    Attributes:
        count: All executions.
        text: The shape, cut to a readable length; "" where it is not known.
        places: (executions, place) of the lines that ran most of them, most first.
    """

    count: int
    text: str
    places: tuple[tuple[int, Site], ...] = ()


ScopeCounts = Mapping[str, Mapping[str, ShapeCount]]
"""What a test ran: by scope, then by shape id."""


def count_scopes(scope: Scope, fit: Callable[[str], str]) -> ScopeCounts:
    """Return what ran in a test's call phase and in the scopes nested in it, equal names added up.

    Shared fixtures that the test is the first to need are left out.

    Args:
        scope: The call phase.
        fit: Cuts the text of a shape to a readable length.
    """
    tallies: dict[str, _Tally] = {}
    for each in _counted(scope):
        tallies.setdefault(scope_name(each.scope), _Tally()).take(each)
    return {name: shapes for name, tally in tallies.items() if (shapes := tally.shapes(fit))}


def scope_name(scope: str) -> str:
    """Return the name under which a scope is counted: of a request's path, what may be a value becomes `{}`."""
    match = _PATH.fullmatch(scope)
    if match is None:
        return scope
    return match[1] + "/".join(part if not part or _WORD.fullmatch(part) else "{}" for part in match[2].split("/"))


def counts_to_json(counts: ScopeCounts) -> dict[str, Any]:
    """Return counts as JSON values."""
    return {
        scope: {
            shape: [found.count, found.text, [[times, *astuple(place)] for times, place in found.places]]
            for shape, found in shapes.items()
        }
        for scope, shapes in counts.items()
    }


def counts_from_json(value: Mapping[str, Any]) -> ScopeCounts:
    """Return the counts that `counts_to_json` described."""
    return {
        scope: {
            shape: ShapeCount(count, text, tuple((times, Site(*place)) for times, *place in places))
            for shape, (count, text, places) in shapes.items()
        }
        for scope, shapes in value.items()
    }


@dataclass(slots=True)
class _Tally:
    """Executions by shape, and by shape and place; those without a known place count only for their shape."""

    texts: dict[str, str] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    places: dict[str, Counter[Site]] = field(default_factory=dict)

    def take(self, scope: Scope) -> None:
        """Add one scope."""
        kept: Counter[tuple[str, Stack]] = Counter()
        for text, stack, *_ in scope.kept:
            kept[text.shape.id, stack] += 1
            self.texts[text.shape.id] = text.shape.text
        sites = {}
        for (shape_id, stack), times in kept.items():
            sites[stack.key] = stack.site
            self._add(shape_id, stack.site, times)
        # beyond the limit only (shape, stack) was kept: the stacks are those of the first ten thousand, mostly
        for (shape_id, key), times in scope.overflow.items():
            self._add(shape_id, sites.get(key), times)

    def shapes(self, fit: Callable[[str], str]) -> dict[str, ShapeCount]:
        """Return what was taken in."""
        return {
            shape: ShapeCount(count, fit(self.texts.get(shape, "")), tuple(self._worst(shape)))
            for shape, count in self.counts.items()
        }

    def _add(self, shape: str, site: Site | None, times: int) -> None:
        self.counts[shape] += times
        if site is not None:
            self.places.setdefault(shape, Counter())[site] += times

    def _worst(self, shape: str) -> Iterator[tuple[int, Site]]:
        places = self.places.get(shape, Counter())
        by_size = sorted(places.items(), key=lambda item: (-item[1], item[0].label, item[0].column or 0))
        yield from ((times, site) for site, times in by_size[:MAX_PLACES])


def _counted(scope: Scope) -> Iterator[Scope]:
    yield scope
    for nested in scope.nested:
        if nested.scope not in _NOT_COUNTED:
            yield from _counted(nested)
