"""Reads from a select which relationships it loads eagerly: by its options, and by the mappings of what it selects."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Mapper, RelationshipProperty

_STRATEGIES = frozenset({"joined", "selectin", "subquery", "immediate"})
_MAX_DEPTH = 5
_MAX_KNOWN = 5_000

Path = tuple[RelationshipProperty[Any], ...]
"""The relationships from the selected entity on, outermost first."""


@dataclass(frozen=True, slots=True)
class EagerLoad:
    """A relationship that a select loads together with its parents.

    Attributes:
        path: The relationships from the selected entity to this one, which is the last.
        strategy: "joined", "selectin", "subquery" or "immediate".
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
        the mappings are known. `contains_eager` is left out: the join is there anyway.
        """
        said = tuple(_said(getattr(statement, "_with_options", ())))
        key = (mapper, said)
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= _MAX_KNOWN:
                self._known.clear()
            found = self._known[key] = tuple(_walk(mapper, dict(said)))
        if found and not said and not _selects(statement, mapper):
            return ()
        return found


def _said(options: Iterable[Any]) -> Iterable[tuple[Path, str]]:
    """Yield path and strategy for each relationship that loader options name."""
    for option in options:
        for element in getattr(option, "context", ()) or ():
            path = getattr(getattr(element, "path", None), "path", ())
            if not any(isinstance(item, RelationshipProperty) for item in path[-2:]):
                continue
            strategy = dict(getattr(element, "strategy", None) or ()).get("lazy")
            if strategy is None:
                continue
            is_own_join = "eager_from_alias" in (getattr(element, "local_opts", None) or ())
            relationships = tuple(item for item in path if isinstance(item, RelationshipProperty))
            yield relationships, "contains" if is_own_join else str(strategy)


def _walk(mapper: Mapper[Any], said: dict[Path, str], path: Path = ()) -> Iterable[EagerLoad]:
    for relationship in mapper.relationships:
        inner = (*path, relationship)
        by_option = said.get(inner)
        strategy = str(relationship.lazy) if by_option is None else by_option
        if by_option is None and (relationship in path or len(path) >= _MAX_DEPTH):
            continue
        if strategy in _STRATEGIES:
            yield EagerLoad(inner, strategy, by_option is None)
        if strategy in _STRATEGIES or strategy == "contains":
            yield from _walk(relationship.mapper, said, inner)
    if not path:
        # relationships of subclasses and of further entities of the select
        own = set(mapper.relationships.values())
        further = ((known, strategy) for known, strategy in said.items() if known[0] not in own)
        yield from (EagerLoad(known, strategy, False) for known, strategy in further if strategy in _STRATEGIES)


def _selects(statement: Any, mapper: Mapper[Any]) -> bool:
    """Whether a select returns instances of the mapper's class rather than only columns."""
    for description in getattr(statement, "column_descriptions", ()):
        entity = description.get("entity")
        if entity is not None and description.get("expr") is entity:
            return True
    return False
