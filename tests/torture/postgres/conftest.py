"""Connections of the driver's, and the state that tests on PostgreSQL have to find."""

from __future__ import annotations

import json
import os
from pathlib import Path

import psycopg
import pytest
from expectation import Expectation

pytest_plugins = ["events", "order", "clean_start"]


@pytest.fixture(scope="session")
def dsn(dbguard_database):
    return dbguard_database.url.set(drivername="postgresql").render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def connect(dsn):
    """Return a function that opens a connection of the driver's, which commits each statement and fails at locks."""
    return lambda: psycopg.connect(dsn, autocommit=True, options="-c lock_timeout=3s")


@pytest.fixture
def admin(dsn):
    """A connection of the test's own that commits each statement."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="session")
def expectation():
    return Expectation(json.loads(Path(os.environ["TORTURE_SNAPSHOT"]).read_text()))


@pytest.fixture
def end_everybody_else(admin):
    """Return a function that ends all connections but one."""
    return lambda: admin.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
