"""Servers that say nothing: one deadline for all, one thread a server, and no harm when callers lose patience."""

from __future__ import annotations

import asyncio
import os
import threading
import time

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from pytest_dbguard.runtime.health.answers import Answer
from pytest_dbguard.runtime.health.probes import Prober
from tests.runtime.waiting import WATCHDOG_S, eventually

SHORT_S = 2.0
DRIVERS = ["psycopg", "async psycopg", "asyncpg"]


def threads():
    return [each for each in threading.enumerate() if each.name.startswith("dbguard-health")]


@pytest.fixture
def frozen(small, postgres, proxy):
    """A primary that answers and a replica behind a proxy, which is frozen at once or in the middle of an answer."""

    def make(driver, freeze=True, **options):
        name = f"postgresql+{driver.split()[-1]}"
        between = proxy(postgres)
        if freeze:
            between.freeze()
        query = {"connect_timeout": "600"} if "psycopg" in driver else {}
        silent = between.url(postgres.url).set(drivername=name).update_query_dict(query)
        urls = {"primary": postgres.url.set(drivername=name), "readonly-1": silent}
        return *small(urls, is_async=driver != "psycopg", **options), between

    return make


@pytest.fixture(autouse=True)
def no_migration(request):
    yield
    if "postgres" in request.fixturenames:
        request.getfixturevalue("postgres").execute("DROP TABLE IF EXISTS alembic_version")


async def ask(checker, is_async, deadline_s):
    return await checker.health_async(deadline_s) if is_async else checker.health(deadline_s)


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("is_async", [False, True])
async def test_a_frozen_server_does_not_delay_the_others(frozen, driver, is_async):
    _, checker, between = frozen(driver)
    began = time.monotonic()
    health = await ask(checker, is_async, SHORT_S)
    assert time.monotonic() - began < WATCHDOG_S
    assert health.targets["primary"].status == "healthy"
    assert health.targets["readonly-1"].reason == "gives no answer in time"
    assert (health.status, health.ok) == ("degraded", True)
    for _ in range(5):
        health = await ask(checker, is_async, 0.01)
        assert health.targets["readonly-1"].reason == "gives no answer in time"
        assert len([each for each in threads() if each.name.endswith("readonly-1")]) <= 1
    between.ok()
    health = await ask(checker, is_async, WATCHDOG_S)
    assert health.status == "healthy"
    assert eventually(lambda: not threads(), "the threads to end")


@pytest.mark.parametrize("driver", DRIVERS)
async def test_a_server_that_freezes_in_the_middle_of_an_answer(small, postgres, proxy, driver):
    """The connection is there: cutting it ends the thread, though the server goes on saying nothing."""
    between = proxy(postgres)
    url = between.url(postgres.url).set(drivername=f"postgresql+{driver.split()[-1]}")
    _, checker = small({"primary": url}, is_async=driver != "psycopg")
    # time to freeze between an answer that the server has given and its arrival
    between.delay(0.5)
    patient = asyncio.create_task(checker.health_async(WATCHDOG_S))
    await asyncio.to_thread(eventually, lambda: has_asked(postgres), "the question to be asked")
    between.freeze()
    assert (await checker.health_async(0.1)).reason == "primary: gives no answer in time"
    assert threads()
    patient.cancel()
    assert await asyncio.to_thread(eventually, lambda: not threads(), "the threads to end")
    between.delay(0.0)
    between.ok()
    assert checker.health(WATCHDOG_S).status == "healthy"


def has_asked(postgres):
    return postgres.scalar("SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in%' AND query LIKE '%own%'")


@pytest.mark.parametrize("driver", DRIVERS)
async def test_a_migration_that_holds_its_table_delays_nothing_and_leaves_no_session(frozen, postgres, driver):
    _, checker, _ = frozen(driver, freeze=False)
    postgres.execute("CREATE TABLE alembic_version AS SELECT 'a1' AS version_num")
    with postgres.connect() as migrating:
        migrating.execute("BEGIN")
        migrating.execute("LOCK TABLE alembic_version")
        health = await checker.health_async(WATCHDOG_S)
        assert (health.status, health.targets["primary"].revision) == ("healthy", None)
        assert postgres.scalar("SELECT count(*) FROM pg_locks WHERE NOT granted") == 0
    assert checker.health(WATCHDOG_S).targets["primary"].revision == "a1"


@pytest.mark.parametrize("driver", DRIVERS)
async def test_a_task_that_asks_may_be_cancelled(frozen, driver):
    _, checker, between = frozen(driver)
    tasks = [asyncio.create_task(checker.health_async(WATCHDOG_S)) for _ in range(3)]
    await asyncio.to_thread(eventually, lambda: between.accepted, "the probe to connect")
    tasks[0].cancel()
    with pytest.raises(asyncio.CancelledError):
        await tasks[0]
    between.ok()
    # nobody cancelled those that waited beside it
    assert [(await task).status for task in tasks[1:]] == ["healthy", "healthy"]


async def test_the_event_loop_runs_on_while_a_server_is_frozen(frozen):
    _, checker, _ = frozen("asyncpg")
    turns = 0
    task = asyncio.create_task(checker.health_async(SHORT_S))
    while not task.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 100


def test_an_answer_that_comes_after_its_loop_has_ended_disturbs_nobody(frozen, caplog):
    _, checker, between = frozen("psycopg")
    assert asyncio.run(checker.health_async(SHORT_S)).status == "degraded"
    between.ok()
    assert eventually(lambda: not threads(), "the threads to end")
    assert caplog.text == ""


def test_many_who_ask_share_one_question():
    asked, go_on = [], threading.Event()

    def engine():
        asked.append(threading.current_thread())
        go_on.wait(WATCHDOG_S)
        raise ConnectionRefusedError

    prober = Prober("primary", engine)
    probes = [prober.join() for _ in range(20)]
    go_on.set()
    answers = {probe.answer.result(WATCHDOG_S) for probe in probes}
    for probe in probes:
        prober.leave(probe)
    assert answers == {Answer(reachable=False, reason="refuses connections (ConnectionRefusedError)")}
    assert len(asked) == 1


def test_who_asks_after_all_others_have_given_up_gets_an_answer_of_its_own():
    asked, begun, go_on = [], threading.Semaphore(0), threading.Semaphore(0)

    def engine():
        asked.append(1)
        begun.release()
        go_on.acquire(timeout=WATCHDOG_S)
        raise ConnectionRefusedError

    prober = Prober("primary", engine)
    impatient = prober.join()
    assert begun.acquire(timeout=WATCHDOG_S)
    prober.leave(impatient)
    assert impatient.line.is_cut
    patient = prober.join()
    assert patient is impatient
    go_on.release(2)
    assert patient.answer.result(WATCHDOG_S).reason.startswith("refuses connections")
    assert len(asked) == 2
    prober.leave(patient)


def test_whatever_is_raised_is_an_answer():
    def engine():
        raise SystemExit

    prober = Prober("primary", engine)
    for _ in range(2):
        probe = prober.join()
        assert probe.answer.result(WATCHDOG_S) == Answer(reachable=False, reason="cannot be asked (SystemExit)")
        prober.leave(probe)


def test_a_process_that_can_make_no_thread_gives_an_answer(monkeypatch):
    def start(self):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr("pytest_dbguard.runtime.health.probes.Thread.start", start)
    prober = Prober("primary", lambda: pytest.fail("nobody asks"))
    for _ in range(2):
        probe = prober.join()
        assert probe.answer.result(0) == Answer(reachable=False, reason="cannot be asked (RuntimeError)")
        prober.leave(probe)


def test_a_fork_in_the_middle_of_a_question_asks_anew(frozen):
    _, checker, between = frozen("psycopg")
    asking = threading.Thread(target=checker.health, args=(WATCHDOG_S,))
    asking.start()
    eventually(lambda: between.accepted, "the probe to connect")
    with checker._probers["readonly-1"]._lock, checker._lock:
        child = os.fork()
        if child == 0:
            status = 1
            try:
                health = checker.health(SHORT_S)
                status = 0 if health.targets["primary"].status == "healthy" and health.status == "degraded" else 2
            finally:
                os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    between.ok()
    asking.join(WATCHDOG_S)
    assert not asking.is_alive()


async def test_a_pool_whose_connections_are_all_out_hinders_no_probe(small, postgres):
    url = postgres.url.set(drivername="postgresql+asyncpg")
    manager, checker = small({"primary": url}, is_async=True)
    manager.made["primary"] = create_async_engine(url, pool_size=1, max_overflow=0)
    async with manager.made["primary"].connect() as connection:
        await connection.execute(text("SELECT 1"))
        assert (await checker.health_async()).status == "healthy"
    await manager.made["primary"].dispose()
