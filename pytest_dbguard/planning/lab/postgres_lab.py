"""Plans statements on an empty copy of a PostgreSQL schema whose files have the sizes that production's have."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_dbguard.planning.lab.base import Explained, IndexSize, IndexSpec, LabDescription, LabError
from pytest_dbguard.planning.lab.candidate_indexes import (
    Candidate,
    Candidates,
    candidate_size,
    expression_entries,
    refused,
)
from pytest_dbguard.planning.lab.forging import Forgery, Name
from pytest_dbguard.planning.lab.lab_database import LabDatabase
from pytest_dbguard.planning.lab.lab_errors import errors_told
from pytest_dbguard.planning.lab.partitions import families, family, scaled
from pytest_dbguard.planning.lab.plan_names import renamed
from pytest_dbguard.planning.lab.planner_session import PlannerSession
from pytest_dbguard.planning.lab.postgres_indexes import PostgresIndexes, set_valid, switch
from pytest_dbguard.planning.lab.postgres_statistics import inject_sizes
from pytest_dbguard.planning.lab.relation_files import RelationFiles
from pytest_dbguard.planning.lab.relation_sizes import RelationSize, relation_sizes
from pytest_dbguard.planning.lab.schema_copy import rows_of
from pytest_dbguard.planning.lab.statistic_rows import write_columns
from pytest_dbguard.planning.statistics.model import Statistics
from pytest_dbguard.schema.catalog import Catalog, Table

if TYPE_CHECKING:
    from psycopg import Connection

_CLASS = """
    UPDATE pg_catalog.pg_class SET relpages = %s, reltuples = %s
    WHERE relname = %s AND relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = %s)
"""
OpenFiles = Callable[["Connection"], RelationFiles]


class ForgedLab:
    """A lab of a superuser: files with holes, forged heights, indexes hidden by a flag in the catalog.

    Backends remember how large files are, so that each change of sizes ends with a new connection.
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
        forgery: Forgery,
        files: OpenFiles,
    ) -> None:
        """Take over a database in which the schema and its statistics are; the files are given their sizes."""
        self.catalog, self.statistics = catalog, statistics
        self._database = database
        self._forgery = forgery
        self._files = files
        self._candidates = Candidates(catalog)
        self._sizes: dict[Name, RelationSize] = {}
        self._planner: PlannerSession | None = None
        with database.connect() as connection:
            self._indexes = PostgresIndexes.read(connection, self.catalog.search_path)
        self._invalid: set[int] = set()
        self._shown: frozenset[int] = frozenset()
        self._unsure: set[int] = set()
        self._aliases: dict[str, str] = {}
        self._keeper = database.connect()
        try:
            with errors_told():
                self._apply(catalog.tables)
            problems = (*description.problems, *self._session().problems)
            self.description = replace(description, problems=problems)
        except BaseException:
            self.release()
            raise

    def explain(self, sql: str) -> Explained:
        """Plan one statement, without running it; what the planner refuses is told, not raised."""
        found = self._session().explain(sql)
        if found.plan is None or not self._aliases:
            return found
        return Explained(renamed(found.plan, self._aliases))

    def add(self, candidates: Iterable[IndexSpec]) -> tuple[str, ...]:
        """Make candidate indexes, hidden, and return their names in the lab in order; "" for one that is refused.

        Raises:
            LabError: When the server goes on refusing without them.
        """
        specs = list(candidates)
        new = self._candidates.new(specs)
        if new:
            tables = families(self.catalog, (candidate.table for candidate in new))
            try:
                with errors_told():
                    self._make(new, tables)
            except LabError:
                for candidate in new:
                    self._candidates.refuse(candidate)
                with errors_told():
                    self._apply(tables)
        return tuple(map(self._candidates.name, specs))

    @contextmanager
    def visible(self, *, shown: Sequence[str] = (), hidden: Sequence[str] = ()) -> Iterator[None]:
        """Show these candidates (names in the lab) and hide these existing indexes.

        Raises:
            LabError: For a name that is not there.
        """
        on = {part.number for name in shown for part in self._indexes.find(self._candidates.of(name).name)}
        off = {part.number for name in hidden for part in self._indexes.find(name)}
        with errors_told():
            revealed, concealed = self._set(on, valid=True), self._set(off - on, valid=False)
        try:
            yield
        finally:
            with errors_told():
                self._set(revealed, valid=False)
                self._set(concealed, valid=True)

    def show(self, names: Iterable[str]) -> None:
        """Leave exactly these candidates (names in the lab) visible, until others are named; () hides all again.

        One statement however many change: for who asks about many sets, one after the other.

        Raises:
            LabError: For a name that is not there.
        """
        wanted = frozenset(part.number for name in names for part in self._indexes.find(self._candidates.of(name).name))
        # what was interrupted may have happened or not
        self._unsure |= wanted ^ self._shown
        with errors_told():
            switch(self._keeper, self._unsure, wanted)
        self._unsure.clear()
        self._invalid = (self._invalid - wanted) | (self._shown - wanted)
        self._shown = wanted

    def size_of(self, name: str) -> IndexSize:
        """Return the size of an index, by its name in the lab; of a partitioned one, all of it."""
        stored = [part for part in self._indexes.find(name) if part.name in self._sizes]
        pages = sum(self._forgery.pages(part.name) for part in stored)
        heights = (self._sizes[part.name].height or 0 for part in stored)
        return IndexSize(pages, max(heights, default=0))

    @contextmanager
    def at_rows(self, table: str, rows: float, schema: str = "") -> Iterator[None]:
        """Let the planner believe in other numbers of rows of one table, everything of it in proportion.

        Raises:
            LabError: For a table that is not in the lab.
        """
        found = self.catalog.table(table, schema)
        if found is None:
            raise LabError(f"table `{table}` is not in the lab")
        before, tables = self.statistics, family(self.catalog, found)
        with errors_told():
            self.statistics = scaled(before, tables, rows)
            self._apply(tables)
        try:
            yield
        finally:
            self.statistics = before
            with errors_told():
                self._apply(tables)

    @property
    def sizes(self) -> Collection[RelationSize]:
        """The sizes that its tables and indexes have."""
        return self._sizes.values()

    def close(self) -> None:
        """Delete it."""
        self.release()
        self._database.close()

    def release(self) -> None:
        """Let go of its database, which is left to whoever made it."""
        self._end_session()
        self._keeper.close()

    def _make(self, new: Sequence[Candidate], tables: Sequence[Table]) -> None:
        for candidate in new:
            candidate.share = self._share(candidate)
        with self._database.connect() as connection:
            # an index that is made on a large file reads all of it
            self._forgery.empty(connection, self._files(connection), [(t.schema, t.name) for t in tables])
        with self._database.connect() as connection:
            connection.execute("SET default_tablespace = ''; SET wal_skip_threshold = 0")
            for candidate in refused(connection, new):
                self._candidates.refuse(candidate)
            self._indexes = PostgresIndexes.read(connection, self.catalog.search_path)
            self._aliases = self._indexes.aliases()
            known = (self._indexes, self.catalog, self.statistics)
            entries = [entry for candidate in new for entry in expression_entries(candidate, *known)]
            if entries:
                connection.execute(write_columns(entries))
            numbers = [part.number for c in self._candidates for part in self._indexes.find(c.name)]
            made = [number for number in numbers if number not in self._invalid]
            self._invalid |= set(set_valid(connection, made, valid=False))
        self._apply(tables)

    def _share(self, candidate: Candidate) -> float:
        """Return what share of the table's rows a partial index holds, as the planner sees it."""
        spec = candidate.spec
        known = self.statistics.table(candidate.table.name, candidate.table.schema)
        if not spec.predicate or known is None or known.rows <= 0:
            return 1.0
        table = f'"{candidate.table.schema}"."{candidate.table.name}"'
        plan = self._session().explain(f"SELECT FROM {table} WHERE {spec.predicate}").plan
        return 1.0 if plan is None or plan.root.rows is None else min(1.0, plan.root.rows / known.rows)

    def _apply(self, tables: Sequence[Table]) -> None:
        """Give the files of tables and of their indexes the sizes that the statistics tell."""
        self._end_session()
        major = self._database.major
        catalog = replace(self.catalog, tables=tuple(tables))
        sizes = relation_sizes(catalog, self.statistics, major=major)
        extra = [size for table in tables for size in self._candidate_sizes(table)]
        with self._database.connect() as connection:
            self._forgery.apply(connection, self._files(connection), [*sizes, *extra])
            # who makes an index anew makes it valid again
            set_valid(connection, self._invalid, valid=False)
            inject_sizes(rows_of(connection), catalog, self.statistics, major=major, is_superuser=True)
            with connection.transaction(), connection.cursor() as cursor:
                cursor.executemany(_CLASS, [(size.pages, size.rows, size.name, size.schema) for size in extra])
        self._sizes |= {(size.schema, size.name): size for size in (*sizes, *extra)}

    def _candidate_sizes(self, table: Table) -> Iterator[RelationSize]:
        """Yield the sizes of the candidates that are stored on one table."""
        for candidate in self._candidates:
            for part in self._indexes.parts.get((candidate.table.schema, candidate.name), ()):
                if part.table == (table.schema, table.name) and table.holds_rows:
                    size, rows = candidate_size(
                        candidate, table, self.statistics, self.catalog, major=self._database.major
                    )
                    height = size.height if part.method == "btree" else None
                    yield RelationSize(
                        *part.name, size.pages, rows, table=table.name, method=part.method, height=height
                    )

    def _set(self, numbers: Iterable[int], *, valid: bool) -> set[int]:
        changed = set(set_valid(self._keeper, numbers, valid=valid))
        self._invalid = self._invalid - changed if valid else self._invalid | changed
        return changed

    def _session(self) -> PlannerSession:
        if self._planner is None:
            with errors_told():
                self._planner = PlannerSession(self._database.connect(), self.catalog, self.statistics.settings)
        return self._planner

    def _end_session(self) -> None:
        if self._planner is not None:
            self._planner.close()
            self._planner = None
