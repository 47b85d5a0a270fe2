"""An engine with tables and a seed row on each database, and the rolled back engine beside it."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.pool import StaticPool

from pytest_dbguard.databases.engines import make_engine
from pytest_dbguard.databases.registry import load_provider
from pytest_dbguard.resets.outer_transaction import OuterTransaction


@pytest.fixture(scope="session", params=["sqlite", "postgres-embedded"])
def database(request):
    database = load_provider(request.param).start()
    yield database
    database.close()


@pytest.fixture
def engine(database):
    """An engine that really commits."""
    serial = "SERIAL" if database.kind == "postgres-embedded" else "INTEGER"
    engine = make_engine(database)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE IF EXISTS item"))
        connection.execute(text(f'CREATE TABLE item (id {serial} PRIMARY KEY, "na%me" TEXT UNIQUE)'))
        connection.execute(text("INSERT INTO item (\"na%me\") VALUES ('seed')"))
    yield engine
    engine.dispose()


@pytest.fixture
def inside(database, engine):
    """An engine whose one connection stands inside an outer transaction when `open` was called."""
    inside = make_engine(database, poolclass=StaticPool, pool_reset_on_return=None)
    yield inside
    inside.dispose()


@pytest.fixture
def outer(inside):
    return OuterTransaction(inside)
