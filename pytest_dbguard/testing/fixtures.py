"""What the database fixtures do: open databases from recipes, and lead engines to them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

import pytest

from pytest_dbguard.databases.base import Database
from pytest_dbguard.templates.base import Recipe
from pytest_dbguard.templates.configured import configured, recipe_of
from pytest_dbguard.templates.steps import Kind
from pytest_dbguard.testing.database_hooks import HOOKS, DatabaseHooks
from pytest_dbguard.testing.database_run import database_run
from pytest_dbguard.testing.databases import MAIN
from pytest_dbguard.testing.failures import without_traceback
from pytest_dbguard.testing.guarded_database import GuardedDatabase
from pytest_dbguard.testing.settings import config_for

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy.ext.asyncio import AsyncEngine


class OpenDatabase:
    """The fixture `dbguard_open`: makes further databases, each cleaned after each test."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def __call__(self, name: str, *, metadata: Any = None, migrate: Any = None, seed: Any = None) -> GuardedDatabase:
        """Return the database of that name, with `engine`, `async_engine` and `database.url`.

        Args:
            name: What tells it from others; asking twice gives the same one.
            metadata: Its tables, as for the fixture `dbguard_metadata`.
            migrate: What makes its tables instead, as for `dbguard_migrate`.
            seed: Adds the data that all tests start from, as for `dbguard_seed`.
        """
        with without_traceback():
            values: dict[Kind, Any] = {"metadata": metadata, "migrate": migrate, "seed": seed}
            places = dict.fromkeys(values, "dbguard_open")
            return _opened(self._config, name, recipe_of(values, self._config.rootpath, places))


class Bind:
    """The fixture `dbguard_bind`: leads engines that exist already to the test's database."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def __call__(
        self,
        engine: Engine | AsyncEngine,
        role: Literal["primary", "readonly", "analytics"] = "primary",
        *,
        database: str = MAIN,
    ) -> None:
        """Lead an engine of the application to the database until the end of the run.

        Args:
            engine: An engine with any URL of the same kind of database; connections that it has open are closed.
            role: "readonly" and "analytics" engines cannot write, as in production.
            database: Name of a database of `dbguard_open`.
        """
        with without_traceback():
            database_run(self._config).databases().named(database).router.bind(engine, role)

    def release(self, engine: Engine | AsyncEngine, *, database: str = MAIN) -> None:
        """Let an engine lead where it led before; nothing where it was not bound."""
        database_run(self._config).databases().named(database).router.unbind(engine)


def main(config: pytest.Config) -> GuardedDatabase:
    """Return the main database, which `dbguard_database` has opened."""
    return database_run(config).databases().main


def main_database(config: pytest.Config, metadata: Any, migrate: Any, seed: Any) -> Database:
    """Open the main database from what the fixtures say, else from what the configuration says.

    Raises:
        DatabaseError: When it cannot be made.
    """
    given: dict[Kind, Any] = {"metadata": metadata, "migrate": migrate, "seed": seed}
    said = {kind: value for kind, value in given.items() if value is not None}
    values, places = configured(config_for(config))
    if "metadata" in said:
        values.pop("migrate", None)  # what is nearer to the tests wins
    places = {kind: place for kind, place in places.items() if kind not in said}
    made_of = recipe_of(values | said, config.rootpath, places)
    guarded = _opened(config, MAIN, made_of)
    database_run(config).databases().bind_configured()
    return guarded.database


def _opened(config: pytest.Config, name: str, made_of: Recipe) -> GuardedDatabase:
    databases = database_run(config).databases()
    with _unrecorded(config):
        guarded = databases.open(name, made_of)
    hooks: DatabaseHooks | None = config.pluginmanager.get_plugin(HOOKS)
    if hooks is not None:
        hooks.opened(databases)
    return guarded


@contextmanager
def _unrecorded(config: pytest.Config) -> Iterator[None]:
    """Judge nothing of how a database is made: a run that finds it made would judge otherwise."""
    recording: Any = config.pluginmanager.get_plugin("dbguard-recording")
    scope = None if recording is None else recording.recorder.scope
    if scope is None:
        yield
        return
    before, scope.is_paused = scope.is_paused, True
    try:
        yield
    finally:
        scope.is_paused = before
