"""Figure 1: CPU time that each piece of the runtime adds to a checkout and to a statement."""

from __future__ import annotations

import asyncio
import gc
import random
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

from runtime_engines import Opened, close_async, dbguard, plain, pre_ping
from sqlalchemy import URL, create_engine, event, literal_column, select
from sqlalchemy.orm import Session
from sqlalchemy.pool import AsyncAdaptedQueuePool, QueuePool
from sqlalchemy.util import greenlet_spawn

from tests.runtime.faults.replication import StreamingReplica

Chunk = Callable[[int], object]
"""Does something so many times."""

QUERY = select(literal_column("1"))


def print_costs(server: Any, *, quick: bool) -> None:
    """Measure and print."""
    rounds, count = (7, 300) if quick else (25, 1000)
    print("Figure 1: CPU microseconds; what is added is the median of paired differences")
    print("[and the difference of the two minima]\n")
    print(f"| {'':44} | {'time':>8} | {'added':>18} |")
    print(f"|{'-' * 46}|{'-' * 9}:|{'-' * 19}:|")
    with tempfile.TemporaryDirectory() as directory, ExitStack() as stack:
        groups = {
            "checkout+checkin, driver that does nothing": bare_pools(),
            "the same, of asynchronous pools": bare_async_pools(stack),
            "checkout+checkin, PostgreSQL": checkouts(server.url, stack),
            "SELECT 1 on a connection, SQLite": statements(Path(directory), stack),
            "session with SELECT 1, PostgreSQL": sessions(server, stack),
        }
        for title, chunks in groups.items():
            compare(title, chunks, rounds, count)
        asyncio.run(print_async_costs(server.url, rounds, count // 4))


def compare(title: str, chunks: Mapping[str, Chunk], rounds: int, count: int) -> None:
    """Time all in another order each round, and print them beside the first."""
    times: dict[str, list[float]] = {name: [] for name in chunks}
    for chunk in chunks.values():
        chunk(count)
    for _ in range(rounds):
        for name in random.sample(list(chunks), len(chunks)):
            times[name].append(_timed(chunks[name], count))
    print_group(title, times)


def print_group(title: str, times: Mapping[str, list[float]]) -> None:
    """Print one line for each way, the first being the base."""
    print(f"| *{title}*{'':{42 - len(title)}} | {'':8} | {'':18} |")
    (base, first), *others = times.items()
    print(f"| {base:44} | {median(first):8.2f} | {'base':>18} |")
    for name, own in others:
        added = median(mine - plain for mine, plain in zip(own, first, strict=True))
        print(f"| {name:44} | {median(own):8.2f} | {f'{added:+.2f} [{min(own) - min(first):+.2f}]':>18} |")


def _timed(chunk: Chunk, count: int) -> float:
    gc.collect()
    gc.disable()
    started = time.process_time_ns()
    chunk(count)
    elapsed = time.process_time_ns() - started
    gc.enable()
    return elapsed / count / 1000


class Nothing:
    """A connection of a driver that does nothing."""

    def rollback(self) -> None: ...

    commit = close = rollback


def _pool_chunk(pool: Any) -> Chunk:
    def chunk(count: int) -> None:
        for _ in range(count):
            pool.connect().close()

    return chunk


def bare_pools() -> dict[str, Chunk]:
    """Return pools without a database, with less and more switched on."""
    from pytest_dbguard.runtime.pools.queue_pool import GuardedQueuePool

    return _pools(QueuePool, GuardedQueuePool)


def bare_async_pools(stack: ExitStack) -> dict[str, Chunk]:
    """Return asynchronous pools without a database, used as engines use them: in a greenlet of an event loop."""
    from pytest_dbguard.runtime.pools.queue_pool import AsyncGuardedQueuePool

    runner = stack.enter_context(asyncio.Runner())

    def in_loop(chunk: Chunk) -> Chunk:
        return lambda count: runner.run(_spawned(chunk, count))

    return {name: in_loop(chunk) for name, chunk in _pools(AsyncAdaptedQueuePool, AsyncGuardedQueuePool).items()}


async def _spawned(chunk: Chunk, count: int) -> None:
    await greenlet_spawn(chunk, count)


def _pools(theirs: Any, ours: Any) -> dict[str, Chunk]:
    from pytest_dbguard.runtime.pools.policy import PoolPolicy
    from pytest_dbguard.runtime.pools.stats import PoolStats

    policies = {
        "guarded, leaks off": PoolPolicy(leak_after_s=0.0),
        "guarded, lifetime, idle and keepalive off": PoolPolicy(max_lifetime_s=0.0, max_idle_s=0.0, keepalive_s=0.0),
        "guarded": PoolPolicy(),
    }
    pools = {theirs.__name__: theirs(Nothing)}
    pools |= {name: ours(Nothing, policy=policy, stats=PoolStats()) for name, policy in policies.items()}
    return {name: _pool_chunk(pool) for name, pool in pools.items()}


def checkouts(url: URL, stack: ExitStack) -> dict[str, Chunk]:
    """Return engines on a real server."""
    opened: dict[str, Opened] = {"plain": plain(url), "plain with pool_pre_ping": pre_ping(url)}
    opened["manager"] = dbguard(url)
    for each in opened.values():
        stack.callback(each.close)
    chunks = {name: _pool_chunk(each.engine) for name, each in opened.items()}
    return chunks | psycopg_pool(url, stack)


def psycopg_pool(url: URL, stack: ExitStack) -> dict[str, Chunk]:
    """Return psycopg's own pool, where it is installed: without SQLAlchemy above it."""
    try:
        from psycopg_pool import ConnectionPool
    except ImportError:
        return {}
    from pytest_dbguard.databases.connection_string import connection_string

    pool = stack.enter_context(
        ConnectionPool(connection_string(url), min_size=5, check=ConnectionPool.check_connection)
    )

    def chunk(count: int) -> None:
        for _ in range(count):
            pool.putconn(pool.getconn())

    return {"psycopg_pool with check_connection, alone": chunk}


def _statement_chunk(engine: Any, stack: ExitStack) -> Chunk:
    connection = stack.enter_context(engine.connect())

    def chunk(count: int) -> None:
        for _ in range(count):
            connection.scalar(QUERY)

    return chunk


def statements(directory: Path, stack: ExitStack) -> dict[str, Chunk]:
    """Return connections without listeners, with such as do nothing, with the runtime's pieces, and with all."""
    from pytest_dbguard.runtime.statistics import StatementStatistics

    def engine(name: str) -> Any:
        made = create_engine(URL.create("sqlite", database=str(directory / name)))
        stack.callback(made.dispose)
        return made

    bare, listened, counted = engine("plain.db"), engine("listened.db"), engine("counted.db")
    for kind in ("before_cursor_execute", "after_cursor_execute"):
        event.listen(listened, kind, lambda *_: None)
    StatementStatistics().attach(counted, "primary", "primary")
    managed = dbguard(URL.create("sqlite", database=str(directory / "managed.db")))
    stack.callback(managed.close)
    engines = {
        "plain": bare,
        "plain with two listeners that do nothing": listened,
        "statistics alone": counted,
        "manager": managed.engine,
    }
    return {name: _statement_chunk(each, stack) for name, each in engines.items()}


def sessions(server: Any, stack: ExitStack) -> dict[str, Chunk]:
    """Return ways to open a session, read once and close it."""
    replica = stack.enter_context(StreamingReplica(server))
    bare, alone, routed = plain(server.url), dbguard(server.url), dbguard(server.url, replica=replica.url)
    for each in (bare, alone, routed):
        stack.callback(each.close)
    ways: dict[str, Callable[[], Session]] = {
        "plain": lambda: Session(bare.engine),
        "manager.session": alone.manager.session,
        "manager.routing_session without replicas": alone.manager.routing_session,
        "manager.routing_session, from a replica": routed.manager.routing_session,
    }
    return {name: _session_chunk(way) for name, way in ways.items()}


def _session_chunk(way: Callable[[], Session]) -> Chunk:
    def chunk(count: int) -> None:
        for _ in range(count):
            with way() as session:
                session.scalar(QUERY)

    return chunk


async def print_async_costs(url: URL, rounds: int, count: int) -> None:
    """Measure and print what a checkout of asynchronous engines costs."""
    opened = {"plain": plain(url), "plain with pool_pre_ping": pre_ping(url), "manager": dbguard(url)}
    times: dict[str, list[float]] = {name: [] for name in opened}
    for turn in range(rounds + 1):
        for name in random.sample(list(opened), len(opened)):
            started = time.process_time_ns()
            for _ in range(count):
                async with opened[name].async_engine.connect():
                    pass
            if turn:
                times[name].append((time.process_time_ns() - started) / count / 1000)
    for each in opened.values():
        await close_async(each)
    print_group("checkout+checkin, PostgreSQL, asynchronous", times)
