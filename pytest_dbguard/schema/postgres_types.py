"""What PostgreSQL's types are made of: domains over types, arrays, labels of enums."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class TypeFacts:
    """What a column of a type needs to know of it; see `Column`."""

    labels: int = 0
    base: str = ""
    extension: str = ""


@dataclass(frozen=True, slots=True)
class Types:
    """The types that came with users or extensions, by their numbers."""

    rows: Mapping[int, Mapping[str, Any]]

    @classmethod
    def read(cls, rows: Iterable[Mapping[str, Any]]) -> Types:
        """Return the types of the rows of the catalog."""
        return cls({row["oid"]: row for row in rows})

    def of_users(self) -> Iterable[Mapping[str, Any]]:
        """Return those that do not belong to an extension."""
        return (row for row in self.rows.values() if row["extension"] is None)

    def element(self, number: int) -> int:
        """Return the number of an array's element, or the type's own."""
        row = self.rows.get(number)
        return number if row is None or row["element"] is None else row["element"]

    def facts(self, number: int) -> TypeFacts:
        """Return the facts of a type; domains are followed down to what they are over."""
        row, base = self.rows.get(number), ""
        while row is not None and row["base"] is not None:
            base = row["base_name"]
            row = self.rows.get(row["base"])
        if row is None:
            return TypeFacts(base=base)
        element = self.rows.get(self.element(row["oid"]), row)
        return TypeFacts(len(row["labels"] or ()), base, element["extension"] or "")
