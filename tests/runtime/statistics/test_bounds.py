"""What is counted stays in bounds and is right: many shapes and texts, threads, forks, tasks."""

from __future__ import annotations

import asyncio
import os
import threading

from sqlalchemy import bindparam, create_engine, select, text
from sqlalchemy.ext.asyncio import create_async_engine

from pytest_dbguard.runtime.statistics import StatementStatistics
from tests.runtime.statistics.statements import USERS, run


def test_shapes_have_a_bound_and_no_count_is_lost(engine):
    statistics = StatementStatistics(max_shapes=20)
    statistics.attach(engine, "primary", "primary")
    for number in range(300):
        run(engine, text(f"SELECT 1 AS column_{number}"))
        run(engine, select(USERS))
    shapes = statistics.shapes()
    assert len(shapes) <= 21
    assert sum(shape.calls for shape in shapes) == statistics.roles()["primary"].calls == 600
    # what takes most time is kept, and the rest told as one
    assert next(shape for shape in shapes if "FROM users" in shape.sql).calls == 300
    assert next(shape for shape in shapes if shape.shape_id == "other").calls >= 280


def test_a_shape_that_was_put_away_while_it_ran_counts_among_the_others(engine):
    statistics = StatementStatistics(max_shapes=1)
    statistics.attach(engine, "primary", "primary")
    run(engine, text("SELECT 1 AS one"))
    ledger = statistics._ledgers["primary"]
    (row,) = ledger._shapes.values()
    run(engine, text("SELECT 2 AS two"))
    ledger.add_error(row, "Late")
    other = next(shape for shape in statistics.shapes() if shape.shape_id == "other")
    assert (other.calls, other.errors) == (1, 1)


def test_texts_have_a_bound(engine, statistics):
    long = "x" * 50_000
    for number in range(200):
        run(engine, text(f"SELECT '{long}{number}'"))
    ledger = statistics._ledgers["primary"]
    assert sum(len(key) for key in ledger._keys) < 1_000_000
    (shape,) = statistics.shapes()
    assert (shape.calls, shape.sql) == (200, "SELECT ?")
    for number in range(12_000):
        ledger._read(f"SELECT {number}", f"SELECT {number}")
    assert len(ledger._keys) <= 5_000
    assert len(statistics.shapes()) == 1


def test_no_count_is_lost_under_threads(tmp_path):
    engine = create_engine(f"sqlite:///{tmp_path}/threads.db", pool_size=8)
    statistics = StatementStatistics(max_shapes=5)
    statistics.attach(engine, "primary", "primary")
    begin = threading.Barrier(8)

    def work(number):
        with engine.connect() as connection:
            begin.wait(30)
            for turn in range(200):
                connection.execute(text(f"SELECT 1 AS column_{(number + turn) % 15}"))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    engine.dispose()
    assert statistics.roles()["primary"].calls == 1600
    assert sum(shape.calls for shape in statistics.shapes()) == 1600
    assert statistics.faults == 0


def test_a_fork_begins_anew_though_a_lock_was_held(engine, statistics):
    run(engine, text("SELECT 1"))
    reader, writer = os.pipe()
    with statistics._lock, statistics._ledgers["primary"]._lock:
        child = os.fork()
        if child == 0:
            try:
                run(engine, text("SELECT 1"), text("SELECT 1"))
                os.write(writer, str(statistics.roles()["primary"].calls).encode())
            finally:
                os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as answer:
        assert answer.read() == b"2"
    os.waitpid(child, 0)
    assert statistics.roles()["primary"].calls == 1


async def test_asynchronous_engines_are_counted(tmp_path):
    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path}/async.db")
    statistics = StatementStatistics()
    statistics.attach(engine, "primary", "primary")

    async def work():
        async with engine.connect() as connection:
            await connection.execute(text("SELECT :value").bindparams(bindparam("value", 7)))

    await asyncio.gather(*(work() for _ in range(10)))
    statistics.detach(engine)
    await work()
    await engine.dispose()
    assert statistics.roles()["primary"].calls == 10
    assert statistics.faults == 0


def test_a_signal_may_interrupt_counting(engine, statistics):
    """Its handler runs in the thread that it interrupts, which may hold the lock."""
    run(engine, text("SELECT 1"))
    ledger = statistics._ledgers["primary"]
    answered = []

    def handler():
        with ledger._lock:
            run(engine, text("SELECT 1"))
            answered.append(statistics.roles()["primary"].calls)

    thread = threading.Thread(target=handler, daemon=True)
    thread.start()
    thread.join(60)
    assert answered == [2]
