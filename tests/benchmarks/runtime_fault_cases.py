"""The faults of figure 2: what happens, and what the application asks for after it."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from unittest.mock import patch

from runtime_fault_scene import (
    PASSWORDS,
    SIZE,
    User,
    later,
    read,
    read_own_write,
    read_replica,
    write,
)
from sqlalchemy import event, text

from tests.runtime.waiting import eventually

WAYS = ("plain", "manager")


def nothing(user: User) -> None:
    """Do nothing."""


@dataclass(frozen=True)
class Case:
    """One fault; what `fault` does takes no part in the time."""

    title: str
    fault: Callable[[User], object]
    request: Callable[[User], object] = read
    end: Callable[[User], None] = nothing
    size: int = SIZE
    guarded: bool = False
    replica: bool = False
    idle_s: float = 0.0
    """How long the pool is idle before."""


def exhausted(user: User) -> None:
    held = [user.opened.engine.connect() for _ in range(SIZE)]
    later(0.5, lambda: [each.close() for each in held])


def leaked(user: User) -> None:
    user.kept.append(user.opened.engine.connect())


def dropped(user: User) -> None:
    lost = user.opened.engine.connect()
    del lost


def give_back(user: User) -> None:
    user.kept.pop().close()


def name_moved(user: User) -> None:
    user.proxy.lead_to(user.scene.replica.socket, keep_open=True)
    user.scene.replica.promote()
    user.scene.primary.make_read_only()


def read_only_for_a_while(user: User) -> None:
    user.scene.primary.make_read_only()
    later(0.5, lambda: user.scene.primary.make_read_only(False))


def replica_behind(user: User) -> None:
    user.scene.replica.pause()
    user.context.run(write if user.is_plain else write_routed, user)
    user.kept.append("a row")


def write_routed(user: User) -> None:
    with user.opened.manager.routing_session() as session:
        session.execute(text("INSERT INTO fault_notes VALUES (1)"))
        session.commit()


def frozen_for_a_while(user: User) -> None:
    user.proxy.freeze()
    later(3.0, user.proxy.ok)


def refused_at_start(user: User) -> None:
    user.opened.engine.dispose()
    user.proxy.refuse()
    later(0.5, user.proxy.ok)


def idle_too_long(user: User) -> None:
    held = [user.opened.engine.connect() for _ in range(SIZE)]
    for each in held:
        each.execute(text("SET idle_session_timeout = 1"))
        each.commit()
        each.close()
    eventually(lambda: user.scene.primary.sessions() == 0, "the end of idle sessions")
    time.sleep(IDLE_S)  # such limits are of minutes


def password_rotated(user: User) -> None:
    user.scene.primary.execute("ALTER ROLE guarded PASSWORD 'second'")
    user.scene.primary.terminate_all()
    later(0.2, lambda: setattr(PASSWORDS, "current", "second"))


def password_back(user: User) -> None:
    PASSWORDS.current = "first"


def clock_back(user: User) -> None:
    now = time.time()
    user.kept.append(patch("time.time", lambda: now - 3600.0))
    user.kept[0].start()
    user.scene.primary.terminate_all()


def clock_right(user: User) -> None:
    user.kept.pop().stop()


def forked(user: User) -> None:
    if not (child := os.fork()):
        try:
            read(user)
            user.opened.engine.dispose()
        finally:
            os._exit(0)
    os.waitpid(child, 0)


def tasks_cancelled(user: User) -> None:
    async def cancel() -> None:
        async def work() -> None:
            async with user.opened.async_engine.connect() as connection:
                await connection.execute(text("SELECT pg_sleep(600)"))

        tasks = [asyncio.create_task(work()) for _ in range(2 * SIZE)]
        await asyncio.sleep(0.2)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    user.kept.append(asyncio.Runner())
    user.kept[0].run(cancel())


def ask_async(user: User) -> None:
    """Ask in the loop of the tasks that were cancelled."""

    async def ask() -> None:
        async with user.opened.async_engine.connect() as connection:
            await connection.execute(text("SELECT 1"))

    if user.kept:
        user.kept[0].run(ask())


def stopped_at_work(user: User) -> None:
    def work() -> None:
        with user.opened.engine.connect() as connection:
            connection.execute(text("SELECT pg_sleep(600)"))

    for _ in range(SIZE):
        threading.Thread(target=_quiet(work), daemon=True).start()
    asleep = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
    eventually(lambda: user.scene.primary.scalar(asleep) == SIZE, "the start of the work")
    if user.is_plain:
        user.opened.engine.dispose()
    else:
        user.opened.manager.stop(0.1)
        user.opened.manager.start()


def ask_anew(user: User) -> None:
    """Ask by the engine that there is now."""
    engine = user.opened.engine if user.is_plain else user.opened.manager.engine()
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))


def _quiet(work: Callable[[], None]) -> Callable[[], None]:
    def run() -> None:
        try:
            work()
        except Exception:
            return

    return run


def listener_raises(user: User) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a listener")

    if user.is_plain:
        event.listen(user.opened.engine, "before_cursor_execute", broken)
    else:
        user.opened.manager.events.subscribe("query", broken)


IDLE_S = 0.6
"""Longer than the manager takes a connection for alive without asking."""

CASES = (
    Case("pool exhausted for 0.5 s", exhausted),
    Case("leak: the only connection is kept", leaked, end=give_back, size=1),
    Case("leak: the only connection was dropped", dropped, size=1),
    Case("server restarted, pool just used", lambda user: user.scene.primary.restart()),
    Case("server restarted, pool idle", lambda user: user.scene.primary.restart(), idle_s=IDLE_S),
    Case("all sessions ended, pool just used", lambda user: user.scene.primary.terminate_all()),
    Case("all sessions ended, pool idle", lambda user: user.scene.primary.terminate_all(), idle_s=IDLE_S),
    Case("primary read-only for 0.5 s, a write", read_only_for_a_while, write),
    Case("primary's name moved to another, a write", name_moved, write),
    Case("replica down, a read", lambda user: user.scene.replica.stop(), read_replica, replica=True),
    Case("replica behind, a read of one's own write", replica_behind, read_own_write, replica=True),
    Case("peer frozen and replaced, pool just used", lambda user: user.proxy.freeze_open()),
    Case("peer frozen and replaced, pool idle", lambda user: user.proxy.freeze_open(), idle_s=IDLE_S),
    Case("peer frozen for 3 s, pool idle", frozen_for_a_while, idle_s=IDLE_S),
    Case("connections reset, pool just used", lambda user: user.proxy.drop()),
    Case("connections reset, pool idle", lambda user: user.proxy.drop(), idle_s=IDLE_S),
    Case("an answer cut in its middle", lambda user: user.proxy.cut_after(10)),
    Case("refused at the start for 0.5 s", refused_at_start),
    Case("connections closed by the server as idle", idle_too_long),
    Case("password rotated, known after 0.2 s", password_rotated, end=password_back, guarded=True),
    Case("clock an hour back, all sessions ended", clock_back, end=clock_right),
    Case("fork: the parent, after a child ended", forked),
    Case("tasks cancelled with connections out", tasks_cancelled, ask_async),
    Case("shutdown with work under way, begun anew", stopped_at_work, ask_anew),
    Case("a listener raises", listener_raises),
)
