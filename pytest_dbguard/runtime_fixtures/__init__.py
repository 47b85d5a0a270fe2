"""The fixtures that run an application's database service in tests; imports nothing but pytest until one is used."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_dbguard.databases.base import Database
    from pytest_dbguard.runtime.manual_clock import ManualClock
    from pytest_dbguard.runtime.service import DatabaseService
    from pytest_dbguard.runtime.settings import DatabaseSettings
    from pytest_dbguard.runtime_fixtures.service_in_test import ServicesInTests
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
def _dbguard_services(dbguard_bind: Bind) -> Iterator[ServicesInTests]:
    from pytest_dbguard.runtime_fixtures.service_in_test import ServicesInTests

    services = ServicesInTests(dbguard_bind)
    yield services
    services.end()


@pytest.fixture
def dbguard_service(
    dbguard_runtime_settings: DatabaseSettings, dbguard_clock: ManualClock, _dbguard_services: ServicesInTests
) -> Iterator[DatabaseService]:
    """Return a new service on the test's database, which is also what `get_database_service()` returns in the test.

    All roles, sync and async, see what the other fixtures see, and are cleaned with them; "readonly" and "analytics"
    cannot write. It starts when it is first used. In a test that is rolled back each role's asynchronous engine has a
    transaction of its own, and sees nothing of what others have not committed for real.
    """
    from pytest_dbguard.runtime.process_service import override_database_service

    with override_database_service(_dbguard_services.begin(dbguard_runtime_settings, dbguard_clock)) as service:
        yield service
