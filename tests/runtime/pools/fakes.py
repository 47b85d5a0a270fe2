"""A database of no use that knows what is open, a clock to move, and callers in threads."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from tests.runtime.waiting import WATCHDOG_S


class FakeClock:
    """Stands still unless moved."""

    def __init__(self):
        self.now_s = 1000.0
        self.wall_s = 1.7e9

    def monotonic(self):
        return self.now_s

    def wall(self):
        return self.wall_s

    def sleep(self, seconds):
        self.now_s += seconds

    def move(self, seconds):
        self.now_s += seconds


class FakeConnection:
    """What a driver would open."""

    def __init__(self, database):
        self.database = database
        self.is_open = True
        database.open.add(self)
        database.opened += 1

    def rollback(self):
        assert self.is_open

    commit = rollback

    def close(self):
        assert self.is_open, "closed twice"
        self.is_open = False
        self.database.open.discard(self)


@dataclass
class FakeDatabase:
    """Opens connections, unless `error` says otherwise."""

    open: set = field(default_factory=set)
    opened: int = 0
    most: int = 0
    error: Exception | None = None
    before_connect: object = None
    lock: object = field(default_factory=threading.Lock)

    def connect(self):
        if self.before_connect is not None:
            self.before_connect()
        with self.lock:
            if self.error is not None:
                raise self.error
            made = FakeConnection(self)
            self.most = max(self.most, len(self.open))
            return made


@dataclass
class Told:
    """What a pool has told."""

    events: list = field(default_factory=list)

    def __call__(self, action, detail):
        self.events.append((action, detail))

    @property
    def actions(self):
        return [action for action, _ in self.events]


class Caller(threading.Thread):
    """A thread whose outcome can be asked for."""

    def __init__(self, call):
        super().__init__(daemon=True)
        self._call = call
        self.result = self.error = None
        self.start()

    def run(self):
        try:
            self.result = self._call()
        except BaseException as error:
            self.error = error

    def outcome(self):
        self.join(WATCHDOG_S)
        assert not self.is_alive(), "a caller still waits"
        if self.error is not None:
            raise self.error
        return self.result


def balance(figures):
    """Return how many connections are open according to the figures."""
    return figures.connected - sum(figures.closed.values())
