"""Servers that the tests of the runtime share, faults to put between, and managers that end with the test."""

from __future__ import annotations

import pytest

from tests.databases.servers import require
from tests.runtime.faults.proxy import Proxy
from tests.runtime.faults.replication import StreamingReplica
from tests.runtime.faults.server import RestartableServer
from tests.runtime.faults.tls_server import TlsServer, missing_tls


@pytest.fixture(scope="session")
def postgres():
    """A PostgreSQL server on a socket; what a test stops or turns read-only is mended after it."""
    with RestartableServer() as server:
        yield server


@pytest.fixture(scope="session")
def replica(postgres):
    """A streaming replica of `postgres`; what a test stops, pauses or promotes is mended after it."""
    with StreamingReplica(postgres) as server:
        yield server


@pytest.fixture(scope="session")
def tls_postgres():
    """A server that wants TLS over TCP."""
    require(missing_tls(), "DBGUARD_REQUIRE_POSTGRES")
    with TlsServer() as server:
        yield server


@pytest.fixture(autouse=True)
def mended(request):
    """Bring the shared servers back to what the next test expects."""
    yield
    for name in ("postgres", "replica", "tls_postgres"):
        if name in request.fixturenames:
            request.getfixturevalue(name).mend()


@pytest.fixture
def proxy(request):
    """Return a function that puts a proxy before a server: `proxy(postgres)`; all are closed after the test."""
    made: list[Proxy] = []

    def start(server: RestartableServer | None = None) -> Proxy:
        chosen = server or request.getfixturevalue("postgres")
        made.append(Proxy(chosen.socket))
        return made[-1]

    yield start
    for each in made:
        each.close()


@pytest.fixture
def manager():
    """Return a function that makes a manager of settings or of their keywords; all are stopped after the test."""
    from pytest_dbguard.runtime.manager import DatabaseManager
    from pytest_dbguard.runtime.settings import DatabaseSettings

    made = []

    def start(settings=None, *, clock=None, **keywords):
        settings = settings or DatabaseSettings(**keywords)
        made.append(DatabaseManager(settings) if clock is None else DatabaseManager(settings, clock=clock))
        return made[-1]

    yield start
    for each in made:
        each.stop(0.0)
