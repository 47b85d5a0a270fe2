"""The steps to a choice of replicas: whom to ask, for how long to wait, and who is good enough in the end."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass

from pytest_dbguard.runtime.routing.known import Known
from pytest_dbguard.runtime.routing.positions import Position
from pytest_dbguard.runtime.routing.questions import Question
from pytest_dbguard.runtime.routing.watch import Watch

_PAUSE_S = 0.002
_ASKED = 0.8
"""For what part of the caller's patience a replica is asked: so the connection is back before the caller goes on."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Servers to be asked at once, and for how long to wait."""

    questions: Sequence[Question]
    patience_s: float


Step = Batch | float
"""What is to be done before it goes on; a number is for how many seconds to wait."""

Steps = Generator[Step, None, Sequence[Watch]]


def choosing(known: Known, needed: Position | None) -> Steps:
    """Return the replicas that have reached a position; none where primary is to be read from.

    Nothing is yielded, hence nobody waits, where what is known is enough.
    """
    known.notice_fork()
    if not known.used:
        return ()
    if due := known.due():
        yield Batch(due, known.options.wait_s)
    if needed is None:
        return known.good()
    if reached := known.good(needed):
        return reached
    if known.log.is_beyond(needed):
        yield from _ask_primary(known)
        needed = known.log.clamp(needed)
    return (yield from _wait_for(known, needed))


def _ask_primary(known: Known) -> Generator[Step, None, None]:
    """Ask where primary's log is now; without an answer nobody learns where to wait for a forged position."""
    began = known.clock.monotonic()
    waited_s = 0.0
    while waited_s < known.options.wait_s:
        if question := known.question_to_primary():
            yield Batch([question], known.options.wait_s - waited_s)
            return
        waited_s += _PAUSE_S
        yield _PAUSE_S
        if (last_at := known.log.last_at) is not None and last_at >= began:
            return


def _wait_for(known: Known, needed: Position) -> Steps:
    waited_s = 0.0
    # a replica that another caller asks for a position of its own will be free in a moment
    while not (reached := known.good(needed)) and waited_s < known.options.wait_s:
        patience_s = known.options.wait_s - waited_s
        if questions := known.questions_until(needed, patience_s * _ASKED):
            yield Batch(questions, patience_s)
            return known.good(needed)
        if not any(watch.follows for watch in known.good()):
            return ()
        waited_s += _PAUSE_S
        yield _PAUSE_S
    return reached
