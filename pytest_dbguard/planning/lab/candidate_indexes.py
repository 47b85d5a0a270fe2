"""The candidate indexes of a PostgreSQL lab: their names, the statements that make them, and what they weigh."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pytest_dbguard.planning.lab.base import CANDIDATE_PREFIX, IndexSize, IndexSpec, LabError
from pytest_dbguard.planning.lab.column_entries import ColumnEntry, column_entries
from pytest_dbguard.planning.lab.index_size import index_size
from pytest_dbguard.planning.lab.partitions import family
from pytest_dbguard.planning.lab.postgres_indexes import PostgresIndexes
from pytest_dbguard.planning.statistics.model import Statistics
from pytest_dbguard.schema.catalog import Catalog, Dialect, Index, IndexKey, RelationKind, Table
from pytest_dbguard.schema.quoting import identifier

if TYPE_CHECKING:
    from psycopg import Connection

_INDEXED = (RelationKind.TABLE, RelationKind.PARTITION, RelationKind.PARTITIONED, RelationKind.MATERIALIZED)


@dataclass(slots=True)
class Candidate:
    """One candidate.

    Attributes:
        spec: What it is.
        name: In the lab; "" for one that is refused.
        table: That it is on.
        share: Of the table's rows that it holds: less than one for a partial index.
    """

    spec: IndexSpec
    name: str
    table: Table
    share: float = 1.0


@dataclass(slots=True)
class Candidates:
    """All candidates of a lab, by their specs."""

    catalog: Catalog
    _known: dict[IndexSpec, Candidate | None] = field(default_factory=dict)
    _by_name: dict[str, Candidate] = field(default_factory=dict)

    def new(self, specs: Iterable[IndexSpec]) -> list[Candidate]:
        """Return those that were not asked for before, with names; those of tables that are not there get none."""
        fresh: list[Candidate] = []
        for spec in specs:
            if spec not in self._known:
                table = self.catalog.table(spec.table, spec.schema)
                usable = table is not None and table.kind in _INDEXED
                name = f"{CANDIDATE_PREFIX}{len(self._known) + 1}"
                candidate = Candidate(spec, name, table) if usable and table is not None else None
                self._known[spec] = candidate
                if candidate is not None:
                    self._by_name[name] = candidate
                    fresh.append(candidate)
        return fresh

    def refuse(self, candidate: Candidate) -> None:
        """Note that the server does not make one."""
        self._known[candidate.spec] = None

    def name(self, spec: IndexSpec) -> str:
        """Return the name of a candidate in the lab; "" for one that is refused."""
        found = self._known[spec]
        return "" if found is None else found.name

    def of(self, name: str) -> Candidate:
        """Return a candidate by its name in the lab.

        Raises:
            LabError: When there is none.
        """
        found = self._by_name.get(name)
        if found is None or self._known.get(found.spec) is None:
            raise LabError(f"no candidate is called `{name}`")
        return found

    def __iter__(self) -> Iterator[Candidate]:
        """Yield those that were not refused, in order."""
        return (candidate for candidate in self._known.values() if candidate is not None)


def create_statement(candidate: Candidate) -> str:
    """Return the statement that makes a candidate."""
    spec, table = candidate.spec, candidate.table
    unique = "UNIQUE " if spec.is_unique else ""
    include = f" INCLUDE ({', '.join(map(identifier, spec.include))})" if spec.include else ""
    where = f" WHERE {spec.predicate}" if spec.predicate else ""
    target = f"{identifier(table.schema)}.{identifier(table.name)}"
    keys = ", ".join(spec.keys)
    return f"CREATE {unique}INDEX {identifier(candidate.name)} ON {target} USING {spec.method} ({keys}){include}{where}"


def created(connection: Connection, candidate: Candidate) -> bool:
    """Make a candidate; tell whether the server took it."""
    import psycopg

    try:
        with connection.transaction():
            connection.execute(create_statement(candidate))
    except psycopg.Error:
        return False
    return True


def refused(connection: Connection, candidates: Sequence[Candidate]) -> list[Candidate]:
    """Make candidates, all at once where the server takes all; return those that it refuses."""
    import psycopg

    try:
        connection.execute(";\n".join(map(create_statement, candidates)))
    except psycopg.Error:
        return [candidate for candidate in candidates if not created(connection, candidate)]
    return []


def expression_entries(
    candidate: Candidate, indexes: PostgresIndexes, catalog: Catalog, statistics: Statistics
) -> Iterator[ColumnEntry]:
    """Yield what ANALYZE would find out of the expressions of a candidate, as far as their columns tell it.

    Of each table that it is stored on: its own, or the partitions.
    """
    spec = candidate.spec
    if None not in spec.columns:
        return
    keys = tuple(IndexKey(column, "" if column else key) for key, column in zip(spec.keys, spec.columns, strict=True))
    places = {(table.schema, table.name): table for table in family(catalog, candidate.table)}
    for part in indexes.parts.get((candidate.table.schema, candidate.name), ()):
        name = part.name[1]
        stored = replace(places[part.table], indexes=(Index(name, keys),))
        entries = column_entries(Catalog(Dialect.POSTGRESQL, tables=(stored,)), statistics)
        yield from (entry for entry in entries if entry.relation == name)


def candidate_size(
    candidate: Candidate, table: Table, statistics: Statistics, catalog: Catalog, *, major: int
) -> tuple[IndexSize, float]:
    """Return what a candidate weighs on its table, or on one of that table's partitions, and its number of entries."""
    known = statistics.table(table.name, table.schema)
    if known is None:
        return IndexSize(1, 0), 0.0
    rows = known.rows * candidate.share
    partial = rows if candidate.spec.predicate else None
    return index_size(known, candidate.spec, catalog, major=major, rows=partial), rows
