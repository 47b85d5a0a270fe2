"""Reads from a select which relationships it loads eagerly: by its options, and by the mappings of what it selects."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import inspect
from sqlalchemy.orm import FromStatement, Mapper, RelationshipProperty

_STRATEGIES = frozenset({"joined", "contains", "selectin", "subquery", "immediate"})
_ALL = "*"
_IN_STATEMENT = frozenset({"joined", "contains"})
_OF_STATEMENT = frozenset({"joined", "subquery"})
_MAX_DEPTH = 5
_MAX_KNOWN = 5_000

Path = tuple[RelationshipProperty[Any], ...]
"""The relationships from the selected entity on, outermost first."""
_Key = tuple[Any, ...]
"""A path; for all relationships of one entity the path to it, its mapper and "*"; for all at all only "*"."""


@dataclass(frozen=True, slots=True)
class EagerLoad:
    """A relationship that a select loads together with its parents.

    Attributes:
        path: The relationships from the selected entity to this one, which is the last.
        strategy: "joined", "contains" (`contains_eager`), "selectin", "subquery" or "immediate".
        is_mapped: Whether the mapping says so (`lazy="joined"`) rather than an option of the statement.
    """

    path: Path
    strategy: str
    is_mapped: bool

    @property
    def relationship(self) -> RelationshipProperty[Any]:
        """The relationship that is loaded."""
        return self.path[-1]


class EagerReader:
    """Tells the eager loads of selects; remembers them by entity and options."""

    def __init__(self) -> None:
        self._known: dict[Any, tuple[EagerLoad, ...]] = {}

    def loads(self, statement: Any, mapper: Mapper[Any]) -> tuple[EagerLoad, ...]:
        """Return what a select of an entity loads eagerly, outer before inner; () where it selects no entity.

        What the options of a statement say is told by attributes of SQLAlchemy's own; where a version lacks them, only
        the mappings are known. What an option for all relationships at once loads (`selectinload("*")`) is left out:
        nobody says which of them are meant.
        """
        options = getattr(statement, "_with_options", ())
        said = tuple(_said(options)) if options else ()
        builds = _builds(statement)
        key = (mapper, said, builds)
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= _MAX_KNOWN:
                self._known.clear()
            found = self._known[key] = tuple(_Walk(dict(said), builds).loads(mapper))
        if any(load.is_mapped for load in found) and not _selects(statement, mapper):
            return tuple(load for load in found if not load.is_mapped)
        return found


def _said(options: Iterable[Any]) -> Iterable[tuple[_Key, str]]:
    """Yield key and strategy for each relationship that loader options name, and for each group of them."""
    for option in options:
        if not getattr(option, "_is_strategy_option", False):
            continue
        for element in getattr(option, "context", (option,)):
            path = getattr(element, "path", ())
            path = getattr(path, "path", path)
            strategy = dict(getattr(element, "strategy", None) or ()).get("lazy")
            if strategy is None:
                continue
            relationships = tuple(item for item in path if isinstance(item, RelationshipProperty))
            if path and isinstance(path[-1], str) and path[-1].startswith("relationship:"):
                parents = tuple(item.mapper for item in path[-2:-1])
                yield (*relationships, *parents, _ALL), str(strategy)
            elif any(isinstance(item, RelationshipProperty) for item in path[-2:]):
                is_own_join = "eager_from_alias" in (getattr(element, "local_opts", None) or ())
                yield relationships, "contains" if is_own_join else str(strategy)


class _Walk:
    """Goes from an entity along all relationships that are loaded eagerly, as SQLAlchemy does when it compiles."""

    def __init__(self, said: dict[_Key, str], builds: bool) -> None:
        self._said = said
        self._builds = builds

    def loads(self, mapper: Mapper[Any]) -> Iterable[EagerLoad]:
        """Yield what is loaded along with an entity and with the others that options name."""
        reached = set()
        for load in self._below((mapper,), (), 0):
            reached.add(load.path)
            yield load
        # relationships of subclasses and of further entities of the select
        for path, strategy in self._said.items():
            is_new = path not in reached and path[-1] != _ALL
            if is_new and self._is_eager(strategy, len(path) == 1) and (len(path) == 1 or path[:-1] in reached):
                reached.add(path)
                yield EagerLoad(path, strategy, False)

    def _below(self, mappers: tuple[Mapper[Any], ...], path: Path, start: int) -> Iterable[EagerLoad]:
        """Yield the loads below a path that leads through the mappers; its part from `start` on is one statement's."""
        for relationship in mappers[-1].relationships:
            inner = (*path, relationship)
            keys = (inner, (*path, mappers[-1], _ALL), (_ALL,))
            key = next((key for key in keys if key in self._said), None)
            strategy = _mapped_strategy(relationship) if key is None else self._said[key]
            first = start if strategy == "joined" else 0
            ends = len(path) >= _MAX_DEPTH or _is_cycle(inner[first:], mappers[first:])
            is_meant = not ends if key is None else key == inner
            if is_meant and self._is_eager(strategy, start == 0):
                yield EagerLoad(inner, strategy, key is None)
                inner_start = start if strategy in _IN_STATEMENT else len(inner)
                yield from self._below((*mappers, relationship.mapper), inner, inner_start)

    def _is_eager(self, strategy: str, is_first: bool) -> bool:
        """Whether a strategy loads along, in the first statement or in one for an eager load."""
        return strategy in _STRATEGIES and (self._builds or not is_first or strategy not in _OF_STATEMENT)


def _mapped_strategy(relationship: RelationshipProperty[Any]) -> str:
    # an old way to say it
    return "joined" if relationship.lazy is False else str(relationship.lazy)


def _is_cycle(path: Path, mappers: Iterable[Mapper[Any]]) -> bool:
    """Whether SQLAlchemy ends the eager loads of mappings here: at a class again, or as deep as the mapping says."""
    relationship = path[-1]
    if relationship.join_depth:
        return len(path) > relationship.join_depth
    return any(mapper.isa(relationship.mapper) for mapper in mappers)


def _builds(statement: Any) -> bool:
    """Whether SQLAlchemy may build on a statement: not on one that is given whole, nor where a query forbids it."""
    options = getattr(statement, "_compile_options", None)
    return not isinstance(statement, FromStatement) and getattr(options, "_enable_eagerloads", True)


def _selects(statement: Any, mapper: Mapper[Any]) -> bool:
    """Whether a select returns instances of the mapper's class rather than only columns."""
    for description in getattr(statement, "column_descriptions", ()):
        entity = description.get("entity")
        if entity is not None and description.get("expr") is entity and inspect(entity).mapper is mapper:
            return True
    return False
