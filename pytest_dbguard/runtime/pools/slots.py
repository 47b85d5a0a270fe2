"""Who gets which connection: idle ones, permissions to open more, and callers that wait, first come first served."""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from pytest_dbguard.runtime.pools.histogram import Histogram
from pytest_dbguard.runtime.pools.waiting import Waiter

T = TypeVar("T")


class Permission:
    """Stands for "you may open one yourself"; whoever has it gives it back with `Slots.release`."""


class Refusal:
    """Stands for "none, and none later": the pool is shutting down."""


class Saturation:
    """Stands for "none, and too many wait already"."""


PERMISSION: Final = Permission()
REFUSAL: Final = Refusal()
SATURATION: Final = Saturation()


class Slots(Generic[T]):
    """The places of a pool. A place is taken from before its connection is opened until after it was closed.

    Guarantees: never more than `limit` places are taken, except by a `resize` to fewer; while somebody waits, nothing
    is idle and no place is free; who waits is served in order, ahead of those who come later.
    """

    def __init__(self, lock: threading.RLock, size: int, overflow: int, wait: Histogram, *, lifo: bool) -> None:
        self.lock = lock
        self.idle: deque[T] = deque()
        self.waiting: deque[Waiter] = deque()
        self.taken = 0
        """Places taken: those in use, idle and aside."""

        self.aside = 0
        """Connections that are idle, but out of `idle` while they are looked after."""

        self.is_refusing = False
        self._wait = wait
        self._pop = self.idle.pop if lifo else self.idle.popleft
        self._when_unused: list[Callable[[], None]] = []
        self.set_limits(size, overflow)

    def set_limits(self, size: int, overflow: int) -> None:
        """Say how many may be idle (0: any number) and how many more may be open (-1: any number)."""
        self.size, self.overflow = size, overflow
        self.max_idle = size or math.inf
        self.limit = math.inf if size == 0 or overflow == -1 else size + overflow

    @property
    def in_use(self) -> int:
        """Return how many places belong to callers."""
        return self.taken - len(self.idle) - self.aside

    def take(self) -> T | None:
        """Take an idle connection, if there is one: the usual case."""
        with self.lock:
            if self.idle and not self.is_refusing:
                self._wait.counts[0] += 1
                return self._pop()
        return None

    def claim(
        self, make_waiter: Callable[[], Waiter], max_waiting: int | None
    ) -> T | Permission | Refusal | Saturation | Waiter:
        """Take an idle connection or a free place, or queue up."""
        with self.lock:
            if self.is_refusing:
                return REFUSAL
            if self.idle:
                self._wait.counts[0] += 1
                return self._pop()
            if self.taken < self.limit:
                self.taken += 1
                self._wait.counts[0] += 1
                return PERMISSION
            if max_waiting is not None and len(self.waiting) >= max_waiting:
                return SATURATION
            waiter = make_waiter()
            self.waiting.append(waiter)
            return waiter

    def leave(self, waiter: Waiter) -> bool:
        """End a wait; tell whether it was served, be it at the last moment."""
        with self.lock:
            if not waiter.is_served and waiter in self.waiting:  # else it was passed over
                self.waiting.remove(waiter)
            return waiter.is_served

    def give(self, connection: T, *, aside: bool = False) -> bool:
        """Give a connection back, to the next caller or to the idle ones; False when it must be closed instead.

        Then the place is still taken: `release` it after closing.
        """
        with self.lock:
            if self.is_refusing or self.taken > self.limit:
                return False
            if self.waiting and self._serve(connection):
                self.aside -= aside
                return True
            if len(self.idle) >= self.max_idle:
                return False
            self.aside -= aside
            self.idle.append(connection)
            if self._when_unused:
                self._tell_unused()
            return True

    def release(self, *, aside: bool = False) -> None:
        """Free a place; who waits may open a connection in it."""
        with self.lock:
            self.aside -= aside
            self.taken -= 1
            self._serve_places()
            if self._when_unused:
                self._tell_unused()

    def reserve(self) -> bool:
        """Take a free place for a connection to be opened ahead of need, aside; False when there is none."""
        with self.lock:
            if self.is_refusing or self.taken >= self.limit or self.taken >= self.max_idle:
                return False
            self.taken += 1
            self.aside += 1
            return True

    def set_aside(self, is_wanted: Callable[[T], bool]) -> list[T]:
        """Take those idle connections out that somebody will look after, then `give` or `release` with `aside`."""
        with self.lock:
            # a copy: the garbage collector may give a connection back meanwhile, in this very thread
            wanted = [each for each in list(self.idle) if is_wanted(each)]
            for each in wanted:
                self.idle.remove(each)
            self.aside += len(wanted)
            return wanted

    def resize(self, size: int, overflow: int) -> None:
        """Change the limits; who waits is served from what is gained. What is too much is closed as it comes back."""
        with self.lock:
            self.set_limits(size, overflow)
            self._serve_places()

    def refuse(self) -> None:
        """Serve nobody any more, those that wait included."""
        with self.lock:
            self.is_refusing = True
            while self.waiting:
                self.waiting.popleft().serve(REFUSAL)

    def accept(self) -> None:
        """Serve again."""
        with self.lock:
            self.is_refusing = False

    def when_unused(self, call: Callable[[], None]) -> None:
        """Call once, with the lock held, when nothing is in use any more: perhaps at once."""
        with self.lock:
            self._when_unused.append(call)
            self._tell_unused()

    def never_mind(self, call: Callable[[], None]) -> None:
        """Take `when_unused` back, if it has not called yet."""
        with self.lock:
            if call in self._when_unused:
                self._when_unused.remove(call)

    def _serve(self, grant: T | Permission) -> bool:
        while self.waiting:
            if self.waiting.popleft().serve(grant):
                return True
        return False

    def _serve_places(self) -> None:
        while self.waiting and self.taken < self.limit and not self.is_refusing and self._serve(PERMISSION):
            self.taken += 1

    def _tell_unused(self) -> None:
        if self.in_use == 0 and not self.waiting:
            calls, self._when_unused = self._when_unused, []
            for call in calls:
                call()
