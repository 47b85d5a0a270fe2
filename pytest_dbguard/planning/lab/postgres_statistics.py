"""Puts statistics into the catalogs of a PostgreSQL lab: `pg_class`, `pg_statistic` and extended statistics."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pytest_dbguard.planning.statistics.model import Statistics
from pytest_dbguard.schema.catalog import Catalog

Execute = Callable[[str], Sequence[Sequence[Any]]]
"""Runs one SQL statement without parameters and returns its rows, () where there are none."""


def inject(
    execute: Execute, catalog: Catalog, statistics: Statistics, *, major: int, is_superuser: bool
) -> tuple[str, ...]:
    """Write what the statistics say of every table, column and index; return what could not be written, a line each.

    Needs a superuser below PostgreSQL 18, the owner of the tables from 18 on. Indexes must be there already: making
    one afterwards writes its table's `reltuples` anew (`inject_sizes` puts that right).
    """
    raise NotImplementedError


def inject_sizes(
    execute: Execute,
    catalog: Catalog,
    statistics: Statistics,
    *,
    major: int,
    is_superuser: bool,
    tables: Sequence[tuple[str, str]] | None = None,
) -> tuple[str, ...]:
    """Write only pages and rows, of all tables and their indexes or of those that are named (schema, name)."""
    raise NotImplementedError
