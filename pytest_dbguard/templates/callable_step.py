"""Steps that call a project's own functions: to build tables, or to add the data that all tests start from."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_dbguard.templates.source_fingerprint import source_fingerprint

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy.engine import Dialect


@dataclass(frozen=True, slots=True)
class CallableStep:
    """Calls a function that makes tables, with an engine of the database where it takes an argument."""

    function: Callable[..., Any]
    name: str
    root: Path

    def fingerprint(self, dialect: Dialect) -> bytes:
        """Return the hash of the function's source and of the project's modules that it reaches."""
        return source_fingerprint(self.function, self.root)

    def run(self, engine: Engine) -> None:
        """Call it; coroutines are run to their end."""
        takes_engine = bool(inspect.signature(self.function).parameters)
        result = self.function(engine) if takes_engine else self.function()
        if inspect.iscoroutine(result):
            _run_coroutine(result)


@dataclass(frozen=True, slots=True)
class SeedStep:
    """Calls a function with a session that is committed afterwards."""

    function: Callable[..., Any]
    name: str
    root: Path

    def fingerprint(self, dialect: Dialect) -> bytes:
        """Return the hash of the function's source and of the project's modules that it reaches."""
        return source_fingerprint(self.function, self.root)

    def run(self, engine: Engine) -> None:
        """Call it with a Session, or with an AsyncSession where it is a coroutine function."""
        if inspect.iscoroutinefunction(inspect.unwrap(self.function)):
            _run_coroutine(self._seeded(engine))
            return
        from sqlalchemy.orm import Session

        with Session(engine) as session:
            self.function(session)
            session.commit()

    async def _seeded(self, engine: Engine) -> None:
        from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
        from sqlalchemy.pool import NullPool

        url = engine.url
        if url.get_backend_name() == "sqlite":
            url = url.set(drivername="sqlite+aiosqlite")
        asynchronous = create_async_engine(url, poolclass=NullPool)
        try:
            async with AsyncSession(asynchronous) as session:
                await self.function(session)
                await session.commit()
        finally:
            await asynchronous.dispose()


def _run_coroutine(work: Coroutine[Any, Any, Any]) -> None:
    """Run a coroutine in a loop of its own, in another thread when a loop is running in this one."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work).result()
