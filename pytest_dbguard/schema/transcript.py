"""The statements that make an empty copy of a schema on another server."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from pytest_dbguard.schema.catalog import Catalog


@dataclass(frozen=True, slots=True)
class IndexStatement:
    """The statement that makes one index or the constraint it stands behind."""

    schema: str
    name: str
    sql: str


@dataclass(frozen=True, slots=True)
class Transcript:
    """Statements in the order in which they run; see `statements`.

    Attributes:
        prelude: Settings of the session, schemas, extensions, types, collations, sequences, functions.
        tables: Tables, then how they hang together, extended statistics, functions that need tables.
        indexes: Of tables, the primary keys and unique constraints included; partitions before their parents.
        views: Views and materialized views (without data).
        view_indexes: Of materialized views.
        constraints: Foreign keys.
        problems: What is left out or made otherwise, a line each.
    """

    prelude: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    indexes: tuple[IndexStatement, ...] = ()
    views: tuple[str, ...] = ()
    view_indexes: tuple[IndexStatement, ...] = ()
    constraints: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    def statements(self) -> Iterator[str]:
        """Yield all statements in their order."""
        yield from self.prelude
        yield from self.tables
        yield from (index.sql for index in self.indexes)
        yield from self.views
        yield from (index.sql for index in self.view_indexes)
        yield from self.constraints


def transcript(catalog: Catalog, *, major: int = 0, extensions: Collection[str] | None = None) -> Transcript:
    """Return the statements for a server.

    Args:
        catalog: The schema.
        major: Of the PostgreSQL server that they are for, 14 to 18; not looked at for SQLite.
        extensions: Names that this server offers (`pg_available_extensions`); None stands for all.
    """
    raise NotImplementedError((catalog, major, extensions))


def replay(script: Transcript, execute: Callable[[str], object], attempt: Callable[[str], str]) -> tuple[str, ...]:
    """Run a transcript, whatever of it fails, and return a line for each statement that did.

    Args:
        script: What to run.
        execute: Runs all statements, joined by semicolons, in one go and in one transaction, which it ends; raises
            when any fails, after which nothing of them is left. PostgreSQL's simple query protocol does that.
        attempt: Runs one statement by itself; returns "" or why it failed, after which the next one can run.
    """
    raise NotImplementedError((script, execute, attempt))
