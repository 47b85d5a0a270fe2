"""Plans statements on an empty copy of a PostgreSQL schema, with no more rights than those of its owner."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pytest_dbguard.planning.lab.ballast import empty, fill
from pytest_dbguard.planning.lab.base import (
    CANDIDATE_PREFIX,
    Explained,
    IndexSize,
    IndexSpec,
    LabDescription,
    LabError,
)
from pytest_dbguard.planning.lab.candidate_indexes import (
    Candidate,
    Candidates,
    candidate_size,
    created,
    expression_entries,
)
from pytest_dbguard.planning.lab.index_size import heap_pages, index_size
from pytest_dbguard.planning.lab.lab_database import LabDatabase
from pytest_dbguard.planning.lab.lab_errors import errors_told
from pytest_dbguard.planning.lab.partitions import families, family, scaled
from pytest_dbguard.planning.lab.plan_names import renamed
from pytest_dbguard.planning.lab.planner_session import PlannerSession
from pytest_dbguard.planning.lab.postgres_indexes import Part, PostgresIndexes
from pytest_dbguard.planning.lab.restored_statistics import restore_column
from pytest_dbguard.planning.lab.sized_statistics import table_statistics
from pytest_dbguard.planning.lab.statistic_rows import write_columns
from pytest_dbguard.planning.statistics.model import Statistics
from pytest_dbguard.schema.catalog import Catalog, Table

if TYPE_CHECKING:
    from psycopg import Connection

_RESTORE_SINCE: Final = 18
_RESTORE: Final = """
    SELECT pg_catalog.pg_restore_relation_stats('schemaname', %(schema)s::text, 'relname', %(name)s::text,
        'relpages', %(pages)s::int, 'reltuples', %(rows)s::real, 'relallvisible', %(visible)s::int)
"""
_UPDATE: Final = """
    UPDATE pg_catalog.pg_class SET relpages = %(pages)s, reltuples = %(rows)s, relallvisible = %(visible)s
    WHERE relname = %(name)s AND relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = %(schema)s)
"""
_CONSTRAINT: Final = """
    SELECT n.nspname, t.relname, k.conname FROM pg_catalog.pg_constraint k
    JOIN pg_catalog.pg_class t ON t.oid = k.conrelid JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
    WHERE k.conindid = %s AND k.contype IN ('p', 'u', 'x')
"""


class OwnerLab:
    """A lab without rights: real pages that nobody reads, and a density that makes up for those that are missing.

    Candidates are made, and indexes dropped, in transactions that are rolled back. An index has as many pages as it
    really has, which is one: what it costs to read many of its pages is not seen.
    """

    catalog: Catalog
    statistics: Statistics
    description: LabDescription

    def __init__(
        self,
        database: LabDatabase,
        catalog: Catalog,
        statistics: Statistics,
        description: LabDescription,
        pages: Mapping[tuple[str, str], int],
    ) -> None:
        """Take over a database with schema, statistics and pages; `pages` tells how many each table really has."""
        self.catalog, self.statistics = catalog, statistics
        self._database = database
        self._pages = dict(pages)
        stored = {(table.schema, table.name) for table in catalog.tables if table.holds_rows}
        self._unsized = stored - pages.keys()
        self._candidates = Candidates(catalog)
        self._aliases: dict[str, str] = {}
        self._connection = database.connect()
        try:
            self._indexes = PostgresIndexes.read(self._connection, catalog.search_path)
            self._planner = PlannerSession(self._connection, catalog, statistics.settings, is_read_only=False)
            self.description = replace(description, problems=(*description.problems, *self._planner.problems))
            self._restate(catalog.tables)
        except BaseException:
            self._connection.close()
            raise

    def explain(self, sql: str) -> Explained:
        """Plan one statement, without running it; what the planner refuses is told, not raised."""
        found = self._planner.explain(sql)
        if found.plan is None:
            return found
        unsized = next(
            (node.table for node in found.plan.root.walk() if (node.schema, node.table) in self._unsized), ""
        )
        if unsized:
            return Explained(None, f"{unsized} holds no pages: only on a server that may be forged it gets a size")
        return Explained(renamed(found.plan, self._aliases))

    def add(self, candidates: Iterable[IndexSpec]) -> tuple[str, ...]:
        """Try candidate indexes, and return their names in the lab in order; "" for one that is refused."""
        specs = list(candidates)
        with errors_told():
            new = self._candidates.new(specs)
            for candidate in new:
                with self._connection.transaction(force_rollback=True):
                    if not created(self._connection, candidate):
                        self._candidates.refuse(candidate)
            self._restate(self._tables_of(new))
        return tuple(map(self._candidates.name, specs))

    @contextmanager
    def visible(self, *, shown: Sequence[str] = (), hidden: Sequence[str] = ()) -> Iterator[None]:
        """Make these candidates (names in the lab) and drop these existing indexes, for a while.

        Inside of another such block, candidates that it made can be hidden as well.

        Raises:
            LabError: For a name that is not there, and for an index of a partition that belongs to its parent's.
        """
        candidates = [self._candidates.of(name) for name in dict.fromkeys(shown)]
        dropped = [self._part(name) for name in dict.fromkeys(hidden)]
        aliases = self._aliases
        with errors_told():
            try:
                with self._connection.transaction(force_rollback=True):
                    self._change(candidates, dropped)
                    yield
            finally:
                self._aliases = aliases
                # what the server counted while it made an index is not rolled back
                self._restate(self._tables_of(candidates))

    def size_of(self, name: str) -> IndexSize:
        """Return the size of an index as the model has it, by its name in the lab; of a partitioned one, all of it."""
        known = next((candidate for candidate in self._candidates if candidate.name == name), None)
        major = self._database.major
        if known is not None:
            tables = [table for table in family(self.catalog, known.table) if table.holds_rows]
            return _total(
                [candidate_size(known, table, self.statistics, self.catalog, major=major)[0] for table in tables]
            )
        return _total([self._modelled(part) for part in self._indexes.find(name)])

    @contextmanager
    def at_rows(self, table: str, rows: float, schema: str = "") -> Iterator[None]:
        """Let the planner believe in other numbers of rows of one table.

        Raises:
            LabError: For a table that is not in the lab.
        """
        found = self.catalog.table(table, schema)
        if found is None:
            raise LabError(f"table `{table}` is not in the lab")
        before, full, tables = self.statistics, self._pages, family(self.catalog, found)
        with errors_told():
            try:
                with self._connection.transaction(force_rollback=True):
                    self.statistics = scaled(before, tables, rows)
                    self._pages = full | self._shrunk(tables)
                    self._restate(tables)
                    yield
            finally:
                self.statistics, self._pages = before, full
                self._restate(tables)

    def close(self) -> None:
        """Delete it."""
        self._planner.close()
        self._database.close()

    def _part(self, name: str) -> Part:
        if not name.startswith(CANDIDATE_PREFIX):
            return self._indexes.find(name)[0]
        made = self._candidates.of(name)
        place = made.table.schema
        return Part((place, made.name), 0, (place, made.table.name), made.spec.method)

    def _change(self, candidates: Sequence[Candidate], dropped: Sequence[Part]) -> None:
        for part in dropped:
            _drop(self._connection, part)
        for candidate in candidates:
            created(self._connection, candidate)
        # to make an index counts the rows of its table
        self._restate(self._tables_of(candidates))
        if any(None in each.spec.columns or len(family(self.catalog, each.table)) > 1 for each in candidates):
            indexes = PostgresIndexes.read(self._connection, self.catalog.search_path)
            self._aliases = indexes.aliases()
            for candidate in candidates:
                for entry in expression_entries(candidate, indexes, self.catalog, self.statistics):
                    restores = self._database.major >= _RESTORE_SINCE
                    self._connection.execute(f"SELECT {restore_column(entry)}" if restores else write_columns([entry]))

    def _tables_of(self, candidates: Iterable[Candidate]) -> list[Table]:
        return families(self.catalog, (candidate.table for candidate in candidates))

    def _shrunk(self, tables: Iterable[Table]) -> dict[tuple[str, str], int]:
        """Take pages from tables that have more than their rows need; return the pages of those."""
        wanted: dict[tuple[str, str], int] = {}
        for table in tables:
            name = (table.schema, table.name)
            pages = max(1, heap_pages(table_statistics(table, self.statistics), self.catalog))
            if pages < self._pages.get(name, 0):
                wanted[name] = pages
        shrunk = [table for table in tables if (table.schema, table.name) in wanted]
        for table in shrunk:
            empty(self._connection, table)
        fill(self._connection, shrunk, wanted)
        return wanted

    def _restate(self, tables: Iterable[Table]) -> None:
        """Tell the planner how many rows the tables hold on the pages that they have."""
        statement = _RESTORE if self._database.major >= _RESTORE_SINCE else _UPDATE
        for table in tables:
            pages = self._pages.get((table.schema, table.name))
            if pages is None:
                continue
            known = table_statistics(table, self.statistics)
            visible = min(1.0, known.all_visible / known.pages) if known.pages else 0.0
            values = {"schema": table.schema, "name": table.name, "pages": pages, "rows": known.rows}
            self._connection.execute(statement, values | {"visible": int(pages * visible)})

    def _modelled(self, part: Part) -> IndexSize:
        table = next((t for t in self.catalog.tables if (t.schema, t.name) == part.table), None)
        index = next((i for i in table.indexes if i.name == part.name[1]), None) if table is not None else None
        if table is None or index is None or not table.holds_rows:
            return IndexSize(0, 0)
        known = table_statistics(table, self.statistics)
        return index_size(known, index, self.catalog, major=self._database.major)


def _drop(connection: Connection, part: Part) -> None:
    from psycopg import sql

    owner = connection.execute(_CONSTRAINT, [part.number]).fetchone()
    if owner is None:
        connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(*part.name)))
        return
    place, table, constraint = owner
    drop = sql.SQL("ALTER TABLE {} DROP CONSTRAINT {} CASCADE")
    connection.execute(drop.format(sql.Identifier(place, table), sql.Identifier(constraint)))


def _total(sizes: Sequence[IndexSize]) -> IndexSize:
    return IndexSize(sum(size.pages for size in sizes), max((size.height for size in sizes), default=0))
