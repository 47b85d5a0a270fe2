"""Whether a manager starts, runs or stops: each change by one thread, also after a fork."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, RLock, get_ident
from typing import Literal

from pytest_dbguard.runtime.errors import ShuttingDown

State = Literal["new", "started", "stopping", "stopped"]


class ManagerState:
    """The state, and who may change it."""

    def __init__(self) -> None:
        self.value: State = "new"
        # reentrant, since a signal's handler may stop what the interrupted thread is starting
        self._lock = RLock()
        self._stopped = Event()
        self._by: int | None = None

    def start(self, begin: Callable[[], object]) -> bool:
        """Become "started" once `begin` has been called; True for the one caller for whom that was done.

        Raises:
            ShuttingDown: While it stops.
        """
        with self._lock:
            if self.value == "stopping":
                raise ShuttingDown("the database manager is stopping: it hands out nothing any more")
            if self.value == "started":
                return False
            begin()
            self._stopped.clear()
            self.value = "started"
            return True

    def stop(self) -> bool:
        """Become "stopping"; True for the one caller that has to stop things, who then calls `stopped`."""
        with self._lock:
            if self.value in ("stopping", "stopped"):
                return False
            self._stopped.clear()
            self.value = "stopping"
            self._by = get_ident()
            return True

    def stopped(self) -> None:
        """Become "stopped"."""
        with self._lock:
            self.value = "stopped"
            self._by = None
            self._stopped.set()

    def never_mind(self) -> None:
        """Become "new" again, after a start that failed."""
        with self._lock:
            if self.value == "stopped":
                self.value = "new"

    def wait_until_stopped(self) -> None:
        """Wait for whoever stops, which takes as long as the deadline that it was given.

        Unless this very thread does, and a signal or a listener has got in between.
        """
        if self._by != get_ident():
            self._stopped.wait()

    def after_fork(self) -> None:
        """Be usable in a child of the process, whatever another thread was doing when it forked."""
        self._lock = RLock()
        self._stopped = Event()
        if self.value == "stopping":
            self.value = "stopped"
        if self.value == "stopped":
            self._stopped.set()
