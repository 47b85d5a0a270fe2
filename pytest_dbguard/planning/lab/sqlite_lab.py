"""Plans statements on an empty copy in memory of a SQLite schema, whose statistics tell of production's size."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager

from pytest_dbguard.planning.lab.base import Explained, IndexSize, IndexSpec, LabDescription
from pytest_dbguard.planning.statistics.model import Statistics
from pytest_dbguard.schema.catalog import Catalog


class SqliteLab:
    """A lab of SQLite: the planner asks nothing but `sqlite_stat1`, so that no file and no row is needed.

    Raises:
        LabError: When the schema cannot be copied at all.
    """

    description: LabDescription
    catalog: Catalog
    statistics: Statistics

    def __init__(self, catalog: Catalog, statistics: Statistics) -> None:
        raise NotImplementedError

    def explain(self, sql: str) -> Explained:
        """Plan one statement, without running it; what the planner refuses is told, not raised."""
        raise NotImplementedError

    def add(self, candidates: Iterable[IndexSpec]) -> tuple[str, ...]:
        """Make candidate indexes, hidden, and return their names in the lab in order; "" for one that is refused."""
        raise NotImplementedError

    def visible(self, *, shown: Sequence[str] = (), hidden: Sequence[str] = ()) -> AbstractContextManager[None]:
        """Show these candidates and hide these existing indexes."""
        raise NotImplementedError

    def size_of(self, name: str) -> IndexSize:
        """Return zeros: SQLite's planner knows no sizes of indexes."""
        raise NotImplementedError

    def at_rows(self, table: str, rows: float, schema: str = "") -> AbstractContextManager[None]:
        """Let the planner believe in other numbers of rows of one table."""
        raise NotImplementedError

    def close(self) -> None:
        """Delete it."""
        raise NotImplementedError
