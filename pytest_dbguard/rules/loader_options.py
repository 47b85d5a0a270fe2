"""Writes the loader option that would have loaded a relationship with its parents, for a whole loader path."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import RelationshipProperty
from sqlalchemy.orm.interfaces import MANYTOONE


@dataclass(frozen=True, slots=True)
class LoadPath:
    """The relationships from an origin's entity to the one that was lazily loaded, outermost first."""

    properties: tuple[RelationshipProperty[Any], ...]

    @property
    def last(self) -> RelationshipProperty[Any]:
        """The relationship that was loaded."""
        return self.properties[-1]

    @property
    def subject(self) -> str:
        """The relationship by the class that declares it: `Order.customer`."""
        return name_of(self.last)

    @property
    def root(self) -> str:
        """The name of the class that the origin selects."""
        return str(self.properties[0].parent.class_.__name__)

    @property
    def is_recursive(self) -> bool:
        """Whether the path goes through the same relationship more than once."""
        return self.properties.count(self.last) > 1

    @property
    def options(self) -> str:
        """The chain of loader options: `selectinload(Order.items).joinedload(Item.product, innerjoin=True)`."""
        if self.is_recursive:
            first = self.properties[: self.properties.index(self.last) + 1]
            return ".".join([*(_option(p) for p in first[:-1]), f"selectinload({self.subject}, recursion_depth=-1)"])
        return ".".join(_option(prop) for prop in self.properties)

    @property
    def imports(self) -> tuple[str, ...]:
        """The names to import from sqlalchemy.orm."""
        return tuple(sorted({part.split("(")[0].split(".")[-1] for part in self.options.split("load(")[:-1]}))


def load_path(path: tuple[Any, ...]) -> LoadPath | None:
    """Return the relationships of one of SQLAlchemy's loader paths; None when it holds none."""
    properties = tuple(item for item in path if isinstance(item, RelationshipProperty))
    return LoadPath(properties) if properties else None


def name_of(prop: RelationshipProperty[Any]) -> str:
    """Return `Class.attribute` for a relationship."""
    return f"{prop.parent.class_.__name__}.{prop.key}"


def _option(prop: RelationshipProperty[Any]) -> str:
    if prop.uselist:
        return f"selectinload({name_of(prop)})"
    if prop.direction is MANYTOONE and all(not column.nullable for column in prop.local_columns):
        return f"joinedload({name_of(prop)}, innerjoin=True)"
    return f"joinedload({name_of(prop)})"
