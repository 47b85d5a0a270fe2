"""One way to use a manager for both kinds of engines, so that a fault is tested once and happens to both."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

import asyncpg
from sqlalchemy import URL, text
from sqlalchemy.exc import DBAPIError

from tests.runtime.waiting import WATCHDOG_S

T = TypeVar("T")

UNREACHABLE = (DBAPIError, OSError, asyncpg.InterfaceError, asyncpg.PostgresError)
"""What callers see of a server that they cannot connect to; SQLAlchemy passes some of asyncpg's errors on."""


async def bounded(work: Awaitable[T]) -> T:
    """Wait for something that must end by itself long before the watchdog does."""
    async with asyncio.timeout(WATCHDOG_S):
        return await work


def in_thread(work: Callable[[], T]) -> asyncio.Future[T]:
    """Do something in a thread that nobody has to wait for: what hangs fails its test and nothing else."""
    loop, done = asyncio.get_running_loop(), asyncio.get_running_loop().create_future()

    def tell(setter: Callable[[Any], None], value: object) -> None:
        if not done.cancelled():
            setter(value)

    def run() -> None:
        try:
            result = work()
        except BaseException as error:
            outcome: tuple[Callable[[Any], None], object] = (done.set_exception, error)
        else:
            outcome = (done.set_result, result)
        with contextlib.suppress(RuntimeError):  # the test has ended, and its loop with it
            loop.call_soon_threadsafe(tell, *outcome)

    threading.Thread(target=run, daemon=True, name="client").start()
    return done


class SyncClient:
    """Uses the synchronous engines, each call in a thread of its own."""

    scheme = "postgresql"

    def __init__(self, manager: Any) -> None:
        self.manager = manager
        self._context = contextvars.copy_context()

    async def ask(self, statement: str = "SELECT 1", role: str = "primary") -> Any:
        """Do one statement in a transaction of its own; return its first value if it gives any."""

        def work() -> Any:
            with self.manager.engine(role).begin() as connection:
                result = connection.execute(text(statement))
                return result.scalar() if result.returns_rows else None

        return await bounded(in_thread(work))

    @contextlib.asynccontextmanager
    async def held(self, role: str = "primary") -> AsyncIterator[Callable[[str], Awaitable[Any]]]:
        """Hold a connection; gives a function that executes on it."""
        engine = self.manager.engine(role)
        connection = await bounded(in_thread(engine.connect))

        async def execute(statement: str) -> Any:
            return await bounded(in_thread(lambda: connection.execute(text(statement))))

        try:
            yield execute
        finally:
            await bounded(in_thread(connection.close))

    async def read(self, query: Any) -> Any:
        """Return the first value that a query gives in a routing session."""

        def work() -> Any:
            with self.manager.routing_session() as session:
                return session.scalar(query)

        return await bounded(in_thread(lambda: self._context.run(work)))

    async def write(self, statement: Any) -> None:
        """Do and commit one statement in a routing session."""

        def work() -> None:
            with self.manager.routing_session() as session:
                session.execute(statement)
                session.commit()

        await bounded(in_thread(lambda: self._context.run(work)))

    async def run(self, statement: str, then: Callable[[], object] = object, **options: Any) -> Any:
        """Do one statement by the manager's own `run`, and `then` before it commits."""

        def work(session: Any) -> None:
            session.execute(text(statement))
            then()

        return await bounded(in_thread(lambda: self.manager.run(work, **options)))

    def pool(self, role: str = "primary") -> Any:
        """Return the pool of a role."""
        return self.manager.engine(role).pool

    def figures(self, role: str = "primary") -> Any:
        """Return the figures of a role's pool."""
        return self.pool(role).stats.snapshot()

    async def start(self, **options: Any) -> None:
        """Start the manager."""
        await bounded(in_thread(lambda: self.manager.start(**options)))

    async def stop(self, deadline_s: float | None = None) -> Any:
        """Stop the manager."""
        return await bounded(in_thread(lambda: self.manager.stop(deadline_s)))


class AsyncClient:
    """Uses the asynchronous engines."""

    scheme = "postgresql"

    def __init__(self, manager: Any) -> None:
        self.manager = manager

    async def ask(self, statement: str = "SELECT 1", role: str = "primary") -> Any:
        """Do one statement in a transaction of its own; return its first value if it gives any."""

        async def work() -> Any:
            async with self.manager.async_engine(role).begin() as connection:
                result = await connection.execute(text(statement))
                return result.scalar() if result.returns_rows else None

        return await bounded(work())

    @contextlib.asynccontextmanager
    async def held(self, role: str = "primary") -> AsyncIterator[Callable[[str], Awaitable[Any]]]:
        """Hold a connection; gives a function that executes on it."""
        connection = await bounded(self.manager.async_engine(role).connect())

        async def execute(statement: str) -> Any:
            return await bounded(connection.execute(text(statement)))

        try:
            yield execute
        finally:
            await bounded(connection.close())

    async def read(self, query: Any) -> Any:
        """Return the first value that a query gives in a routing session."""

        async def work() -> Any:
            async with self.manager.async_routing_session() as session:
                return await session.scalar(query)

        return await bounded(work())

    async def write(self, statement: Any) -> None:
        """Do and commit one statement in a routing session."""

        async def work() -> None:
            async with self.manager.async_routing_session() as session:
                await session.execute(statement)
                await session.commit()

        await bounded(work())

    async def run(self, statement: str, then: Callable[[], object] = object, **options: Any) -> Any:
        """Do one statement by the manager's own `run_async`, and `then` before it commits."""

        async def work(session: Any) -> None:
            await session.execute(text(statement))
            then()

        return await bounded(self.manager.run_async(work, **options))

    def pool(self, role: str = "primary") -> Any:
        """Return the pool of a role."""
        return self.manager.async_engine(role).pool

    def figures(self, role: str = "primary") -> Any:
        """Return the figures of a role's pool."""
        return self.pool(role).stats.snapshot()

    async def start(self, **options: Any) -> None:
        """Start the manager."""
        await bounded(self.manager.start_async(**options))

    async def stop(self, deadline_s: float | None = None) -> Any:
        """Stop the manager."""
        return await bounded(self.manager.stop_async(deadline_s))


class AsyncpgClient(AsyncClient):
    """Uses the asynchronous engines with another driver."""

    scheme = "postgresql+asyncpg"


def plain(url: URL, scheme: str = "postgresql") -> str:
    """Return a URL as settings take it: without a driver where none is wanted, with its password."""
    return url.set(drivername=scheme).render_as_string(hide_password=False)


async def until(condition: Callable[[], T], what: str) -> T:
    """Ask until the answer is true and return it, without holding up the event loop."""
    deadline = time.monotonic() + WATCHDOG_S
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"{what} did not happen within {WATCHDOG_S:.0f} s"
        await asyncio.sleep(0.005)
    return answer
