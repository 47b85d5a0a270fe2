"""Templates on a PostgreSQL server: built once under a lock, marked as ready last, used again by later runs."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_dbguard.core.errors import DatabaseError, DbguardError
from pytest_dbguard.databases.base import Server
from pytest_dbguard.databases.connection_string import connection_string
from pytest_dbguard.databases.postgres_database import PostgresDatabase
from pytest_dbguard.templates.base import Finish, Recipe, Step
from pytest_dbguard.templates.marks import Mark, project_id, read_mark, today
from pytest_dbguard.templates.postgres_names import PostgresNames, maintenance
from pytest_dbguard.templates.runs import Run

if TYPE_CHECKING:
    from psycopg import Connection
    from sqlalchemy import URL

_FORMAT = "2"
"""Part of every key: changes with what we ourselves put into templates."""
_PREFIX = "dbguard_t_"
_LOCK_CLASS = 0x6462_6774
_KEPT_TEMPLATES = 3
_KEPT_DAYS = 7
_POLL_S = 0.05
_BUILD_S = 600.0


class PostgresTemplate(PostgresNames):
    """One template, which nobody can connect to."""

    def __init__(self, server: Server, name: str, key: str, run: Run, project: str, *, was_built: bool) -> None:
        super().__init__(server)
        self.name = name
        self.key = key
        self.was_built = was_built
        self._run = run
        self._project = project

    def copy(self, name: str) -> PostgresDatabase:
        """Return a new database with what the template holds; closing it drops it."""
        self.create(name)
        url = self.server.url.set(database=name)
        return PostgresDatabase(self.server.kind, url, self.server.version, _Dropping(self, name))

    def create(self, name: str, template: str | None = None, mark: Mark | None = None) -> None:
        """Make a database from the template."""
        own = Mark("copy", self._project, self._run.id)
        super().create(name, template or self.name, mark or own)


class _Dropping:
    """Drops a database when it is closed."""

    def __init__(self, names: PostgresNames, name: str) -> None:
        self._names = names
        self._name = name

    def close(self) -> None:
        with suppress(DatabaseError):  # the server is gone, and the database with it
            self._names.drop(self._name)


class PostgresTemplates:
    """The templates on one server."""

    def __init__(
        self,
        server: Server,
        run: Run,
        *,
        project: Path,
        finish: Finish | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._server = server
        self._run = run
        self._project = project_id(project)
        self._finish = finish
        self._clock = clock
        self._sleep = sleep
        self._names = PostgresNames(server)

    def ready(self, recipe: Recipe) -> PostgresTemplate:
        """Return the template of a recipe.

        Raises:
            DatabaseError: When a step fails, naming it.
        """
        key = self._key(recipe)
        name = f"{_PREFIX}{key[:16]}"
        was_built = not self._is_there(name) and self._build(name, recipe)
        return PostgresTemplate(self._server, name, key, self._run, self._project, was_built=was_built)

    def _key(self, recipe: Recipe) -> str:
        dialect = self._server.url.get_dialect()()
        found = hashlib.sha256(f"{_FORMAT} {self._server.version.partition('.')[0]}".encode())
        for step in recipe.steps:
            found.update(b"\0" + type(step).__name__.encode() + b"\0" + step.fingerprint(dialect))
        return found.hexdigest()

    def _is_there(self, name: str) -> bool:
        """Tell whether the template is ready, and note that it was used today."""
        with maintenance(self._server) as connection:
            state = _state(connection, name)
            if state is None or not state[0]:
                return False
            mark = read_mark(state[1])
            if mark is not None and mark.used != today():
                self._stamp(connection, name)
        return True

    def _build(self, name: str, recipe: Recipe) -> bool:
        """Build a template unless another process has done so in the meantime; tell whether it was built here."""
        lock = int(name.removeprefix(_PREFIX)[:8], 16) - (1 << 31)
        with maintenance(self._server) as connection:
            connection.execute("SELECT pg_advisory_lock(%s::int4, %s::int4)", [_LOCK_CLASS, lock])
            if not self._make_way(connection, name, lock):
                return False
            self._names.create(name, None, Mark("template", self._project, used=today()))
            try:
                self._fill(self._server.url.set(database=name), recipe)
            except BaseException:
                with suppress(DatabaseError):
                    self._names.drop(name)
                raise
            self._stamp(connection, name)
            from psycopg import sql

            connection.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(sql.Identifier(name)))
            # the mark that it is ready comes last: what has none is half built
            connection.execute(sql.SQL("ALTER DATABASE {} IS_TEMPLATE true").format(sql.Identifier(name)))
        self._collect(name)
        return True

    def _make_way(self, connection: Connection, name: str, lock: int) -> bool:
        """Drop what a killed run left half built; False when the template is ready now."""
        deadline = self._clock() + _BUILD_S
        while (state := _state(connection, name)) is not None:
            if state[0]:
                return False
            # advisory locks count within one database only: a run by way of another one may be at work
            if not _is_locked_elsewhere(connection, lock):
                self._names.drop(name)
            elif self._clock() > deadline:
                raise DatabaseError(f"another run has been building the template {name!r} for {_BUILD_S:.0f} s")
            else:
                self._sleep(_POLL_S)
        return True

    def _fill(self, url: URL, recipe: Recipe) -> None:
        import psycopg
        from sqlalchemy import create_engine
        from sqlalchemy.pool import NullPool

        engine = create_engine(url, poolclass=NullPool)
        for step in recipe.steps:
            run_step(step, engine)
        engine.dispose()
        with psycopg.connect(connection_string(url), autocommit=True) as connection:
            if self._finish is not None:
                self._finish(connection)
            # hint bits and statistics once, instead of in every copy
            connection.execute("VACUUM (ANALYZE)")

    def _stamp(self, connection: Connection, name: str) -> None:
        from psycopg import sql

        mark = Mark("template", self._project, used=today())
        connection.execute(
            sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(name), sql.Literal(mark.text()))
        )

    def _collect(self, newest: str) -> None:
        """Drop templates of this project that are neither among the newest nor were used in the last days."""
        ours = [each for each in self._names.all() if each.mark.kind == "template" and each.is_template]
        ours = [each for each in ours if each.mark.project == self._project and each.name != newest]
        ours.sort(key=lambda each: each.mark.used, reverse=True)
        oldest = (date.fromisoformat(today()) - timedelta(days=_KEPT_DAYS)).isoformat()
        for each in ours[_KEPT_TEMPLATES - 1 :]:
            if each.mark.used < oldest:
                with suppress(DatabaseError):  # in use as the source of a copy, or dropped by another run
                    self._names.drop(each.name)


def run_step(step: Step, engine: object) -> None:
    """Run a step of a recipe.

    Raises:
        DatabaseError: When it fails, naming it, with the first line of the error.
    """
    try:
        step.run(engine)  # type: ignore[arg-type]
    except DbguardError:
        raise
    except Exception as error:
        told = next(iter(str(error).splitlines()), "")
        raise DatabaseError(
            f"the template cannot be built: {step.name} fails with {type(error).__name__}: {told}",
            hint="the error's cause is in the traceback of --full-trace; mend it and run again",
        ) from error


def _state(connection: Connection, name: str) -> tuple[bool, str | None] | None:
    row = connection.execute(
        "SELECT datistemplate, shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", [name]
    ).fetchone()
    return None if row is None else (row[0], row[1])


def _is_locked_elsewhere(connection: Connection, lock: int) -> bool:
    row = connection.execute(
        "SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = %s AND objid = %s::int8 AND granted"
        " AND pid <> pg_backend_pid()",
        [_LOCK_CLASS, lock & 0xFFFF_FFFF],
    ).fetchone()
    return row is not None
