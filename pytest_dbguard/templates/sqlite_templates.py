"""The templates of SQLite: built once, kept in the memory of each process and in the user's cache."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pytest_dbguard.core.errors import DatabaseError
from pytest_dbguard.databases.base import StartOptions
from pytest_dbguard.databases.engines import make_engine
from pytest_dbguard.databases.sqlite import SqliteDatabase, SqliteServer
from pytest_dbguard.databases.sqlite_copy import copy_database, in_memory
from pytest_dbguard.databases.sqlite_files import APPLICATION_ID
from pytest_dbguard.templates.base import Finish, Recipe
from pytest_dbguard.templates.recipe_key import recipe_key
from pytest_dbguard.templates.runs import Run
from pytest_dbguard.templates.sqlite_cache import SqliteCache, sqlite_cache
from pytest_dbguard.templates.step_errors import run_step

FORMAT: Final = 1
"""Changes when what we do to a template changes in a way that the key does not tell by itself."""

_ALONE = "main"


@dataclass(frozen=True, slots=True)
class SqliteTemplate:
    """A database that is never changed, only copied."""

    key: str
    was_built: bool
    image: sqlite3.Connection
    """A private database in memory that holds the template."""

    server: SqliteServer
    run: Run
    project: Path | None

    def copy(self, name: str) -> SqliteDatabase:
        """Return a new database with what the template holds.

        Raises:
            DatabaseError: When it is to be a file that is somebody else's.
        """
        is_only = self.run.worker == _ALONE and name.endswith(f"_{_ALONE}")
        database = self.server.create(name, is_only=is_only)
        try:
            database.load(self.image)
        except sqlite3.Error as error:
            database.close()
            where = database.url.render_as_string(hide_password=True)
            raise DatabaseError(f"no database can be made at '{where}': {error}") from error
        return database


class SqliteTemplates:
    """The templates that one process has used so far."""

    def __init__(
        self, server: SqliteServer, run: Run, *, project: Path | None = None, finish: Finish | None = None
    ) -> None:
        self._server = server
        self._run = run
        self._project = project
        self._finish = finish
        self._ready: dict[str, SqliteTemplate] = {}

    def ready(self, recipe: Recipe) -> SqliteTemplate:
        """Return the template of a recipe, built once whoever asks first and however many ask at once.

        Raises:
            DatabaseError: When a step fails, naming it.
        """
        key = self._key(recipe)
        if key not in self._ready:
            image, was_built = self._image(key, recipe)
            self._ready[key] = SqliteTemplate(key, was_built, image, self._server, self._run, self._project)
        return self._ready[key]

    def close(self) -> None:
        """Let them go; what is in the user's cache stays."""
        for template in self._ready.values():
            template.image.close()
        self._ready.clear()

    def _image(self, key: str, recipe: Recipe) -> tuple[sqlite3.Connection, bool]:
        cache = sqlite_cache(self._server.options) if recipe.steps else None
        if cache is None:
            return self._built(recipe), True
        image = cache.get(key)
        return (self._built_by_one(cache, key, recipe)) if image is None else (image, False)

    def _built_by_one(self, cache: SqliteCache, key: str, recipe: Recipe) -> tuple[sqlite3.Connection, bool]:
        """Build a template, unless another process has done so before we got the lock."""
        with cache.building(key):
            image = cache.get(key)
            if image is not None:
                return image, False
            image = self._built(recipe)
            cache.put(key, image)
        return image, True

    def _built(self, recipe: Recipe) -> sqlite3.Connection:
        with _workshop(is_file=self._server.file is not None) as database:
            engine = make_engine(database)
            try:
                for step in recipe.steps:
                    run_step(step, engine)
            finally:
                engine.dispose()
            connection = database.connect()
            try:
                if self._finish is not None:
                    self._finish(connection)
                return self._copied(connection)
            finally:
                connection.close()

    def _copied(self, connection: sqlite3.Connection) -> sqlite3.Connection:
        """Return a copy in memory. What goes into files bears our mark, unless the project has a mark of its own."""
        image = in_memory()
        try:
            copy_database(connection, image)
            if self._server.file is not None and image.execute("PRAGMA application_id").fetchone() == (0,):
                image.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        except sqlite3.Error as error:
            image.close()
            raise DatabaseError(
                f"the template cannot be copied: {error}", hint="is a transaction still open?"
            ) from error
        return image

    def _key(self, recipe: Recipe) -> str:
        place = "memory" if self._server.file is None else "file"
        return recipe_key(recipe, self._server.url, str(FORMAT), "sqlite", self._server.version, place)


@contextmanager
def _workshop(*, is_file: bool) -> Iterator[SqliteDatabase]:
    """Give a database to build in: a file where copies are files, so that other programs can build in it too."""
    if not is_file:
        database = SqliteServer(StartOptions(), None).create("dbguard-build")
        try:
            yield database
        finally:
            database.close()
        return
    with tempfile.TemporaryDirectory(prefix="dbguard-build-") as directory:
        database = SqliteServer(StartOptions(), Path(directory, "build.db")).create("dbguard_main", is_only=True)
        try:
            yield database
        finally:
            database.close()
