"""A process that forks while its service is connected: each has connections of its own, and closes only those."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import text

from pytest_dbguard.runtime import (
    DatabaseService,
    DatabaseSettings,
    get_database_service,
    override_database_service,
)
from tests.runtime.service.test_lifecycle import in_child

BACKEND = text("SELECT pg_backend_pid()")


@pytest.fixture
def service(postgres):
    url = postgres.url.render_as_string(hide_password=False)
    settings = DatabaseSettings(profile="development", url=url, logging={"statements": False})
    service = DatabaseService(settings)
    with override_database_service(service):
        yield service
    service.stop()


def backend(service):
    with service.client() as session:
        return session.scalar(BACKEND)


def test_a_child_has_connections_of_its_own(service):
    service.start()
    mine = backend(service)

    def child():
        assert get_database_service() is service
        assert service.state == "new"
        theirs = backend(service)
        assert service.state == "started"
        assert service.manager.checker.is_running
        assert backend(service) == theirs
        return int(theirs != mine)

    assert in_child(child) == 1
    assert (service.state, backend(service)) == ("started", mine)


@pytest.mark.parametrize("is_used", [False, True])
def test_a_child_that_stops_leaves_the_connections_of_its_parent(service, is_used):
    mine = backend(service)

    def child():
        if is_used:
            backend(service)
        service.stop()
        return int(service.state == "stopped")

    assert in_child(child) == 1
    assert backend(service) == mine


def test_a_child_of_a_service_that_is_used_right_now(service):
    """Its parent's session goes on with the transaction that it has begun."""
    with service.client() as session:
        mine = session.scalar(BACKEND)
        assert in_child(lambda: int(backend(service) != mine)) == 1
        assert session.scalar(BACKEND) == mine


def test_a_child_hears_what_its_parent_has_subscribed_to(service):
    seen = []
    service.events.subscribe("query", lambda event: seen.append(event.sql))
    backend(service)

    def child():
        seen.clear()
        backend(service)
        return len(seen)

    assert in_child(child) == 1


def test_a_child_of_a_stopped_service(service):
    service.start()
    service.stop()
    assert in_child(lambda: int(service.state == "stopped")) == 1

    def child():
        service.start()
        return int(backend(service) > 0)

    assert in_child(child) == 1


def test_children_of_threads(service):
    backend(service)
    results = []

    def fork():
        results.append(in_child(lambda: int(backend(service) > 0)))

    threads = [threading.Thread(target=fork) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [1, 1]


async def test_a_child_of_a_running_loop(service):
    async with service.client() as session:
        mine = await session.scalar(BACKEND)

    def child():
        return int(backend(service) != mine)

    assert in_child(child) == 1
    async with service.client() as session:
        assert await session.scalar(BACKEND) == mine
    await service.stop_async()
