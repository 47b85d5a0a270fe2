"""The service on a real SQLite file: its life, what it tells, and what it refuses."""

from __future__ import annotations

import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from pytest_dbguard.core.errors import ConfigError
from pytest_dbguard.runtime import (
    DatabaseManager,
    DatabaseService,
    DatabaseSettings,
    NotConfigured,
    NotStarted,
)

COUNT = text("SELECT count(*) FROM item")
LONG_S = 20
ROLES = ("client", "readonly", "analytics", "routed")


def test_starts_when_it_is_first_used(service):
    assert service.state == "new"
    with service.client() as session:
        assert session.scalar(COUNT) == 1
    assert service.state == "started"


async def test_starts_when_it_is_first_used_in_a_loop(service):
    async with service.client() as session:
        assert await session.scalar(COUNT) == 1
    assert service.state == "started"
    await service.stop_async()


def test_starts_and_stops_with_a_block(service):
    with service as given:
        assert (given, service.state) == (service, "started")
    assert service.state == "stopped"


async def test_starts_and_stops_with_an_asynchronous_block(service):
    async with service as given:
        assert (given, service.state) == (service, "started")
    assert service.state == "stopped"


@pytest.mark.parametrize("role", ROLES)
def test_refuses_after_a_stop(service, role):
    client = getattr(service, role)()
    service.start()
    service.stop()
    for give in (client.session, client.async_session, client.__enter__, lambda: client.engine):
        with pytest.raises(NotStarted, match="the database service is stopped\n  call start"):
            give()
    with pytest.raises(NotStarted):
        service.manager  # noqa: B018


def test_starts_again_after_a_stop(service):
    for _ in range(3):
        with service, service.client() as session:
            assert session.scalar(COUNT) == 1


async def test_may_be_stopped_in_another_way_than_started(service):
    service.start()
    async with service.client() as session:
        assert await session.scalar(COUNT) == 1
    await service.stop_async()
    assert service.state == "stopped"
    await service.start_async()
    async with service.client() as session:
        assert await session.scalar(COUNT) == 1
    service.stop()
    assert service.state == "stopped"


def test_threads_that_use_it_first_at_once_start_it_once(service, monkeypatch):
    starts, everybody = [], threading.Barrier(8)
    start = service._manager.start

    def ask():
        everybody.wait(LONG_S)
        with service.client() as session:
            return session.scalar(COUNT)

    monkeypatch.setattr(service._manager, "start", lambda *eager: starts.append(eager) or start(*eager))
    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(ask) for _ in range(8)]
        assert [answer.result(LONG_S) for answer in answers] == [1] * 8
    assert starts == [(False,)]


def test_watches_where_it_is_told_to(settings, tmp_path):
    watching = DatabaseSettings(profile="development", url=f"sqlite:///{tmp_path}/shop.db")
    for given, is_watched in ((settings, False), (watching, True)):
        with DatabaseService(given) as service:
            assert service.manager.checker.is_running == is_watched
        assert not service._manager.checker.is_running


async def test_watches_in_the_loop(tmp_path):
    settings = DatabaseSettings(profile="development", url=f"sqlite:///{tmp_path}/shop.db")
    async with DatabaseService(settings) as service:
        assert service.manager.checker.is_running
    assert not service._manager.checker.is_running


def test_a_part_that_does_not_start_stops_those_before_it(tmp_path, monkeypatch):
    service = DatabaseService(DatabaseSettings(profile="development", url=f"sqlite:///{tmp_path}/shop.db"))

    def fail():
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(service._manager.checker, "start", fail)
        for _ in range(2):
            with pytest.raises(ZeroDivisionError):
                service.client().session()
            assert (service.state, service._manager.state) == ("new", "stopped")
    with service.client() as session:
        assert session.scalar(text("SELECT 42")) == 42
    service.stop()


@pytest.fixture
def refused():
    """The address of a server that is not there."""
    with socket.socket() as bound:  # nobody else gets the port, and nobody listens
        bound.bind(("127.0.0.1", 0))
        yield DatabaseSettings(profile="test", url="postgresql://shop@{}:{}/shop".format(*bound.getsockname()))


def test_an_eager_one_fails_at_the_start(refused):
    lazy, eager = DatabaseService(refused), DatabaseService(refused, eager=True)
    lazy.start()
    with pytest.raises(DBAPIError):
        eager.start()
    assert (lazy.state, eager.state) == ("started", "new")
    lazy.stop()


async def test_an_eager_one_fails_at_the_start_in_a_loop(refused):
    lazy, eager = DatabaseService(refused), DatabaseService(refused, eager=True)
    await lazy.start_async()
    with pytest.raises(DBAPIError):
        await eager.start_async()
    assert (lazy.state, eager.state) == ("started", "new")
    await lazy.stop_async()


def test_refuses_wrong_settings_before_anything_starts(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DBGUARD_RUNTIME_URL", "sqlite:///shop.db")
    monkeypatch.setenv("DBGUARD_RUNTIME_POOL__SIZE", "0")
    monkeypatch.setenv("DBGUARD_RUNTIME_POLL__SIZE", "1")
    with pytest.raises(ConfigError) as caught:
        DatabaseService()
    assert "POOL__SIZE" in str(caught.value)
    assert "POLL__SIZE" in str(caught.value)


@pytest.mark.parametrize("make", [DatabaseService, DatabaseManager])
def test_refuses_to_be_made_without_a_database(make):
    with pytest.raises(NotConfigured) as caught:
        make(DatabaseSettings(profile="development"))
    message = "no database: the setting `url` is missing (profile development)"
    assert str(caught.value) == f"{message}\n  set DBGUARD_RUNTIME_URL, or url in [tool.dbguard.runtime]"


def test_tells_its_figures_in_any_state(service):
    assert service.metrics().state == "new"
    with service, service.client() as session:
        session.scalar(COUNT)
    assert service.metrics().state == "stopped"
    assert "count(*) FROM item" in str(service.performance_summary())


def test_tells_its_health_in_any_state(service):
    assert service.live().ok
    assert service.state == "new"
    assert service.ready().ok
    assert service.health().ok
    assert service.state == "started"
    service.stop()
    assert not service.ready().ok
    assert service.live().ok


async def test_tells_its_health_in_a_loop(service):
    assert (await service.health_async()).ok
    assert (await service.ready_async()).ok
    await service.stop_async()
    assert not (await service.ready_async()).ok


def test_tells_what_happens_from_the_first_statement_on(service):
    seen = []
    service.events.subscribe("query", lambda event: seen.append((event.role, event.sql)))
    with service.readonly() as session:
        session.scalar(COUNT)
    assert seen == [("readonly", "SELECT count(*) FROM item")]


def test_tells_of_each_engine_before_it_is_used(service):
    made = []
    end = service.on_engine(lambda engine: made.append((engine.target.role, engine.is_async)))
    assert service.state == "new"
    with service.client(), service.client():
        pass
    service.routed().async_engine  # noqa: B018
    end()
    service.readonly().engine  # noqa: B018
    assert made == [("primary", False), ("primary", True)]


MISSING = pytest.mark.parametrize(
    ("part", "name", "arguments"),
    [
        ("optimizer", "optimization_report", ()),
        ("optimizer", "model_optimizations", ("User",)),
        ("backups", "create_backup", ()),
        ("backups", "list_backups", ()),
        ("backups", "restore_backup", ("2026-11-29",)),
    ],
)


@MISSING
def test_says_which_parts_are_missing(service, part, name, arguments):
    with pytest.raises(NotConfigured, match=f"brings no {part}\n  "):
        getattr(service, name)(*arguments)
    assert service.state == "new"


@MISSING
async def test_says_which_parts_are_missing_in_a_loop(service, part, name, arguments):
    with pytest.raises(NotConfigured, match=f"brings no {part}\n  "):
        await getattr(service, f"{name}_async")(*arguments)


@pytest.mark.parametrize("name", ["soft_delete", "audit", "query_cache"])
def test_refuses_what_an_application_would_rely_on(name):
    with pytest.raises(NotConfigured, match=f"middleware.{name} is set, but this version"):
        DatabaseService(DatabaseSettings(profile="test", middleware={name: True}))


def test_tells_at_the_start_what_goes_without(tmp_path, caplog):
    settings = DatabaseSettings(profile="production", url=f"sqlite:///{tmp_path}/shop.db")
    with DatabaseService(settings):
        assert [message.split(" is set")[0] for message in caplog.messages] == ["backup.enabled", "monitoring.alerts"]
    caplog.clear()
    settings = DatabaseSettings(profile="test", url=f"sqlite:///{tmp_path}/shop.db")
    with DatabaseService(settings):
        assert caplog.messages == []
