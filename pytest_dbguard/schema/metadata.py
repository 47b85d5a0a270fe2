"""The catalog that `MetaData.create_all` would make, without a server."""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pytest_dbguard.schema.catalog import Catalog, Dialect
from pytest_dbguard.schema.sqlite_reflection import reflect_sqlite

if TYPE_CHECKING:
    from sqlalchemy import MetaData


def catalog_of_metadata(metadata: MetaData, dialect: Dialect) -> Catalog:
    """Return the catalog that reflection would give after `create_all` in an empty database.

    For SQLite the statements of `create_all` run in memory, listeners' included, and only the version is missing.
    For PostgreSQL it is put together from the tables: collation of the database and views are not known, and texts
    of defaults, checks, expressions and predicates are SQLAlchemy's, where the server would add casts. Tables that
    the dialect cannot make are left out.
    """
    if dialect is Dialect.POSTGRESQL:
        from pytest_dbguard.schema.postgres_metadata import postgres_catalog

        return postgres_catalog(metadata)
    return _sqlite_catalog(metadata)


def _sqlite_catalog(metadata: MetaData) -> Catalog:
    from sqlalchemy import create_mock_engine

    with contextlib.closing(sqlite3.connect(":memory:")) as connection:

        def execute(statement: Any, *_: object, **__: object) -> None:
            # What one table or listener needs and SQLite lacks must not cost the others.
            with contextlib.suppress(Exception):
                connection.execute(str(statement.compile(dialect=engine.dialect)))

        engine = create_mock_engine("sqlite://", execute)
        # A listener that asks the database gets no answer.
        with contextlib.suppress(Exception):
            _without_schemas(metadata).create_all(engine, checkfirst=False)
        catalog = reflect_sqlite(lambda sql: connection.execute(sql).fetchall())
    return replace(catalog, version="", source="metadata")


def _without_schemas(metadata: MetaData) -> MetaData:
    """Return tables that are all in the main database, as where applications translate schemas away for SQLite."""
    from sqlalchemy import BLANK_SCHEMA, MetaData

    if not any(table.schema for table in metadata.tables.values()):
        return metadata
    copy = MetaData(naming_convention=metadata.naming_convention)
    for table in metadata.tables.values():
        if table.name not in copy.tables:
            table.to_metadata(copy, schema=None, referred_schema_fn=lambda *_: BLANK_SCHEMA)  # type: ignore[arg-type]
    return copy
