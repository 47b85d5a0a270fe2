"""The templates of a PostgreSQL server: built once by whoever asks first, used by later runs, deleted when old."""

from __future__ import annotations

import inspect
import weakref
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pytest_dbguard.core.errors import DatabaseError
from pytest_dbguard.databases.base import Server
from pytest_dbguard.templates.advisory_locks import held_locks, lock, lock_number
from pytest_dbguard.templates.base import Finish, Recipe
from pytest_dbguard.templates.maintenance import Maintenance
from pytest_dbguard.templates.marks import Kind, Mark, project_key
from pytest_dbguard.templates.postgres_build import Build
from pytest_dbguard.templates.postgres_template import PostgresTemplate
from pytest_dbguard.templates.recipe_key import recipe_key
from pytest_dbguard.templates.runs import Run, run_lock

if TYPE_CHECKING:
    from psycopg import Connection

FORMAT: Final = 1
"""Changes when what we do to a template changes in a way that the key does not tell by itself."""

_PREFIX = "dbguard_t_"
_NEWEST = 3
_UNUSED = timedelta(days=7)
_STAMP = timedelta(hours=1)
_FACTS = """
    SELECT pg_encoding_to_char(encoding), datcollate, datctype, current_user
    FROM pg_catalog.pg_database WHERE datname = 'template1'
"""


class PostgresTemplates:
    """The templates of one server, as one process of a run uses them."""

    def __init__(
        self,
        server: Server,
        run: Run,
        *,
        project: Path | None = None,
        finish: Finish | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._maintenance = Maintenance(server)
        self._run = run
        self._project = project_key(project)
        self._finish = finish
        self._now = now
        self._holder: Connection | None = None
        self._facts: str | None = None

    def ready(self, recipe: Recipe) -> PostgresTemplate:
        """Return the template of a recipe, built once whoever asks first and however many ask at once.

        Raises:
            DatabaseError: When a step fails, naming it.
        """
        key = self._key(recipe)
        name = f"{_PREFIX}{key[:16]}"
        with self._maintenance.told():
            lock(self._held(), use_lock(name), is_shared=True)
        is_there = self._is_ready(name)
        was_built = not is_there and self._built(name, key, recipe)
        mark = Mark(Kind.COPY, run=self._run.id, key=key, project=self._project)
        return PostgresTemplate(self._maintenance, name, mark, was_built=was_built)

    def close(self) -> None:
        """Close the connections; the templates stay."""
        self._maintenance.close()
        if self._holder is not None:
            self._holder.close()

    def _built(self, name: str, key: str, recipe: Recipe) -> bool:
        """Build a template, unless another process has done so before we got the lock; tell whether we did."""
        with self._maintenance.told(), self._maintenance.connect() as building:
            lock(building, lock_number("build", name))
            if self._is_ready(name):
                return False
            mark = Mark(Kind.TEMPLATE, run=self._run.id, key=key, project=self._project)
            try:
                Build(self._maintenance, recipe, mark.used_now(self._now()), self._finish).build(name)
            except DatabaseError:
                # by way of another maintenance database, whose locks we do not wait for, somebody was faster
                if self._is_ready(name):
                    return False
                raise
        self._delete_old(name)
        return True

    def _is_ready(self, name: str) -> bool:
        """Tell whether a template is there, and note that it is used."""
        entry = self._maintenance.entry(name)
        if entry is None:
            return False
        mark = self._maintenance.owned(name).mark
        if mark is None or not entry.is_template:
            self._maintenance.drop(name)  # somebody has opened it: what is in it now is not known
            return False
        if self._now() - mark.used_at > _STAMP:
            with suppress(DatabaseError):  # of another role, or another process does the same right now
                self._maintenance.comment(name, mark.used_now(self._now()))
        return True

    def _delete_old(self, newest: str) -> None:
        """Delete this project's templates but for the newest and those used lately or by anybody now."""
        found = [(entry.name, mark) for entry in self._maintenance.entries() if (mark := entry.mark) is not None]
        ours = [each for each in found if each[1].kind == Kind.TEMPLATE and each[1].project == self._project]
        ours.sort(key=lambda each: (each[0] == newest, each[1].used_at), reverse=True)
        old = [name for name, mark in ours[_NEWEST:] if self._now() - mark.used_at > _UNUSED]
        for name in unused(self._maintenance, old):
            with suppress(DatabaseError):
                self._maintenance.drop(name)

    def _held(self) -> Connection:
        """Return the connection that holds this process's locks: the run is alive, these templates are in use."""
        if self._holder is None:
            self._holder = self._maintenance.connect()
            weakref.finalize(self, self._holder.close)
            lock(self._holder, run_lock(self._run.id), is_shared=True)
        return self._holder

    def _key(self, recipe: Recipe) -> str:
        server = self._maintenance.server
        version = server.version.partition(".")[0]
        return recipe_key(recipe, server.url, str(FORMAT), version, self._server_facts(), _source_of(self._finish))

    def _server_facts(self) -> str:
        """Return what else makes databases of one recipe differ: encoding, locale, and whose they are."""
        if self._facts is None:
            with self._maintenance.connection() as connection:
                self._facts = repr(connection.execute(_FACTS).fetchone())
        return self._facts


def use_lock(name: str) -> int:
    """Return the number of the lock that says that a template is in use."""
    return lock_number("use", name)


def unused(maintenance: Maintenance, names: list[str]) -> list[str]:
    """Return the templates among these that no process uses."""
    if not names:
        return []
    with maintenance.connection() as connection:
        held = held_locks(connection)
    return [name for name in names if use_lock(name) not in held]


def _source_of(finish: Finish | None) -> str:
    """Return the source of the module that finishes templates: with another one they are others."""
    module = inspect.getmodule(finish)
    if module is None:
        return ""
    try:
        return inspect.getsource(module)
    except OSError:
        return str(getattr(module, "__file__", ""))
