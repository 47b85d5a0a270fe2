"""Engines of a service that are connected already are led to the test's database like any other."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from pytest_dbguard.resets.routing import replace_connections
from pytest_dbguard.runtime import DatabaseService, DatabaseSettings


@pytest.fixture
def service(tmp_path):
    service = DatabaseService(DatabaseSettings(profile="test", url=f"sqlite:///{tmp_path}/shop.db"))
    yield service
    service.stop(0)


def test_connections_are_replaced(service):
    engine = service.client().engine
    for connected in (1, 2):
        with engine.connect() as connection:
            connection.scalar(text("SELECT 42"))
        assert service.metrics().pools["primary"].connected == connected
        replace_connections(engine)


async def test_asynchronous_connections_are_replaced(service):
    engine = service.client().async_engine
    for connected in (1, 2):
        async with engine.connect() as connection:
            await connection.scalar(text("SELECT 42"))
        assert service.metrics().pools["primary (async)"].connected == connected
        replace_connections(engine.sync_engine)
    await service.stop_async()
