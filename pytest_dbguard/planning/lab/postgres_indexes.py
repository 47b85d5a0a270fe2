"""The indexes of a lab's database by name, with those of partitions below them, and which of them are hidden."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pytest_dbguard.planning.lab.base import CANDIDATE_PREFIX, LabError

if TYPE_CHECKING:
    from psycopg import Connection

_INDEXES: Final = """
    WITH RECURSIVE tree AS (
        SELECT indexrelid AS root, indexrelid AS part FROM pg_catalog.pg_index
        UNION ALL
        SELECT tree.root, i.inhrelid FROM tree JOIN pg_catalog.pg_inherits i ON i.inhparent = tree.part
    )
    SELECT rn.nspname, r.relname, x.indexrelid::int8, pn.nspname, p.relname, tn.nspname, t.relname, am.amname
    FROM tree
    JOIN pg_catalog.pg_class r ON r.oid = tree.root JOIN pg_catalog.pg_namespace rn ON rn.oid = r.relnamespace
    JOIN pg_catalog.pg_class p ON p.oid = tree.part JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace
    JOIN pg_catalog.pg_index x ON x.indexrelid = tree.part
    JOIN pg_catalog.pg_class t ON t.oid = x.indrelid JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
    JOIN pg_catalog.pg_am am ON am.oid = p.relam
    WHERE rn.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
    ORDER BY tree.root, tree.part <> tree.root, p.oid
"""
_SHOW: Final = """
    UPDATE pg_catalog.pg_index SET indisvalid = %(valid)s
    WHERE indexrelid = ANY (%(numbers)s::int8[]::oid[]) AND indisvalid <> %(valid)s
    RETURNING indexrelid::int8
"""
_SWITCH: Final = """
    UPDATE pg_catalog.pg_index SET indisvalid = indexrelid = ANY (%(shown)s::int8[]::oid[])
    WHERE indexrelid = ANY (%(numbers)s::int8[]::oid[])
"""
Name = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Part:
    """An index that is stored, or the one of a partitioned table that only holds such ones together.

    Attributes:
        name: Schema and name.
        number: Its OID.
        table: Schema and name of its table.
        method: Access method.
    """

    name: Name
    number: int
    table: Name
    method: str


@dataclass(slots=True)
class PostgresIndexes:
    """What is known of them; to be read again after some were made."""

    parts: dict[Name, tuple[Part, ...]]
    """By name: the index itself, then those of partitions that belong to it."""
    search_path: tuple[str, ...] = ()

    @classmethod
    def read(cls, connection: Connection, search_path: tuple[str, ...]) -> PostgresIndexes:
        """Read all indexes of users."""
        parts: dict[Name, list[Part]] = {}
        for place, root, number, part_place, name, table_place, table, method in connection.execute(_INDEXES):
            part = Part((part_place, name), number, (table_place, table), method)
            parts.setdefault((place, root), []).append(part)
        return cls({name: tuple(found) for name, found in parts.items()}, search_path)

    def find(self, name: str) -> tuple[Part, ...]:
        """Return an index, with those of partitions that belong to it, by `name` along the path, or `schema.name`.

        Raises:
            LabError: When there is none of that name.
        """
        exact = [each for each in self.parts if name in (each[1], ".".join(each))]
        if not exact:
            raise LabError(f"no index of the lab is called `{name}`")
        places = {place: number for number, place in enumerate(self.search_path)}
        return self.parts[min(exact, key=lambda each: (places.get(each[0], len(places)), each))]

    def aliases(self) -> dict[str, str]:
        """Return the candidates that indexes of partitions stand for, by the names of those."""
        return {
            part.name[1]: root
            for (_, root), parts in self.parts.items()
            if root.startswith(CANDIDATE_PREFIX)
            for part in parts
            if part.name[1] != root
        }


def set_valid(connection: Connection, numbers: Iterable[int], *, valid: bool) -> Collection[int]:
    """Show indexes to the planner or hide them; return the numbers of those that were not so before."""
    wanted = list(numbers)
    if not wanted:
        return ()
    return {row[0] for row in connection.execute(_SHOW, {"valid": valid, "numbers": wanted})}


def switch(connection: Connection, numbers: Iterable[int], shown: Iterable[int]) -> None:
    """Show those of some indexes that are in `shown`, and hide the others."""
    wanted = list(numbers)
    if wanted:
        connection.execute(_SWITCH, {"numbers": wanted, "shown": list(shown)})
