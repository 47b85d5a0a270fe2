"""Checks that are noted: states, events and reports; liveness and readiness; and checks in the background."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading

import pytest
from sqlalchemy import make_url

from pytest_dbguard.runtime.health import health, health_async
from pytest_dbguard.runtime.pools.stats import PoolFigures
from tests.runtime.waiting import WATCHDOG_S, eventually


@pytest.fixture
def files(tmp_path):
    """URLs of a primary and a replica; `down` and `up` take the file of one away and bring it back."""

    class Files:
        def urls(self, *names):
            return {name: make_url(f"sqlite:///{tmp_path}/{name}.db") for name in names}

        def up(self, *names):
            for name in names:
                sqlite3.connect(tmp_path / f"{name}.db").executescript("CREATE TABLE IF NOT EXISTS t (id)")

        def down(self, name):
            (tmp_path / f"{name}.db").unlink()

    files = Files()
    files.up("primary", "readonly-1")
    return files


def subscribed(manager):
    told = []
    manager.events.subscribe("health", told.append)
    return told


def test_a_change_is_told_once_and_only_when_it_is_confirmed(small, files):
    manager, checker = small(files.urls("primary", "readonly-1"))
    told = subscribed(manager)
    assert checker.states() == {"primary": "unknown", "readonly-1": "unknown"}
    checker.check_once()
    assert [(each.target, each.before, each.after) for each in told] == [
        ("primary", "unknown", "healthy"),
        ("readonly-1", "unknown", "healthy"),
    ]
    files.down("readonly-1")
    told.clear()
    for _ in range(2):
        assert checker.check_once().targets["readonly-1"].status == "unhealthy"
    assert (told, checker.states()["readonly-1"]) == ([], "healthy")
    for _ in range(3):
        checker.check_once()
    (event,) = told
    assert (event.role, event.target, event.before, event.after) == ("readonly", "readonly-1", "healthy", "unhealthy")
    assert event.reason == "has no file"
    files.up("readonly-1")
    told.clear()
    for _ in range(4):
        checker.check_once()
    assert [(each.before, each.after) for each in told] == [("unhealthy", "healthy")]


async def test_the_functions_ask_the_checker_of_a_manager(small, files):
    manager, manager.checker = small(files.urls("primary"))
    assert health(manager, WATCHDOG_S).ok
    assert (await health_async(manager, WATCHDOG_S)).ok


def test_flapping_is_told_as_degraded(small, files):
    manager, checker = small(files.urls("primary", "readonly-1"))
    told = subscribed(manager)
    for _ in range(6):
        checker.check_once()
        files.down("readonly-1")
        checker.check_once()
        files.up("readonly-1")
    assert [(each.before, each.after, each.reason) for each in told if each.target == "readonly-1"] == [
        ("unknown", "healthy", ""),
        ("healthy", "degraded", "changes again and again: has no file"),
    ]


async def test_each_check_is_reported_to_the_choice_of_replicas(small, files):
    manager, checker = small(files.urls("primary", "readonly-1"))
    checker.check_once()
    files.down("readonly-1")
    files.down("primary")
    await checker.check_once_async()
    assert manager.replicas.reports == [("readonly-1", True), ("readonly-1", False)]


def test_a_listener_may_ask_and_may_raise(small, files):
    manager, checker = small(files.urls("primary"))
    seen = []

    def listener(event):
        seen.append(checker.states()["primary"])
        raise RuntimeError

    manager.events.subscribe("health", listener)
    assert checker.check_once().ok
    assert (seen, manager.events.faults) == (["healthy"], 1)


def test_liveness_asks_no_database(small, files):
    for state in ("new", "started", "stopping", "stopped"):
        manager, checker = small(files.urls("primary"), state=state)
        files.up("primary")
        files.down("primary")
        live = checker.live()
        assert (live.ok, live.state, live.pid) == (True, state, os.getpid())
        assert manager.made == {}
        assert live.to_dict() == {"ok": True, "state": state, "pid": os.getpid()}


@pytest.mark.parametrize(
    ("state", "reason"),
    [("stopping", "the manager is stopping"), ("stopped", "the manager is stopped")],
)
async def test_who_stops_is_not_ready_and_asks_nobody(small, files, state, reason):
    manager, checker = small(files.urls("primary"), state=state)
    for ready in (checker.ready(), await checker.ready_async()):
        assert (ready.ok, ready.state, ready.reasons) == (False, state, (reason,))
    assert manager.made == {}


async def test_ready_is_who_can_use_primary_whatever_the_replicas_do(small, files):
    _, checker = small(files.urls("primary", "readonly-1"))
    files.down("readonly-1")
    assert checker.ready().ok
    assert (await checker.ready_async()).to_dict() == {"ok": True, "state": "started", "reasons": []}
    files.down("primary")
    for ready in (checker.ready(), await checker.ready_async()):
        assert (ready.ok, ready.reasons) == (False, ("primary has no file",))


def test_who_lets_callers_wait_is_alive_and_not_ready(small, files):
    manager, checker = small(files.urls("primary", "readonly-1"))
    checker.health()
    manager.figures["primary"] = PoolFigures(size=1, overflow=1, in_use=2)
    assert checker.ready().ok
    manager.figures["primary"] = PoolFigures(size=1, overflow=1, in_use=2, waiting=1)
    assert checker.live().ok
    ready = checker.ready()
    reason = "callers wait for a connection of primary's pool, which has none left"
    assert (ready.ok, ready.reasons) == (False, (reason,))
    health = checker.health()
    assert (health.status, health.targets["primary"].pool.in_use) == ("degraded", 2)
    manager.figures["primary"] = PoolFigures(size=1, overflow=1, in_use=1)
    manager.figures["readonly-1"] = PoolFigures(size=1, overflow=0, in_use=1)
    assert checker.ready().ok


def test_readiness_believes_the_background_as_long_as_that_is_fresh(small, files):
    manager, checker = small(files.urls("primary"))
    checker.start()
    assert eventually(lambda: checker.latest, "the first check")
    files.down("primary")
    # one bad check does not take a process out of service; the background has seen a good one
    assert checker.ready().ok
    for _ in range(3):
        checker.check_once()
    assert checker.ready().reasons == ("primary has no file",)
    files.up("primary")
    manager.clock.now_s += 31.0
    assert checker.ready().ok
    assert checker.states()["primary"] == "unhealthy"


def test_nobody_checks_after_the_stop(small, files):
    manager, checker = small(files.urls("primary", "readonly-1"))
    checker.start()
    checker.start()
    assert eventually(lambda: manager.replicas.reports, "the first check")
    assert sum(each.name == "dbguard-health" for each in threading.enumerate()) == 1
    checker.stop(WATCHDOG_S)
    checker.stop(WATCHDOG_S)
    assert not checker.is_running
    assert not any(each.name == "dbguard-health" for each in threading.enumerate())
    checker.start()
    assert checker.is_running


async def test_a_task_checks_where_there_is_a_loop(small, files):
    manager, checker = small(files.urls("primary", "readonly-1"))
    await checker.start_async()
    await checker.start_async()
    assert checker.is_running
    assert not any(each.name == "dbguard-health" for each in threading.enumerate())
    while not manager.replicas.reports:
        await asyncio.sleep(0)
    await checker.stop_async(WATCHDOG_S)
    await checker.stop_async(WATCHDOG_S)
    assert not checker.is_running
    assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []


def test_a_forked_process_has_no_background_and_may_start_one(small, files):
    manager, checker = small(files.urls("primary", "readonly-1"))
    checker.start()
    assert eventually(lambda: checker.latest, "the first check")
    with checker._background._lock:
        child = os.fork()
        if child == 0:
            status = 1
            try:
                anew = not checker.is_running and checker.latest is None and checker.states()["primary"] == "unknown"
                checker.start()
                eventually(lambda: checker.latest, "the first check")
                checker.stop(WATCHDOG_S)
                status = 0 if anew and manager.replicas.reports else 2
            finally:
                os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert checker.is_running
