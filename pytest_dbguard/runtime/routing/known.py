"""What all threads of a process know of primary and its replicas."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence

from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from pytest_dbguard.runtime.errors import RuntimeFault
from pytest_dbguard.runtime.events import FailoverEvent
from pytest_dbguard.runtime.routing.positions import Position
from pytest_dbguard.runtime.routing.primary_log import PrimaryLog
from pytest_dbguard.runtime.routing.primary_watch import PrimaryWatch
from pytest_dbguard.runtime.routing.probes import Busy
from pytest_dbguard.runtime.routing.questions import Question
from pytest_dbguard.runtime.routing.replica_state import ReplicaState
from pytest_dbguard.runtime.routing.samples import Sample
from pytest_dbguard.runtime.routing.seams import RoutedManager
from pytest_dbguard.runtime.routing.watch import Watch


class Known:
    """Primary's log and the replicas' states, changed under one lock; events are told outside of it."""

    def __init__(self, manager: RoutedManager) -> None:
        self.options = manager.settings.routing
        self.clock = manager.clock
        self.log = PrimaryLog(self.options.max_lag_s)
        self._events = manager.events
        self._primary = PrimaryWatch(self.options)
        self._watches = {
            target.name: Watch(target.name, target.weight, self.options, self.log)
            for target in manager.settings.targets()
            if target.role == "readonly"
        }
        self.used: Sequence[Watch] = tuple(watch for watch in self._watches.values() if watch.weight > 0)
        """The replicas that may be read from at all."""

        self._process = os.getpid()
        self._lock = threading.Lock()

    def notice_fork(self) -> None:
        """Be usable in a forked child, where nobody holds the lock or waits for an answer any more."""
        if self._process != os.getpid():
            self._process, self._lock = os.getpid(), threading.Lock()
            for watch in self._watches.values():
                watch.release()
            self._primary.release()

    def due(self) -> Sequence[Question]:
        """Return the questions whose last answers are too old: they are the caller's to ask."""
        now = self.clock.monotonic()
        if not self._primary.wants_asking(now, self.log) and not any(watch.wants_asking(now) for watch in self.used):
            return ()
        with self._lock:
            due = [Question(self, watch) for watch in self.used if watch.wants_asking(now) and watch.claim(now)]
            if self._primary.wants_asking(now, self.log) and self._primary.claim(now):
                due.append(Question(self, None))
        return due

    def question_to_primary(self) -> Question | None:
        """Return the question to primary, however old its last answer is; None while somebody else asks it."""
        with self._lock:
            return Question(self, None) if self._primary.claim(self.clock.monotonic()) else None

    def questions_until(self, needed: Position, within_s: float) -> Sequence[Question]:
        """Return questions to the replicas that take reads, to be asked until one has reached a position."""
        now = self.clock.monotonic()
        with self._lock:
            return [
                Question(self, watch, needed, within_s)
                for watch in self.used
                if watch.takes_reads(now) and watch.follows and watch.claim(now)
            ]

    def good(self, needed: Position | None = None) -> Sequence[Watch]:
        """Return the replicas that take reads, and have reached a position."""
        now = self.clock.monotonic()
        good = [watch for watch in self.used if watch.takes_reads(now)]
        return good if needed is None else [watch for watch in good if watch.has_reached(needed)]

    def unless_bad(self, needed: Position | None) -> Sequence[Watch]:
        """Return the replicas against which nothing is known, however long ago they answered."""
        good = [watch for watch in self.used if watch.might_take_reads()]
        return good if needed is None else [watch for watch in good if watch.has_reached(needed)]

    def committed(self, position: Position, at: float) -> None:
        """Note where primary's log is after a commit; `at` is when it was asked, or before."""
        with self._lock:
            self.log.note(position, at)

    def primary_since(self, moment: float) -> Position | None:
        """Return where primary's log is, if that was asked at a moment or after it."""
        with self._lock:
            last_at = self.log.last_at
            return self.log.last if last_at is not None and last_at >= moment else None

    def primary_answered(self, sample: Sample) -> None:
        """Note where primary's log is, and compare the replicas with it."""
        with self._lock:
            self._primary.answered(sample, self.log, self.clock.monotonic())
            for watch in self.used:
                watch.measure()

    def answered(self, watch: Watch, sample: Sample) -> None:
        """Note what a replica has said."""
        with self._lock:
            returns = watch.answered(sample)
        self._tell_return(watch, returns)

    def gave_no_answer(self, watch: Watch | None, error: Exception) -> None:
        """Note that a server could not be asked."""
        now = self.clock.monotonic()
        # a pool that is used up and a manager that has been stopped tell nothing of the server
        is_ours = isinstance(error, Busy | PoolTimeoutError | RuntimeFault)
        if watch is None:
            with self._lock:
                self._primary.failed(now)
        elif isinstance(error, ImportError):
            # it is used by engines of the other kind only: unknown, and not to blame
            self.answered(watch, Sample(now, started=""))
        elif is_ours:
            with self._lock:
                watch.busy(now)
        else:
            self.failed(watch.name, type(error).__name__)

    def release(self, watch: Watch | None) -> None:
        """Let others ask a server."""
        with self._lock:
            (self._primary if watch is None else watch).release()

    def failed(self, name: str, reason: str) -> None:
        """Note that a replica does not do its work."""
        watch = self._watches.get(name)
        if watch is not None:
            with self._lock:
                is_ejected = watch.failed(reason, self.clock.monotonic())
                failures = watch.failures
            if is_ejected:
                self._tell(watch, f"takes no reads any more: {reason} (failure {failures} in a row)")

    def succeeded(self, name: str) -> None:
        """Note that a replica works."""
        watch = self._watches.get(name)
        if watch is not None:
            with self._lock:
                returns = watch.succeeded()
            self._tell_return(watch, returns)

    def states(self) -> tuple[ReplicaState, ...]:
        """Return what is known of each replica."""
        with self._lock:
            return tuple(watch.state() for watch in self._watches.values())

    def _tell_return(self, watch: Watch, returns: bool) -> None:
        if returns:
            self._tell(watch, "takes reads again")

    def _tell(self, watch: Watch, reason: str) -> None:
        self._events.emit("failover", FailoverEvent("readonly", watch.name, reason))
