"""Reads the schema that `dbguard schema` is asked for: of a database, of models, or of what the settings build."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_dbguard.core.errors import ConfigError, DatabaseError

if TYPE_CHECKING:
    from sqlalchemy import MetaData

    from pytest_dbguard.config.model import Config
    from pytest_dbguard.schema.catalog import Catalog, Dialect
    from pytest_dbguard.templates.base import Recipe

Rows = Mapping[tuple[str, str], float]
"""What is known of the rows of tables, by schema and name."""


@dataclass(frozen=True, slots=True)
class Found:
    """A schema, what is known of its rows, and the tables that the database of the settings cannot make."""

    catalog: Catalog
    rows: Rows
    left_out: tuple[str, ...] = ()


_LIMITS = "SELECT set_config('statement_timeout', '60s', true), set_config('lock_timeout', '5s', true)"
"""A look at a schema must not wait long for who changes it. Not by options of the connection: poolers refuse those."""
_KNOWN = "give a URL of PostgreSQL or SQLite, a SQLite file, or models as `module:attribute`"


def read_schema(target: str | None, config: Config, root: Path) -> Found:
    """Return the schema of what was named.

    Raises:
        ConfigError: When it is nothing that has tables.
        DatabaseError: When the database cannot be asked; passwords are not told.
    """
    if target is None:
        return _of_settings(config, root)
    kind = target.partition("://")[0].partition("+")[0]
    if kind in ("postgresql", "postgres"):
        return _of_postgres(target)
    if kind == "sqlite" or Path(target).is_file():
        return _of_sqlite(target)
    if "://" in target or ":" not in target:
        raise ConfigError(f"there is nothing with tables at {_hidden(target)!r}", hint=_KNOWN)
    from pytest_dbguard.templates.steps import steps_for

    return _of_metadata(_metadata(steps_for("metadata", target, root=root, place="TARGET")), config, root)


def _hidden(target: str) -> str:
    """Return a text without what may be a password."""
    kind, separator, rest = target.partition("://")
    return kind + separator + rest.rpartition("@")[2]


def _of_postgres(text: str) -> Found:
    from pytest_dbguard.databases.connection_string import connection_string, missing_driver
    from pytest_dbguard.databases.joined_server import CONNECT_S
    from pytest_dbguard.databases.postgres_url import for_libpq, read_url
    from pytest_dbguard.schema.catalog import Dialect
    from pytest_dbguard.schema.postgres_reflection import reflect_postgres
    from pytest_dbguard.schema.row_estimates import row_estimates

    if (reason := missing_driver("postgres")) is not None:
        raise DatabaseError(reason)
    import psycopg

    url = for_libpq(read_url(text))
    try:
        with psycopg.connect(connection_string(url), connect_timeout=CONNECT_S, prepare_threshold=None) as connection:
            connection.read_only = True
            connection.execute(_LIMITS)

            def fetch(sql: str) -> list[tuple[Any, ...]]:
                return connection.execute(sql).fetchall()

            return Found(reflect_postgres(fetch), row_estimates(fetch, Dialect.POSTGRESQL))
    except psycopg.Error as error:
        shown = url.set(drivername="postgresql").render_as_string(hide_password=True)
        raise DatabaseError(f"{shown}: {str(error).strip().splitlines()[0]}") from error


def _of_sqlite(text: str) -> Found:
    from sqlalchemy import make_url

    from pytest_dbguard.schema.catalog import Dialect
    from pytest_dbguard.schema.row_estimates import row_estimates
    from pytest_dbguard.schema.sqlite_reflection import reflect_sqlite

    path = Path(make_url(text).database or "") if "://" in text else Path(text)
    if not path.is_file():
        raise DatabaseError(f"there is no SQLite database {str(path)!r}", hint="four slashes begin an absolute path")
    try:
        # by its URI: nothing may be made or changed there
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:

            def fetch(sql: str) -> list[Any]:
                return connection.execute(sql).fetchall()

            return Found(reflect_sqlite(fetch), row_estimates(fetch, Dialect.SQLITE))
    except sqlite3.Error as error:
        raise DatabaseError(f"cannot read the SQLite database {str(path)!r}: {error}") from error


def _of_settings(config: Config, root: Path) -> Found:
    from pytest_dbguard.templates.base import Recipe
    from pytest_dbguard.templates.configured import configured, recipe_of
    from pytest_dbguard.templates.metadata_step import MetadataStep

    values, places = configured(config)
    # what seeds add are rows
    recipe = recipe_of({kind: value for kind, value in values.items() if kind != "seed"}, root, places)
    if not recipe.steps:
        raise ConfigError("neither `metadata` nor `migrations` in [tool.dbguard] says what to show", hint=_KNOWN)
    if all(isinstance(step, MetadataStep) for step in recipe.steps):
        return _of_metadata(_metadata(recipe.steps), config, root)
    catalog = _of_recipe(Recipe(recipe.steps), config, root)
    return Found(catalog, _told_rows(catalog, config, root))


def _metadata(steps: Iterable[Any]) -> list[MetaData]:
    return [metadata for step in steps for metadata in step.metadata]


def _dialect(config: Config) -> Dialect:
    from pytest_dbguard.schema.catalog import Dialect

    named = config.database or (config.url or config.environment.url or "").partition("://")[0]
    return Dialect.POSTGRESQL if "postgres" in named else Dialect.SQLITE


def catalog_of_models(metadata: Iterable[MetaData], config: Config, dialect: str | None = None) -> Catalog:
    """Return the one schema of several MetaData, as it would be in a dialect, else in the settings' database."""
    from pytest_dbguard.schema.catalog import Dialect
    from pytest_dbguard.schema.metadata import catalog_of_metadata

    meant = _dialect(config) if dialect is None else Dialect.POSTGRESQL if "postgres" in dialect else Dialect.SQLITE
    first, *others = (catalog_of_metadata(each, meant) for each in metadata)
    tables = [table for catalog in (first, *others) for table in catalog.tables]
    prelude = dict.fromkeys(sql for catalog in (first, *others) for sql in catalog.prelude)
    ordered = tuple(sorted(tables, key=lambda table: (table.schema, table.name)))
    return replace(first, tables=ordered, prelude=tuple(prelude))


def _of_metadata(metadata: Iterable[MetaData], config: Config, root: Path) -> Found:
    asked = tuple(metadata)
    catalog = catalog_of_models(asked, config)
    names = {table.name for each in asked for table in each.tables.values()}
    left_out = tuple(sorted(names - {table.name for table in catalog.tables}))
    return Found(catalog, _told_rows(catalog, config, root), left_out)


def _of_recipe(recipe: Recipe, config: Config, root: Path) -> Catalog:
    """Build a database as tests would, read it, and delete it."""
    from sqlalchemy import create_engine

    from pytest_dbguard.databases.registry import choose
    from pytest_dbguard.databases.settings import start_options
    from pytest_dbguard.schema.postgres_reflection import reflect_postgres
    from pytest_dbguard.schema.sqlite_reflection import reflect_sqlite
    from pytest_dbguard.templates.registry import templates_for
    from pytest_dbguard.templates.runs import Run

    options = start_options(config, root)
    source = config.sources["url" if config.database is None else "database"]
    server = choose(config.database, source, options).provider.launch(options).ready()
    with closing(server):
        run_id = secrets.token_hex(4)
        templates = templates_for(server, Run(run_id, "schema"), project=root)
        with closing(templates), closing(templates.ready(recipe).copy(f"dbguard_{run_id}_schema_main")) as database:
            engine = create_engine(database.url)
            with engine.connect() as connection:
                reflect = reflect_sqlite if engine.dialect.name == "sqlite" else reflect_postgres
                catalog = reflect(lambda sql: connection.exec_driver_sql(sql).fetchall())
            engine.dispose()
            return catalog


def _told_rows(catalog: Catalog, config: Config, root: Path) -> Rows:
    """Return the rows that the project's statistics tell of its tables."""
    from pytest_dbguard.planning.statistics.load import load_statistics
    from pytest_dbguard.planning.statistics.model import Origin

    statistics = load_statistics(root, path=config.statistics, scale=config.scale)
    found = ((table, statistics.table(table.name, table.schema)) for table in catalog.tables)
    return {
        (table.schema, table.name): told.rows
        for table, told in found
        if told is not None and told.origin is not Origin.DEFAULT
    }
