"""What the rules about schemas share: which tables are the application's, and conditions that hold for live rows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from pytest_dbguard.planning.assessment import Assessment
from pytest_dbguard.rules.index_findings import used_tables
from pytest_dbguard.schema.catalog import Catalog, Dialect, RelationKind, Table
from pytest_dbguard.sql.facts.model import Term, TermKind

_STORED: Final = (RelationKind.TABLE, RelationKind.PARTITIONED)
_OF_TOOLS: Final = frozenset(
    {"alembic_version", "schema_migrations", "django_migrations", "flyway_schema_history", "databasechangelog"}
    | {"databasechangeloglock", "goose_db_version", "_prisma_migrations", "_sqlx_migrations", "spatial_ref_sys"}
    | {"knex_migrations", "migrations", "sqlite_sequence", "yoyo_lock"}
)
_PASSING: Final = re.compile(
    r"^(test|tmp|temp|scratch|staging|stg|bak|backup)_|_(test|tmp|temp|staging|stg|bak|backup|old)$"
)
_SHADOWS: Final = (
    "_data",
    "_idx",
    "_content",
    "_docsize",
    "_config",
    "_node",
    "_parent",
    "_rowid",
    "_segments",
    "_segdir",
)
_DELETED_AT: Final = re.compile(r"^(deleted|removed|archived|trashed|discarded)_(at|on|date|time)$|^date_deleted$")
_DELETED: Final = re.compile(r"^(is_|was_|soft_)?(deleted|removed|archived|trashed|discarded)$")
_FLAG: Final = re.compile(r'^(NOT )?"?(\w+)"?( (=|IS) (TRUE|FALSE|0|1))?$', re.IGNORECASE)
_NEGATIVE: Final = re.compile(r"^NOT |(= |IS )(FALSE|0)$", re.IGNORECASE)


def application_tables(catalog: Catalog) -> Iterator[Table]:
    """Yield the tables that hold an application's rows for long.

    Without partitions, what inherits or is inherited, temporary ones, those that tools keep for themselves, and those
    whose names say that they pass: `tmp_import`, `orders_backup`, `test_rows`.
    """
    inherited = {parent for table in catalog.tables for parent in table.parents}
    virtual = {table.name for table in catalog.tables if table.kind is RelationKind.VIRTUAL}
    for table in catalog.tables:
        name = table.name.lower()
        is_divided = bool(table.partition_of or table.parents) or (table.schema, table.name) in inherited
        is_own = table.kind in _STORED and not is_divided and not table.is_temporary
        is_shadow = any(name.removesuffix(ending) in virtual for ending in _SHADOWS if name.endswith(ending))
        if is_own and not is_shadow and name not in _OF_TOOLS and not _PASSING.search(name):
            yield table


def judged_tables(assessment: Assessment) -> Iterator[Table]:
    """Yield the application's tables: of a run of tests those that it uses, else all.

    A database of tests may hold what other projects, or other tests, made there.
    """
    is_run = any(use.tests for each in assessment.statements for use in each.statement.uses)
    used = used_tables(assessment)
    for table in application_tables(assessment.catalog):
        if not is_run or table.name in used:
            yield table


def is_flag_condition(term: Term) -> bool:
    """Return whether a term asks for one value of a truth: `is_active`, `NOT done`, `is_deleted = 0`."""
    match = _FLAG.match(term.condition)
    return match is not None and match[2].lower() == term.column.lower() and not term.pattern


def is_live_condition(term: Term) -> bool:
    """Return whether a term leaves out what counts as deleted: `deleted_at IS NULL`, `NOT is_deleted`."""
    name = term.column.lower()
    if _DELETED_AT.match(name):
        return term.kind is TermKind.NULL and not term.is_negated
    return bool(_DELETED.match(name)) and is_flag_condition(term) and bool(_NEGATIVE.search(term.condition))


def is_soft_delete_column(name: str) -> bool:
    """Return whether a column tells by its name that it marks deleted rows."""
    return bool(_DELETED_AT.match(name.lower()) or _DELETED.match(name.lower()))


def has_row_numbers(table: Table, catalog: Catalog) -> bool:
    """Return whether SQLite numbers the rows itself, so that they can be told apart without a key."""
    return catalog.dialect is Dialect.SQLITE and not table.is_without_rowid
