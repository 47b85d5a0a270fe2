"""What all tests of the torture share: the recipe, the application's engines, the proof that each test starts clean."""

from __future__ import annotations

import os
from contextlib import closing

import dialect
import engines
import plain
import pytest
import recipe
import state
from expectation import differences


@pytest.fixture(scope="session")
def dbguard_migrate():
    return [plain.SCHEMA, recipe.create]


@pytest.fixture(scope="session")
def dbguard_seed():
    return recipe.seed


@pytest.fixture(scope="session")
def application(dbguard_bind):
    dbguard_bind(engines.primary)
    dbguard_bind(engines.readonly, role="readonly")
    for engine in engines.asynchronous:
        dbguard_bind(engine)


@pytest.fixture(autouse=True)
def starts_clean(application, connect, expectation, record_property):
    """Prove that the database, and the sessions that the application gets, are as if there had been no test before."""
    record_property("process", os.getpid())
    with closing(connect()) as connection:
        record_property("directory", dialect.data_directory(connection))
        found = state.read_state(connection)
        fresh = dialect.fresh_session(connection)
    dirt = differences(expectation.state(), found)
    assert not dirt, "\n".join(dirt)
    for engine in (engines.primary, engines.readonly):
        with engine.connect() as connection:
            assert tuple(connection.exec_driver_sql(dialect.SESSION).one()) == fresh
