"""The parts of a service, started in order and stopped in reverse."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Protocol

from pytest_dbguard.runtime.clock import Clock
from pytest_dbguard.runtime.lifecycle import Change, to_the_end

_LOG = logging.getLogger("pytest_dbguard.runtime")


class Part(Protocol):
    """Something that runs from the service's start to its stop.

    Starting twice and stopping twice is allowed. A part that fails to start leaves nothing behind. It may be stopped
    in another way than it was started: `start` and `stop_async` belong together as well. In a forked child it is
    started again without having been stopped.
    """

    @property
    def name(self) -> str:
        """Return what people call it."""
        ...

    def start(self) -> None:
        """Start; without waiting for what may take long."""
        ...

    def stop(self, deadline_s: float) -> None:
        """Stop within so many seconds."""
        ...

    async def start_async(self) -> None:
        """Start, in the loop that runs."""
        ...

    async def stop_async(self, deadline_s: float) -> None:
        """Stop within so many seconds, while other tasks run."""
        ...


class Parts:
    """Parts that depend each on those before it."""

    def __init__(self, parts: tuple[Part, ...], clock: Clock) -> None:
        self._parts = parts
        self._clock = clock

    @property
    def names(self) -> tuple[str, ...]:
        """Their names, in the order of their start."""
        return tuple(part.name for part in self._parts)

    def start(self, change: Change, deadline_s: float) -> None:
        """Start all, or none: when one fails, those before it are stopped, and its error is raised."""
        started: list[Part] = []
        try:
            for part in self._parts:
                change.go_on()
                part.start()
                started.append(part)
            change.go_on()
        except BaseException as error:
            self._note(error, self._stop(started, deadline_s))
            raise

    def stop(self, deadline_s: float) -> None:
        """Stop all, also where some fail.

        Raises:
            Exception: What the only failing part raised; an `ExceptionGroup` of several.
        """
        _raise(self._stop(self._parts, deadline_s))

    async def start_async(self, change: Change, deadline_s: float) -> None:
        """Do what `start` does, while other tasks run."""
        started: list[Part] = []
        try:
            for part in self._parts:
                change.go_on()
                await part.start_async()
                started.append(part)
            change.go_on()
        except BaseException as error:
            failures: list[Exception] = []
            await to_the_end(self._stop_async(started, deadline_s, failures))
            self._note(error, failures)
            raise

    async def stop_async(self, deadline_s: float) -> None:
        """Do what `stop` does, while other tasks run."""
        failures: list[Exception] = []
        await self._stop_async(self._parts, deadline_s, failures)
        _raise(failures)

    def _stop(self, parts: Sequence[Part], deadline_s: float) -> list[Exception]:
        end = self._clock.monotonic() + deadline_s
        failures: list[Exception] = []
        for part in reversed(parts):
            try:
                part.stop(max(end - self._clock.monotonic(), 0.0))
            except Exception as error:  # noqa: BLE001  the others have to stop all the same
                _failed(part, error, failures)
        return failures

    async def _stop_async(self, parts: Sequence[Part], deadline_s: float, failures: list[Exception]) -> None:
        end = self._clock.monotonic() + deadline_s
        for part in reversed(parts):
            try:
                await part.stop_async(max(end - self._clock.monotonic(), 0.0))
            except Exception as error:  # noqa: BLE001  the others have to stop all the same
                _failed(part, error, failures)

    @staticmethod
    def _note(error: BaseException, failures: list[Exception]) -> None:
        for failure in failures:
            error.add_note(f"and while the parts before it stopped: {type(failure).__name__}")


def _failed(part: Part, error: Exception, failures: list[Exception]) -> None:
    _LOG.error("%s did not stop: %s", part.name, type(error).__name__)
    failures.append(error)


def _raise(failures: list[Exception]) -> None:
    if len(failures) > 1:
        raise ExceptionGroup("several parts did not stop", failures)
    for failure in failures:
        raise failure
