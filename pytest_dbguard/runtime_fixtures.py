"""The fixtures that run an application's database service in tests; imports nothing but pytest until one is used."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy.ext.asyncio import AsyncEngine

    from pytest_dbguard.databases.base import Database
    from pytest_dbguard.runtime.engine_set import EngineOfTarget
    from pytest_dbguard.runtime.manual_clock import ManualClock
    from pytest_dbguard.runtime.service import DatabaseService
    from pytest_dbguard.runtime.settings import DatabaseSettings
    from pytest_dbguard.testing.fixtures import Bind

__all__ = ["dbguard_clock", "dbguard_runtime_settings", "dbguard_service"]


@pytest.fixture(scope="session")
def dbguard_runtime_settings(request: pytest.FixtureRequest, dbguard_database: Database) -> DatabaseSettings:
    """Return the project's runtime settings for tests: profile "test", every role on the test's database.

    Variables of the environment count for nothing here: they may name another database.
    """
    from pytest_dbguard.runtime.settings import DatabaseSettings

    url = dbguard_database.url.render_as_string(hide_password=False)
    roles = {role: {"url": url} for role in ("primary", "readonly", "analytics")}
    return DatabaseSettings.load(request.config.rootpath, profile="test", environ={}, roles=roles)


@pytest.fixture
def dbguard_clock() -> ManualClock:
    """Return the clock of `dbguard_service`, which only the test moves: `dbguard_clock.move(3600)`."""
    from pytest_dbguard.runtime.manual_clock import ManualClock

    return ManualClock()


@pytest.fixture(scope="session")
def _dbguard_services(dbguard_bind: Bind) -> Iterator[ServiceInTest]:
    services = ServiceInTest(dbguard_bind)
    yield services
    services.end()


@pytest.fixture
def dbguard_service(
    dbguard_runtime_settings: DatabaseSettings, dbguard_clock: ManualClock, _dbguard_services: ServiceInTest
) -> Iterator[DatabaseService]:
    """Return a new service on the test's database, which is also what `get_database_service()` returns in the test.

    All roles, sync and async, see what the other fixtures see, and are cleaned with them; "readonly" and "analytics"
    cannot write. It starts when it is first used.
    """
    from pytest_dbguard.runtime.process_service import override_database_service

    with override_database_service(_dbguard_services.begin(dbguard_runtime_settings, dbguard_clock)) as service:
        yield service


class ServiceInTest:
    """The service of the present test. It ends when the next one begins: what a test leaves open is told before."""

    def __init__(self, bind: Bind) -> None:
        self._bind = bind
        self._service: DatabaseService | None = None
        self._engines: list[Engine | AsyncEngine] = []

    def begin(self, settings: DatabaseSettings, clock: ManualClock) -> DatabaseService:
        """End the last service and return a new one, whose engines lead to the test's database."""
        from pytest_dbguard.runtime.service import DatabaseService

        self.end()
        self._service = DatabaseService(settings, clock=clock)
        self._service.on_engine(self._made)
        return self._service

    def end(self) -> None:
        """Let the engines go and close them."""
        for engine in self._engines:
            self._bind.release(engine)
        self._engines.clear()
        if self._service is not None:
            self._service.stop(0.0)
        self._service = None

    def _made(self, made: EngineOfTarget) -> None:
        engine = made.async_engine or made.engine
        self._bind(engine, made.target.role)
        self._engines.append(engine)
