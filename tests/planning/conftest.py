"""Servers whose plans are read: the wheel's PostgreSQL 18 and this machine's own."""

from __future__ import annotations

import psycopg
import pytest

from pytest_dbguard.databases.base import StartOptions
from pytest_dbguard.databases.connection_string import connection_string
from pytest_dbguard.databases.registry import load_provider
from tests.databases.servers import require


@pytest.fixture(scope="module", params=["postgres-embedded", "postgres-local"])
def planner(request):
    """A connection to a database of nobody's, whose changes are gone with the server."""
    provider = load_provider(request.param)
    require(provider.available(StartOptions()), "DBGUARD_REQUIRE_POSTGRES")
    server = provider.launch(StartOptions()).ready()
    with psycopg.connect(connection_string(server.url), autocommit=True) as connection:
        yield connection
    server.close()
