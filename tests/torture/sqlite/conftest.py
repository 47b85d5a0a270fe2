"""Connections of the driver's, and the state that tests on SQLite have to find."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import plain
import pytest
import state
from expectation import Expectation
from sqlalchemy import NullPool, create_engine

pytest_plugins = ["events", "order", "clean_start"]


@pytest.fixture(scope="session")
def connect(dbguard_database):
    """Return a function that opens a connection of the driver's, which commits each statement and fails at locks."""
    url = dbguard_database.url
    arguments, options = create_engine(url, poolclass=NullPool).dialect.create_connect_args(url)
    return lambda: sqlite3.connect(*arguments, **options | {"isolation_level": None, "timeout": 5})


@pytest.fixture(scope="session")
def expectation(tmp_path_factory):
    file = tmp_path_factory.mktemp("plain") / "plain.db"
    plain.build(create_engine(f"sqlite:///{file}"))
    with closing(sqlite3.connect(file)) as connection:
        return Expectation(state.read_state(connection))
