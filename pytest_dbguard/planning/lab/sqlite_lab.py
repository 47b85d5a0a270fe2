"""Plans statements on an empty copy in memory of a SQLite schema, whose statistics tell of production's size."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from pytest_dbguard.planning.lab.base import (
    CANDIDATE_PREFIX,
    Explained,
    IndexSize,
    IndexSpec,
    LabDescription,
    LabError,
    Rung,
)
from pytest_dbguard.planning.lab.sized_statistics import statistics_at_rows, table_statistics
from pytest_dbguard.planning.lab.sqlite_schema_copy import REFUSED, SchemaCopy, reason
from pytest_dbguard.planning.lab.sqlite_stat1 import StatRow, all_rows, stat1_rows, stat_of
from pytest_dbguard.planning.sqlite_plans import parse_sqlite
from pytest_dbguard.planning.statistics.model import Statistics
from pytest_dbguard.schema.catalog import Catalog, Table
from pytest_dbguard.schema.quoting import identifier, literal

_LOAD = "ANALYZE sqlite_schema"
# some take effect while they are compiled
_PRAGMA = re.compile(r"(?:\s|--[^\n]*\n|/\*.*?\*/)*PRAGMA\b", re.IGNORECASE | re.DOTALL)


class SqliteLab:
    """A lab of SQLite: the planner asks nothing but `sqlite_stat1`, so that no file and no row is needed.

    What is shown or hidden for a while lives in a savepoint: making an index on empty tables costs less than a
    millisecond. Virtual tables are left out; functions and collations of the program are stubs.
    """

    description: LabDescription
    catalog: Catalog
    statistics: Statistics

    def __init__(self, catalog: Catalog, statistics: Statistics) -> None:
        self.catalog = catalog
        self.statistics = statistics
        self._copy = SchemaCopy(catalog)
        self._left_out = self._copy.left_out
        self._candidates: dict[IndexSpec, str] = {}
        version = sqlite3.sqlite_version
        self.description = LabDescription(
            "sqlite",
            version,
            Rung.STATISTICS,
            f"sqlite_stat1 in an empty copy in memory, SQLite {version}",
            problems=self._copy.problems,
        )
        try:
            # makes the table: nobody can CREATE it by its name
            self._copy.rows("ANALYZE")
            self._copy.rows("DELETE FROM sqlite_stat1")
            self._insert(all_rows(catalog, statistics, self._left_out))
        except REFUSED as error:
            self.close()
            raise LabError(f"the schema cannot be copied: {reason(error)}") from error

    def _insert(self, rows: Iterable[StatRow]) -> None:
        self._copy.many("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (?, ?, ?)", list(rows))
        self._copy.rows(_LOAD)

    def explain(self, sql: str) -> Explained:
        """Plan one statement, without running it; what the planner refuses is told, not raised."""
        if _PRAGMA.match(sql):
            return Explained(None, "a PRAGMA has no plan")
        try:
            rows = self._copy.rows(f"EXPLAIN QUERY PLAN {sql}")
        except REFUSED as error:
            return Explained(None, reason(error))
        return Explained(parse_sqlite(rows, sql))

    def add(self, candidates: Iterable[IndexSpec]) -> tuple[str, ...]:
        """Make candidate indexes, hidden, and return their names in the lab in order; "" for one that is refused."""
        specs = list(candidates)
        new = [spec for spec in dict.fromkeys(specs) if spec not in self._candidates]
        if new:
            with self._changed():
                for spec in new:
                    name = f"{CANDIDATE_PREFIX}{len(self._candidates) + 1}"
                    self._candidates[spec] = name if self._is_possible(spec, name) else ""
        return tuple(self._candidates[spec] for spec in specs)

    def _is_possible(self, spec: IndexSpec, name: str) -> bool:
        """Make an index, and tell whether SQLite took it."""
        if spec.method != "btree" or self._stored(spec.table) is None:
            return False
        try:
            self._copy.rows(_create(spec, name))
        except REFUSED:
            return False
        return True

    def _stored(self, name: str) -> Table | None:
        table = self.catalog.table(name)
        return table if table is not None and table.holds_rows and table.name not in self._left_out else None

    @contextmanager
    def visible(self, *, shown: Sequence[str] = (), hidden: Sequence[str] = ()) -> Iterator[None]:
        """Show these candidates (names in the lab) and hide these existing indexes.

        Raises:
            LabError: For a name that is not there, and for an index that comes with its table: such a one cannot go.
        """
        specs = {name: spec for spec, name in self._candidates.items() if name}
        missing = next((name for name in shown if name not in specs), None)
        if missing is not None:
            raise LabError(f"no candidate is called `{missing}`")
        with self._changed():
            for name in dict.fromkeys(hidden):
                self._drop(name)
            for name in dict.fromkeys(shown):
                self._copy.rows(_create(specs[name], name))
            self._insert(self._candidate_row(specs[name], name) for name in dict.fromkeys(shown))
            yield

    def _candidate_row(self, spec: IndexSpec, name: str) -> StatRow:
        table = self._stored(spec.table)
        assert table is not None
        return table.name, name, stat_of(spec, table, table_statistics(table, self.statistics))

    def _drop(self, name: str) -> None:
        try:
            self._copy.rows(f"DROP INDEX {identifier(name)}")
        except sqlite3.Error as error:
            raise LabError(f"index `{name}` cannot be hidden: it is not there, or comes with its table") from error

    def size_of(self, name: str) -> IndexSize:
        """Return zeros: SQLite's planner knows no sizes of indexes."""
        return IndexSize(0, 0)

    @contextmanager
    def at_rows(self, table: str, rows: float, schema: str = "") -> Iterator[None]:
        """Let the planner believe in other numbers of rows of one table, everything of it in proportion.

        Raises:
            LabError: For a table that is not in the lab.
        """
        found = self._stored(table)
        if found is None:
            raise LabError(f"table `{table}` is not in the lab")
        before = self.statistics
        self.statistics = statistics_at_rows(before, found, rows)
        try:
            with self._changed():
                self._scale(found)
                yield
        finally:
            self.statistics = before

    def _scale(self, table: Table) -> None:
        there = {name for (name,) in self._copy.rows("SELECT name FROM sqlite_schema WHERE type = 'index'")}
        known = table_statistics(table, self.statistics)
        written = [row for row in stat1_rows(table, known) if row[1] is None or row[1] in there | {table.name}]
        written += [self._candidate_row(spec, name) for spec, name in self._candidates.items() if name in there]
        self._copy.rows(f"DELETE FROM sqlite_stat1 WHERE tbl = {literal(table.name)}")
        self._insert(written)

    @contextmanager
    def _changed(self) -> Iterator[None]:
        """Undo in the end what the block did; what the planner remembers of figures is read again."""
        try:
            with self._copy.savepoint():
                yield
        finally:
            self._copy.rows(_LOAD)

    def close(self) -> None:
        """Delete it."""
        self._copy.close()


def _create(spec: IndexSpec, name: str) -> str:
    unique = "UNIQUE " if spec.is_unique else ""
    where = f" WHERE {spec.predicate}" if spec.predicate else ""
    return f"CREATE {unique}INDEX {identifier(name)} ON {identifier(spec.table)} ({', '.join(spec.keys)}){where}"
