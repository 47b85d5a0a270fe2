"""Starts the one server of a run, hands it to the workers, opens this process's databases, and takes all down again."""

from __future__ import annotations

import secrets
import sys
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from pytest_dbguard.config.model import PRODUCTION, canonical
from pytest_dbguard.core.errors import DatabaseError, DbguardError
from pytest_dbguard.databases.base import Launch, Server, StartOptions
from pytest_dbguard.databases.registry import Choice, choose
from pytest_dbguard.databases.settings import start_options
from pytest_dbguard.resets.registry import finish_for, load_reset
from pytest_dbguard.testing.settings import config_for

if TYPE_CHECKING:
    from pytest_dbguard.templates.runs import RunLock
    from pytest_dbguard.testing.databases import Databases

_NEEDED = ("pytest_dbguard.testing.fixtures",)
_NEEDED_FOR_POSTGRES = ("psycopg", "sqlalchemy.dialects.postgresql.psycopg", "pytest_dbguard.resets.postgres_cleaner")
SERVER_URL = "dbguard_server_url"
RUN_ID = "dbguard_run_id"
_RUN = pytest.StashKey["DatabaseRun"]()


def database_run(config: pytest.Config) -> DatabaseRun:
    """Return what this process knows of the run's server; nothing is started by that."""
    if _RUN not in config.stash:
        config.stash[_RUN] = run = DatabaseRun(config)
        config.add_cleanup(lambda: _close(run))
    return config.stash[_RUN]


def _close(run: DatabaseRun) -> None:
    """Close it when the results are told already: what goes wrong then is one line and no traceback."""
    try:
        run.close()
    except DbguardError as error:
        print(f"dbguard: {error}", file=sys.stderr)


class DatabaseRun:
    """The server of a run as one process sees it: the controller starts it, workers of pytest-xdist join it."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._settings = config_for(config)
        self._given: dict[str, Any] = getattr(config, "workerinput", {})
        self.id: str = self._given.get(RUN_ID) or secrets.token_hex(4)
        self._choice: Choice | None = None
        self._launch: Launch | None = None
        self._server: Server | None = None
        self._lock: RunLock | None = None
        self._databases: Databases | None = None
        self._failure: DbguardError | None = None
        self._is_worth_saving = False
        self._keeps_server = False

    @property
    def choice(self) -> Choice:
        """The provider that this run is configured for, with the reasons.

        Raises:
            DatabaseError: When there is no such provider, or tests must not run in this environment.
        """
        if self._choice is None:
            settings = self._settings
            if canonical(settings.env) == PRODUCTION:
                raise DatabaseError(
                    f"{settings.sources['env']}: no tests on the databases of the environment {settings.env!r}",
                    hint="choose another environment with --dbguard-env, such as test",
                )
            _refuse_unknown_reset(settings.reset, settings.sources["reset"])
            source = settings.sources["url" if settings.database is None else "database"]
            self._choice = choose(settings.database, source, self.options)
        return self._choice

    @property
    def options(self) -> StartOptions:
        """What the provider needs to know."""
        return start_options(self._settings, self._config.rootpath, outlives_run=self._settings.keep)

    def launch(self) -> None:
        """Begin to start the server, in the main thread; what goes wrong is told when it is needed."""
        if self._launch is None and self._server is None and self._failure is None:
            try:
                self._launch = self._launched()
            except DbguardError as error:
                self._failure = error

    def import_ahead(self) -> None:
        """Import what the fixtures need while the server comes up."""
        if self._failure is None:
            for name in _NEEDED if self.choice.provider.kind == "sqlite" else (*_NEEDED_FOR_POSTGRES, *_NEEDED):
                import_module(name)

    def server(self) -> Server:
        """Return the server, started at the first call.

        Raises:
            DatabaseError: The same one at every call, when it does not start.
        """
        if self._failure is None and self._server is None:
            try:
                self._server = self._started()
            except DbguardError as error:
                self._failure = error
        if self._failure is not None:
            raise self._failure
        if self._server is None:
            raise AssertionError("a server that did not start left its failure")
        return self._server

    @property
    def running_server(self) -> Server | None:
        """The server, where one was started or joined; asking starts none."""
        return self._server

    def databases(self) -> Databases:
        """Return the databases of this process; none is open at first."""
        if self._databases is None:
            from pytest_dbguard.templates.registry import templates_for
            from pytest_dbguard.templates.runs import Run
            from pytest_dbguard.testing.databases import Databases

            server, root = self.server(), self._config.rootpath
            run = Run(self.id, str(self._given.get("workerid", "main")))
            templates = templates_for(server, run, project=root, finish=finish_for(server))
            self._databases = Databases(server, run, templates, self._settings, root)
        return self._databases

    def handed_over(self) -> dict[str, str]:
        """Return what a worker needs to join the run."""
        if self.choice.provider.kind == "sqlite":
            return {RUN_ID: self.id}
        url = self.server().url.render_as_string(hide_password=False)
        return {RUN_ID: self.id, SERVER_URL: url}

    def note_templates(self) -> None:
        """Take in that a template was built on the server, in this process or in a worker."""
        self._is_worth_saving = True

    def note_kept(self) -> None:
        """Take in that databases of failed tests are on the server, which goes on for that."""
        self._keeps_server = True

    def close(self) -> None:
        """Delete this process's databases, and stop the server where this process started it."""
        databases = self._databases
        if databases is not None:
            if databases.templates_built:
                self.note_templates()
            databases.close()
        if self._lock is not None:
            self._lock.close()
            self._sweep_after_crashes()
        if self._server is None and self._launch is not None:
            self._launch.abandon()
        server = self._server
        if server is None or self._keeps_server:
            return
        if self._is_worth_saving:
            getattr(server, "save", lambda: None)()
        server.close()

    def _sweep_after_crashes(self) -> None:
        """Delete what workers that were killed have left on a server that goes on."""
        server = self._server
        if server is not None and (self._keeps_server or not server.is_ours):
            from pytest_dbguard.templates.runs import sweep

            with suppress(DbguardError):
                sweep(server)

    def _launched(self) -> Launch:
        provider, options = self.choice.provider, self.options
        reason = provider.available(options)
        if reason is not None:
            raise DatabaseError(f"the database {provider.kind!r} cannot start: {reason}")
        return provider.launch(options)

    def _started(self) -> Server:
        from sqlalchemy import make_url

        if SERVER_URL in self._given:
            return self.choice.provider.join(make_url(self._given[SERVER_URL]))
        if self._launch is None:
            self._launch = self._launched()
        server = self._launch.ready()
        if not self._given and server.kind != "sqlite":
            from pytest_dbguard.templates.runs import RunLock, sweep

            sweep(server)
            self._lock = RunLock(server, self.id)
        return server


def _refuse_unknown_reset(name: str, source: str) -> None:
    try:
        load_reset(name)
    except DatabaseError as error:
        raise DatabaseError(f"{source}: {error.message}", hint=error.hint) from None
