"""Chooses the replica that a transaction reads from."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable, Sequence

from pytest_dbguard.runtime.routing.choosing import Batch, Step, Steps, choosing
from pytest_dbguard.runtime.routing.known import Known
from pytest_dbguard.runtime.routing.positions import Position
from pytest_dbguard.runtime.routing.probes import Probes
from pytest_dbguard.runtime.routing.questions import Question
from pytest_dbguard.runtime.routing.reads import Reads
from pytest_dbguard.runtime.routing.replica_state import ReplicaState
from pytest_dbguard.runtime.routing.seams import RoutedManager
from pytest_dbguard.runtime.routing.watch import Watch


class Replicas:
    """The replicas of a manager. Safe to use from any thread and any event loop, and in a forked child.

    A replica takes reads while it has answered in the last seconds, lags behind for less than `routing.max_lag_s`, and
    has not failed `routing.eject_after` times in a row; then it takes none for `routing.return_after_s`, and until it
    answers. Of those that may, one is drawn by weight. Nobody asks in the background: whoever chooses when an answer
    has become too old asks again, one caller at a time.
    """

    def __init__(self, manager: RoutedManager, *, rng: random.Random | None = None) -> None:
        """Ask nothing yet."""
        self._manager = manager
        self._rng = rng or random.Random()  # noqa: S311  shares of reads, no secrets
        self._known = Known(manager)
        self._probes = Probes(manager)
        self.reads = Reads()
        """What of the sessions' statements may go to a replica."""

    @property
    def are_there(self) -> bool:
        """Whether any replica takes reads at all."""
        return bool(self._known.used)

    def choose(
        self, needed: Position | None = None, *, without: Iterable[str] = (), by_threads: bool = False
    ) -> str | None:
        """Return the name of a replica that has reached `needed`; None where primary is to be read from.

        Takes little more than `routing.wait_s` at the most, twice that after a failover. In a thread with a running
        event loop it waits for nobody, and takes what has not been asked yet for good.

        Args:
            needed: What its client has written before; it need not be true.
            without: Names of replicas not to choose.
            by_threads: Whether to ask by synchronous engines, though an event loop runs.
        """
        if _has_running_loop():
            if due := self._known.due():
                self._ask_meanwhile(due, by_threads=by_threads)
            return self.draw(self._known.unless_bad(needed), without)
        steps = self.choosing(needed)
        try:
            while True:
                step = next(steps)
                if isinstance(step, Batch):
                    self._probes.run(step.questions, step.patience_s)
                else:
                    self._manager.clock.sleep(step)
        except StopIteration as end:
            return self.draw(end.value, without)

    async def choose_async(self, needed: Position | None = None, *, without: Iterable[str] = ()) -> str | None:
        """Choose as `choose` does, without holding up the event loop."""
        steps = self.choosing(needed)
        try:
            return await self.go_on(steps, next(steps), without)
        except StopIteration as end:
            return self.draw(end.value, without)

    def choosing(self, needed: Position | None) -> Steps:
        """Begin to choose: yields what is to be waited for, and at the end returns the replicas that may be drawn."""
        return choosing(self._known, needed)

    async def go_on(self, steps: Steps, step: Step, without: Iterable[str] = ()) -> str | None:
        """Choose to the end in a coroutine, beginning with a step that has been yielded."""
        try:
            while True:
                if isinstance(step, Batch):
                    await self._probes.run_async(step.questions, step.patience_s)
                else:
                    await asyncio.sleep(step)
                step = next(steps)
        except StopIteration as end:
            good: Sequence[Watch] = end.value
        return self.draw(good, without)

    def draw(self, good: Sequence[Watch], without: Iterable[str] = ()) -> str | None:
        """Return one by weight; None where there is none."""
        left = [watch for watch in good if watch.name not in without] if without else good
        if len(left) > 1:
            return self._rng.choices(left, [watch.weight for watch in left])[0].name
        return left[0].name if left else None

    def _ask_meanwhile(self, due: Sequence[Question], *, by_threads: bool) -> None:
        if by_threads:
            self._probes.run(due, 0.0)
        else:
            self._probes.begin(due)

    def committed(self, position: Position, at: float) -> None:
        """Note where primary's log is, as somebody knows who has just committed and asked `at` that moment."""
        self._known.committed(position, at)

    def primary_since(self, moment: float) -> Position | None:
        """Return where primary's log is; None when it was not asked since a moment."""
        return self._known.primary_since(moment)

    def report_failure(self, target: str, reason: str = "") -> None:
        """Note that a replica does not do its work; after `routing.eject_after` in a row it takes no reads.

        Names of other servers are ignored.
        """
        self._known.failed(target, reason)

    def report_success(self, target: str) -> None:
        """Note that a replica works; one that was ejected takes reads again as soon as it has told its position."""
        self._known.succeeded(target)

    def states(self) -> tuple[ReplicaState, ...]:
        """Return what is known of each replica, without asking."""
        return self._known.states()


def _has_running_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
