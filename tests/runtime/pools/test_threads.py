"""Under 32 threads that do everything at once, limits hold, nothing is lost, and the figures add up."""

from __future__ import annotations

import gc
import random
import sys
import threading

import pytest

from pytest_dbguard.runtime.errors import PoolExhausted, PoolSaturated
from tests.runtime.pools.fakes import Caller, FakeConnection, balance

THREADS = 32
ROUNDS = 120


@pytest.fixture(autouse=True)
def frequent_switches():
    """Let threads take turns within a few instructions."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


class Load:
    """What the threads do, and how often they did it."""

    def __init__(self, pool, database):
        self.pool, self.database = pool, database
        self.lock = threading.Lock()
        self.done = dict.fromkeys(("good", "timeouts", "shed", "failed", "collected"), 0)
        self.held = self.most_held = 0

    def run(self, seed):
        chance = random.Random(seed)
        for _ in range(ROUNDS):
            try:
                proxy = self.pool.connect()
            except PoolSaturated:
                self.count("shed")
            except PoolExhausted:
                self.count("timeouts")
            except OSError:
                self.count("failed")
            else:
                self.use(proxy, chance)
                del proxy

    def use(self, proxy, chance):
        connection = proxy.dbapi_connection
        with self.lock:
            self.held += 1
            self.most_held = max(self.most_held, self.held)
            assert connection.owner is None, "two have the same connection"
            connection.owner = threading.get_ident()
        assert connection.is_open
        with self.lock:
            self.held -= 1
            connection.owner = None
        end = chance.random()
        self.count("good")
        if end < 0.8:
            proxy.close()
        elif end < 0.85:
            proxy.invalidate()
        elif end < 0.9:
            self.pool._invalidate(proxy, OSError("broken"))
        elif end < 0.95:
            proxy.detach()
            proxy.close()
        else:
            self.count("collected")  # nobody closes it

    def count(self, what):
        with self.lock:
            self.done[what] += 1


def disturb(pool, stop):
    """Do all that whoever runs a pool may do, meanwhile."""
    chance = random.Random(7)
    while not stop.is_set():
        act = chance.choice(["resize", "evict", "drain", "warm_up", "snapshot", "checked_out"])
        if act == "resize":
            pool.resize(chance.randint(1, 6), chance.randint(0, 3))
        elif act == "warm_up":
            pool.warm_up(chance.randint(0, 3))
        else:
            getattr(pool.stats if act == "snapshot" else pool, act)()
        figures = pool.stats.snapshot()
        assert figures.in_use >= 0 <= figures.idle
        assert balance(figures) >= 0


@pytest.mark.parametrize("is_disturbed", [False, True])
def test_nothing_is_lost_and_the_figures_add_up(make_pool, database, monkeypatch, is_disturbed):
    monkeypatch.setattr(FakeConnection, "owner", None, raising=False)
    fails = iter(random.Random(3).choices([False, True], [0.97, 0.03], k=10**6))

    def sometimes_fail():
        with database.lock:
            if next(fails):
                raise OSError("no route")

    pool = make_pool(4, 2, timeout=0.05, max_waiting=20, max_lifetime_s=0, max_idle_s=0)
    load = Load(pool, database)
    stop = threading.Event()
    if not is_disturbed:
        database.before_connect = sometimes_fail
    threads = [Caller(lambda seed=seed: load.run(seed)) for seed in range(THREADS)]
    other = Caller(lambda: disturb(pool, stop)) if is_disturbed else None
    for thread in threads:
        thread.outcome()
    stop.set()
    if other is not None:
        other.outcome()
    gc.collect()

    figures = pool.stats.snapshot()
    assert (figures.in_use, figures.waiting) == (0, 0)
    assert load.most_held <= (9 if is_disturbed else 6)
    assert sum(load.done.values()) - load.done["collected"] == THREADS * ROUNDS
    assert {name: load.done[name] for name in ("timeouts", "shed", "collected")} == {
        "timeouts": figures.timeouts,
        "shed": figures.shed,
        "collected": figures.collected,
    }
    if not is_disturbed:
        assert figures.failed == load.done["failed"]
    assert figures.use.count == load.done["good"]
    assert figures.wait.count == load.done["good"] + load.done["timeouts"] + load.done["failed"]
    assert figures.connected == figures.connect.count == database.opened
    assert balance(figures) == figures.idle == len(database.open)


def test_no_more_are_open_than_may_be_under_load(make_pool, database):
    pool = make_pool(3, 2)
    gate = threading.Barrier(THREADS)

    def call():
        gate.wait()
        for _ in range(60):
            pool.connect().close()

    for caller in [Caller(call) for _ in range(THREADS)]:
        caller.outcome()
    assert database.most <= 5
    figures = pool.stats.snapshot()
    assert figures.use.count == figures.wait.count == THREADS * 60
    assert (figures.in_use, figures.timeouts) == (0, 0)
