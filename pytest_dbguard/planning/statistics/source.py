"""Exports statistics from what a user names: a URL of PostgreSQL or SQLite, or a file of pg_dump."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from pytest_dbguard.core.errors import ConfigError, DatabaseError
from pytest_dbguard.databases.connection_string import connection_string, missing_driver
from pytest_dbguard.databases.joined_server import CONNECT_S
from pytest_dbguard.databases.postgres_url import for_libpq, read_url
from pytest_dbguard.planning.statistics.export_postgres import export_postgres
from pytest_dbguard.planning.statistics.export_sqlite import export_sqlite
from pytest_dbguard.planning.statistics.model import Statistics
from pytest_dbguard.planning.statistics.pg_dump import is_pg_dump, statistics_of_pg_dump

_OLDEST: Final = 13
_KNOWN: Final = "give a URL of PostgreSQL or SQLite, or a file that pg_dump --statistics-only wrote"
_LIMITS: Final = "SELECT set_config('statement_timeout', '60s', false), set_config('lock_timeout', '5s', false)"
"""A look at statistics must not hold anything up. Not by options of the connection: poolers refuse those."""


def export(target: str, *, values: bool = False, schemas: Collection[str] | None = None) -> Statistics:
    """Return the statistics of a database or of a pg_dump file. Nothing is written, and no row is read or kept.

    Args:
        target: A URL of SQLAlchemy's kind, whatever its driver, or the path of a file.
        values: Whether most common values and histograms, which are values of rows, are kept.
        schemas: Only these; all of users by default.

    Raises:
        ConfigError: When the target is none of these, or the file cannot be read.
        DatabaseError: When the database cannot be asked; passwords are not told.
    """
    kind = target.partition("://")[0].partition("+")[0]
    if kind in ("postgresql", "postgres"):
        return _of_postgres(target, values=values, schemas=schemas)
    if kind == "sqlite":
        return _of_sqlite(target)
    if "://" in target:
        raise ConfigError(f"statistics of {kind!r} cannot be exported", hint=_KNOWN)
    return _of_file(Path(target), values=values, schemas=schemas)


def _of_postgres(text: str, *, values: bool, schemas: Collection[str] | None) -> Statistics:
    reason = missing_driver("postgres")
    if reason is not None:
        raise DatabaseError(reason)
    import psycopg

    url = for_libpq(read_url(text))
    shown = url.set(drivername="postgresql").render_as_string(hide_password=True)
    try:
        with psycopg.connect(
            connection_string(url), connect_timeout=CONNECT_S, application_name="dbguard", prepare_threshold=None
        ) as connection:
            version = connection.info.server_version
            if version < _OLDEST * 10_000:
                raise DatabaseError(f"{shown}: PostgreSQL {version // 10_000} is older than {_OLDEST}")
            connection.read_only = True
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.execute(_LIMITS)
            found = export_postgres(lambda sql: _fetched(connection, sql), values=values, schemas=schemas)
            connection.rollback()
    except psycopg.Error as error:
        raise DatabaseError(f"{shown}: {str(error).strip().splitlines()[0]}") from error
    if schemas is not None:
        _refuse_empty(found, schemas)
    return found


def _fetched(connection: Any, sql: str) -> list[tuple[Any, ...]]:
    # what is refused must not end the transaction
    with connection.transaction():
        found: list[tuple[Any, ...]] = connection.execute(sql).fetchall()
        return found


def _refuse_empty(found: Statistics, schemas: Collection[str]) -> None:
    missing = sorted(set(schemas) - {table.schema for table in found.tables})
    if missing:
        raise ConfigError(f"no table in the schema {missing[0]!r}", hint="names of schemas are case-sensitive")


def _of_sqlite(text: str) -> Statistics:
    from sqlalchemy import make_url

    path = Path(make_url(text).database or "")
    if not path.is_file():
        raise DatabaseError(f"there is no SQLite database {str(path)!r}", hint="four slashes begin an absolute path")
    try:
        # by its URI: nothing may be made or changed there
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            return export_sqlite(lambda sql: connection.execute(sql).fetchall())
    except sqlite3.Error as error:
        raise DatabaseError(f"cannot read the SQLite database {str(path)!r}: {error}") from error


def _of_file(path: Path, *, values: bool, schemas: Collection[str] | None) -> Statistics:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigError(f"there is neither a database nor a file {str(path)!r}", hint=_KNOWN) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read {str(path)!r}", hint=_KNOWN) from error
    if not is_pg_dump(text):
        raise ConfigError(f"{str(path)!r} holds no statistics of pg_dump", hint=_KNOWN)
    found = statistics_of_pg_dump(text, values=values, source=path.name)
    kept = tuple(table for table in found.tables if schemas is None or table.schema in schemas)
    taken = datetime.fromtimestamp(path.stat().st_mtime, UTC).date().isoformat()
    notes = ("made from a file of pg_dump: no sizes of indexes, settings, collation or extended statistics",)
    return replace(found, tables=kept, taken_at=taken, notes=notes)
