"""What a transcript consists of, and what is known of the server that it is for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pytest_dbguard.schema.fetching import Fetch, fetched_json

# Builds without ICU also list a collation of it, which nothing can be sorted by.
_HAS_ICU = "EXISTS (SELECT FROM pg_collation WHERE collname = 'und-x-icu')"
_TARGET = f"""
SELECT json_build_object(
  'number', current_setting('server_version_num')::int,
  'extensions', (SELECT json_agg(name) FROM pg_available_extensions),
  'collations', (SELECT json_agg(DISTINCT c.collname) FROM pg_collation c, pg_database d
    WHERE d.datname = current_database() AND c.collencoding IN (-1, d.encoding)
    AND (c.collprovider <> 'i' OR {_HAS_ICU})),
  'has_icu', {_HAS_ICU}
)::text
"""


@dataclass(frozen=True, slots=True)
class Target:
    """A PostgreSQL server, as far as it decides what can be made on it.

    Attributes:
        major: 14 to 18.
        extensions: Names that it offers; None stands for all.
        collations: Names of its own collations; None stands for all.
        has_icu: Whether it was built with ICU.
    """

    major: int
    extensions: frozenset[str] | None = None
    collations: frozenset[str] | None = None
    has_icu: bool = True


def read_target(fetch: Fetch) -> Target:
    """Ask a server, in the database where the transcript is to run, for what it offers."""
    found = fetched_json(fetch, _TARGET)
    return Target(
        found["number"] // 10_000,
        frozenset(found["extensions"] or ()),
        frozenset(found["collations"] or ()),
        found["has_icu"],
    )


@dataclass(frozen=True, slots=True)
class IndexStatement:
    """The statement that makes one index, or the constraint that it stands behind."""

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
