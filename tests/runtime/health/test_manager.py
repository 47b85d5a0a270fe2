"""Health and figures of a real manager: its engines, settings, pools, credentials and stop."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from pytest_dbguard.runtime.statistics import summary_of
from tests.runtime.faults.clients import plain
from tests.runtime.waiting import WATCHDOG_S, eventually

POOL = {"size": 1, "overflow": 0, "timeout_s": 0.0}


@pytest.fixture
def served(manager, postgres, replica):
    """A manager with a primary and a replica, started."""
    replica.catch_up()
    roles = {"readonly": {"replicas": [plain(replica.url)]}}
    return manager(profile="development", url=plain(postgres.url), roles=roles, pool=POOL).start()


def test_the_tree_of_all_roles(served):
    health = served.health(WATCHDOG_S)
    assert (health.status, health.reason) == ("healthy", "")
    assert set(health.roles) == {"primary", "readonly", "analytics"}
    assert health.roles["analytics"].served_by == "primary"
    assert health.roles["readonly"].targets["readonly-1"].lag_s == 0.0
    json.dumps(health.to_dict())


async def test_an_application_of_tasks_is_asked_by_its_own_driver(served):
    async with served.async_engine().connect() as connection:
        await connection.execute(text("SELECT 1"))
    health = await served.health_async(WATCHDOG_S)
    assert health.status == "healthy"
    assert [each.target.name for each in served.engines() if not each.is_async] == []
    assert health.targets["primary"].pool.connected == 1
    await served.async_engine().dispose()


def waits(served):
    return any(each.stats.snapshot().waiting for each in served.engines())


def test_callers_that_wait_in_vain_are_not_ready_while_alive_and_ready_again(manager, postgres):
    served = manager(profile="development", url=plain(postgres.url), pool={**POOL, "timeout_s": WATCHDOG_S}).start()
    with ThreadPoolExecutor(1) as threads:
        with served.engine().connect():
            assert served.ready().ok
            assert served.health(WATCHDOG_S).targets["primary"].status == "degraded"
            waiting = threads.submit(lambda: served.engine().connect().close())
            eventually(lambda: waits(served), "waiting")
            assert served.live().ok
            reason = "callers wait for a connection of primary's pool, which has none left"
            assert (served.ready().ok, served.ready().reasons) == (False, (reason,))
        waiting.result(WATCHDOG_S)
    assert served.ready().ok


async def test_tasks_that_wait_in_vain_are_not_ready_and_ready_again(manager, postgres):
    served = manager(profile="development", url=plain(postgres.url), pool={**POOL, "timeout_s": WATCHDOG_S}).start()

    async def connect():
        async with served.async_engine().connect():
            pass

    async with served.async_engine().connect():
        waiting = asyncio.create_task(connect())
        while not waits(served):
            await asyncio.sleep(0)
        assert not (await served.checker.ready_async(WATCHDOG_S)).ok
    await waiting
    assert (await served.checker.ready_async(WATCHDOG_S)).ok
    await served.async_engine().dispose()


def test_nothing_that_health_asks_is_counted_and_what_the_application_asks_is(served):
    for _ in range(2):
        assert served.health(WATCHDOG_S).ok
        served.checker.check_once()
    with served.engine().connect() as connection:
        connection.execute(text("SELECT 42"))
    with served.engine("readonly", target="readonly-1").connect() as connection:
        connection.execute(text("SELECT 43"))
    metrics = served.metrics()
    assert {role: figures.calls for role, figures in metrics.statements.items()} == {"primary": 1, "readonly": 1}
    assert metrics.own_faults == metrics.listener_faults == 0
    assert metrics.health == {"primary": "healthy", "readonly-1": "healthy"}
    assert list(metrics.replicas) == ["readonly-1"]
    json.dumps(metrics.to_dict())
    assert "SELECT ?" in str(summary_of(served))


def test_a_stopped_manager_is_alive_not_ready_and_asks_nobody(served):
    served.checker.start()
    served.stop()
    assert not served.checker.is_running
    assert served.live().ok
    assert served.ready().reasons == ("the manager is stopped",)
    health = served.health(WATCHDOG_S)
    assert (health.status, health.targets["primary"].reason) == (
        "unhealthy",
        "is not asked, since the manager has stopped",
    )


def test_asking_whether_it_is_ready_starts_a_manager(manager, postgres):
    new = manager(profile="development", url=plain(postgres.url))
    assert new.state == "new"
    assert new.ready().ok
    assert new.state == "started"


def test_checks_eject_a_replica_that_has_frozen_and_bring_it_back(manager, postgres, replica, proxy):
    between = proxy(replica)
    replica.catch_up()
    served = manager(
        profile="development",
        url=plain(postgres.url),
        roles={"readonly": {"replicas": [plain(between.url(replica.url))]}},
        routing={"eject_after": 2},
        timeouts={"health_s": 1.5},
    ).start()
    told = []
    served.events.subscribe("health", told.append)
    assert served.checker.check_once().ok
    between.freeze()
    for _ in range(3):
        served.checker.check_once()
    assert served.replicas.states()[0].state == "ejected"
    assert served.replicas.choose() is None
    assert [(each.target, each.after, each.reason) for each in told][2:] == [
        ("readonly-1", "unhealthy", "gives no answer in time")
    ]
    between.ok()
    assert served.checker.health(WATCHDOG_S).ok
    for _ in range(2):
        served.checker.check_once()
    assert served.checker.states()["readonly-1"] == "healthy"
    assert served.replicas.states()[0].state != "ejected"


def test_a_password_that_rotates_is_asked_for_by_probes_too(manager, postgres):
    asked = []

    def password():
        asked.append(1)
        return "not checked by this server"

    settings = {"url": plain(postgres.url), "password_from": password}
    served = manager(profile="development", roles={"primary": settings}).start()
    assert served.health(WATCHDOG_S).ok
    assert asked


def test_no_secret_is_in_the_tree(manager, postgres, proxy):
    gone = proxy(postgres)
    gone.refuse()
    url = gone.url(postgres.url).set(username="ada", password="tiger-secret")
    served = manager(profile="development", url=plain(url), timeouts={"connect_s": 2.0}).start()
    told = repr(served.health(WATCHDOG_S)) + repr(served.ready()) + repr(served.metrics())
    assert "refuses connections" in told
    for word in ("tiger-secret", "ada", "127.0.0.1", str(gone.port)):
        assert word not in told


def test_what_primary_does_for_a_role_without_servers_is_counted_once(manager):
    served = manager(profile="test").start()
    with served.engine("readonly").connect() as connection:
        connection.execute(text("SELECT 1"))
    assert {role: figures.calls for role, figures in served.metrics().statements.items()} == {"primary": 1}


async def test_the_profile_for_tests_has_a_database_in_memory(manager):
    served = manager(profile="test").start()
    assert served.health(WATCHDOG_S).status == "healthy"
    assert (await served.health_async(WATCHDOG_S)).status == "healthy"
    assert served.ready().ok
