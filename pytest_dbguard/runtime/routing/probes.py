"""Asks servers how far they are, several at once, for a caller who does not wait for long."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import chain, repeat
from typing import Any, Protocol

from sqlalchemy import Engine

from pytest_dbguard.runtime.routing.asking import Refused, ask, ask_async
from pytest_dbguard.runtime.routing.samples import SAMPLE_QUERY, Sample, sample_of
from pytest_dbguard.runtime.routing.seams import RoutedManager
from pytest_dbguard.runtime.routing.watch import ASK_S

_PAUSES_S = (0.001, 0.002, 0.004, 0.008)
"""How long to wait between two questions; the last one again and again."""


class Busy(Exception):
    """All connections of the pool are out, so the server cannot be asked."""


class Asked(Protocol):
    """Whom to ask, who is told of the answer, and which answer is awaited."""

    @property
    def role(self) -> Any:
        """Return the server's role."""
        ...

    @property
    def target(self) -> str | None:
        """Return the server's name."""
        ...

    @property
    def within_s(self) -> float:
        """Return for how long to ask again until the answer is the awaited one."""
        ...

    def answered(self, sample: Sample) -> bool:
        """Take an answer; return whether it is the awaited one."""
        ...

    def failed(self, error: Exception) -> None:
        """Take that there is none."""
        ...

    def ended(self) -> None:
        """Take that nobody asks any more."""
        ...


class _Patience:
    """How long a caller waits: until one answer is the awaited one, or all have come, or it has waited long enough."""

    def __init__(self, outstanding: int, enough: Callable[[], object]) -> None:
        self._outstanding = outstanding
        self._enough = enough
        self._lock = threading.Lock()

    def end_of(self, asked: Asked, is_awaited: bool) -> None:
        asked.ended()
        with self._lock:
            self._outstanding -= 1
            is_last = self._outstanding == 0
        if is_awaited or is_last:
            self._enough()


class Probes:
    """Asks by connections of the manager's pools, so that neither addresses nor credentials are needed here."""

    def __init__(self, manager: RoutedManager) -> None:
        self._manager = manager
        self._tasks: set[asyncio.Task[None]] = set()

    def run(self, questions: Sequence[Asked], patience_s: float) -> None:
        """Ask each in a thread of its own: nothing else ends the waiting for a server that has frozen."""
        event = threading.Event()
        patience = _Patience(len(questions), event.set)
        for asked in questions:
            thread = threading.Thread(
                target=self._in_thread, args=(asked, patience), name="dbguard-replica-probe", daemon=True
            )
            try:
                thread.start()
            except RuntimeError:  # no more threads, or none while the interpreter ends
                asked.failed(Busy())
                patience.end_of(asked, False)
        event.wait(patience_s)

    async def run_async(self, questions: Sequence[Asked], patience_s: float) -> None:
        """Ask each in a task of its own, which goes on when the caller does not wait any more or is cancelled."""
        enough = self.begin(questions)
        with suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                await enough.wait()

    def begin(self, questions: Sequence[Asked]) -> asyncio.Event:
        """Ask each in a task of the running event loop; return what is set when nobody needs to wait any longer."""
        event = asyncio.Event()
        patience = _Patience(len(questions), event.set)
        for asked in questions:
            task = asyncio.create_task(self._in_task(asked, patience), name="dbguard-replica-probe")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return event

    def _in_thread(self, asked: Asked, patience: _Patience) -> None:
        is_awaited = False
        try:
            is_awaited = self._ask(asked)
        except Exception as error:  # noqa: BLE001  drivers raise their own kinds; nobody would see it in a thread
            asked.failed(error)
        finally:
            patience.end_of(asked, is_awaited)

    async def _in_task(self, asked: Asked, patience: _Patience) -> None:
        is_awaited = False
        try:
            is_awaited = await self._ask_async(asked)
        except Exception as error:  # noqa: BLE001  drivers raise their own kinds; nobody would see it in a task
            asked.failed(error)
        except asyncio.CancelledError:
            asked.failed(Busy())
            raise
        finally:
            patience.end_of(asked, is_awaited)

    def _ask(self, asked: Asked) -> bool:
        clock = self._manager.clock
        engine = self._manager.engine(asked.role, target=asked.target)
        if not _has_positions(engine):
            return asked.answered(Sample(clock.monotonic()))
        _need_room(engine)
        connection = engine.raw_connection()
        try:
            for pause_s in _pauses(asked.within_s):
                clock.sleep(pause_s)
                at = clock.monotonic()
                if asked.answered(sample_of(ask(connection.driver_connection, SAMPLE_QUERY, ASK_S), at)):
                    return True
        except Refused:
            return asked.answered(Sample(clock.monotonic(), started=""))
        except BaseException:
            connection.invalidate()
            raise
        finally:
            connection.close()
        return False

    async def _ask_async(self, asked: Asked) -> bool:
        clock = self._manager.clock
        engine = self._manager.async_engine(asked.role, target=asked.target)
        if not _has_positions(engine.sync_engine):
            return asked.answered(Sample(clock.monotonic()))
        _need_room(engine.sync_engine)
        async with engine.connect() as connection:
            try:
                driver = (await connection.get_raw_connection()).driver_connection
                for pause_s in _pauses(asked.within_s):
                    await asyncio.sleep(pause_s)
                    at = clock.monotonic()
                    if asked.answered(sample_of(await ask_async(driver, SAMPLE_QUERY, ASK_S), at)):
                        return True
            except Refused:
                return asked.answered(Sample(clock.monotonic(), started=""))
            except BaseException:
                await connection.invalidate()
                raise
        return False


def _has_positions(engine: Engine) -> bool:
    return engine.dialect.name == "postgresql"


def _need_room(engine: Engine) -> None:
    """Raise where the pool would have us wait: readers need its connections more than we do."""
    pool: Any = engine.pool
    slots = getattr(pool, "slots", None)
    if slots is not None:
        is_used_up = pool.checkedout() >= slots.limit
    else:
        most = getattr(pool, "_max_overflow", -1)
        is_used_up = most >= 0 and pool.checkedin() == 0 and pool.overflow() >= most
    if is_used_up:
        raise Busy


def _pauses(within_s: float) -> Iterator[float]:
    """Yield how long to wait before each question, for so many seconds together."""
    yield 0.0
    spent_s = 0.0
    for pause_s in chain(_PAUSES_S, repeat(_PAUSES_S[-1])):
        spent_s += pause_s
        if spent_s > within_s:
            return
        yield pause_s
