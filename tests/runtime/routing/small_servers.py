"""Servers that say what a test wants them to: how far they are, nothing for a long time, or that they are down."""

from __future__ import annotations

import random
import threading
from contextlib import contextmanager
from types import SimpleNamespace

from pytest_dbguard.runtime.events import Events
from pytest_dbguard.runtime.routing import Replicas
from tests.runtime.routing.small_manager import SmallRouting, SmallSettings, SmallTarget
from tests.runtime.waiting import WATCHDOG_S


class HandClock:
    """Goes on when it is told to, or when somebody sleeps by it."""

    def __init__(self):
        self.now = 1000.0

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


class SmallServer:
    """A PostgreSQL server as far as `asking` sees one of a driver that it does not know."""

    def __init__(self, lsn=100, *, timeline=1, is_standby=True, age_s=0.0):
        self.lsn = lsn
        self.timeline = timeline
        self.is_standby = is_standby
        self.age_s = age_s
        self.started = str(id(self))
        self.error = None
        self.asked = 0
        self.thawed = threading.Event()
        self.thawed.set()
        self.before_answer = lambda: None
        self.dialect = SimpleNamespace(name="postgresql")
        self.pool = SimpleNamespace()

    @contextmanager
    def frozen(self):
        self.thawed.clear()
        try:
            yield
        finally:
            self.thawed.set()

    def raw_connection(self):
        if self.error is not None:
            raise self.error
        return SmallConnection(self)


class SmallConnection:
    def __init__(self, server):
        self.driver_connection = self
        self._server = server

    def cursor(self):
        return self

    def execute(self, query):
        self._server.asked += 1
        assert self._server.thawed.wait(WATCHDOG_S)
        self._server.before_answer()
        if self._server.error is not None:
            raise self._server.error

    def fetchone(self):
        server = self._server
        lsn = None if server.lsn is None else f"{server.lsn >> 32:X}/{server.lsn & 0xFFFFFFFF:X}"
        timeline = None if server.timeline is None else f"{server.timeline:x}"
        age = None if server.age_s is None else str(server.age_s)
        return ("true" if server.is_standby else "false", lsn, timeline, server.started, age)

    def rollback(self):
        pass

    def close(self):
        pass

    def invalidate(self):
        pass


class ServersManager:
    """A manager of such servers: the first is primary, the others its replicas."""

    def __init__(self, primary, *replicas, weights=None, clock=None, **routing):
        weights = weights or [1.0] * len(replicas)
        self.servers = {"primary": primary} | {f"readonly-{n}": each for n, each in enumerate(replicas, 1)}
        targets = [SmallTarget("primary", "primary", None)]
        targets += [SmallTarget("readonly", f"readonly-{n}", None, weight) for n, weight in enumerate(weights, 1)]
        self.settings = SmallSettings(tuple(targets), SmallRouting(**{"wait_s": 5.0, "max_lag_s": 8.0, **routing}))
        self.clock = clock or HandClock()
        self.events = Events()
        self.told = []
        self.events.subscribe("failover", self.told.append)
        self.replicas = Replicas(self, rng=random.Random(1))

    def engine(self, role="primary", *, target=None):
        return self.servers[target or role]

    def state(self, number=1):
        return self.replicas.states()[number - 1]
