"""Steps that call a project's own functions: to build tables, or to add the data that all tests start from."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_dbguard.templates.leading import all_lead_to
from pytest_dbguard.templates.off_loop import run_coroutine
from pytest_dbguard.templates.source_fingerprint import source_fingerprint

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy.engine import Dialect
    from sqlalchemy.ext.asyncio import AsyncEngine


@dataclass(frozen=True, slots=True)
class FunctionStep:
    """Calls a function of the project.

    One that takes no argument finds the database by its own means: all engines lead there while it runs, and
    DATABASE_URL says where.
    """

    function: Callable[..., Any]
    name: str
    root: Path

    def fingerprint(self, dialect: Dialect) -> bytes:
        """Return the hash of the function's source and of the project's modules that it reaches."""
        return source_fingerprint(self.function, self.root)

    def run(self, engine: Engine) -> None:
        """Call it; coroutines are run to their end."""
        if not takes_argument(self.function):
            _call_alone(self.function, engine)
        elif inspect.iscoroutinefunction(inspect.unwrap(self.function)):
            run_coroutine(self._awaited(engine))
        else:
            self._called(engine)

    async def _awaited(self, engine: Engine) -> None:
        asynchronous = async_engine(engine)
        try:
            await self._awaited_with(asynchronous)
        finally:
            await asynchronous.dispose()

    def _called(self, engine: Engine) -> None:
        """Call the function with what it works on."""
        raise NotImplementedError

    async def _awaited_with(self, engine: AsyncEngine) -> None:
        """Await the function with what it works on."""
        raise NotImplementedError


class CallableStep(FunctionStep):
    """Calls a function that makes tables with an Engine, or an AsyncEngine where it is a coroutine function."""

    __slots__ = ()

    def _called(self, engine: Engine) -> None:
        result = self.function(engine)
        if inspect.iscoroutine(result):
            run_coroutine(result)

    async def _awaited_with(self, engine: AsyncEngine) -> None:
        await self.function(engine)


class SeedStep(FunctionStep):
    """Calls a function with a Session, or an AsyncSession where it is a coroutine function, and commits afterwards."""

    __slots__ = ()

    def _called(self, engine: Engine) -> None:
        from sqlalchemy.orm import Session

        with Session(engine) as session:
            self.function(session)
            session.commit()

    async def _awaited_with(self, engine: AsyncEngine) -> None:
        from sqlalchemy.ext.asyncio import AsyncSession

        async with AsyncSession(engine, expire_on_commit=False) as session:
            await self.function(session)
            await session.commit()


def takes_argument(function: Callable[..., Any]) -> bool:
    """Tell whether a function wants something to work on."""
    return bool(inspect.signature(function).parameters)


def async_engine(engine: Engine) -> AsyncEngine:
    """Return an asynchronous engine without a pool, on the same database."""
    from sqlalchemy.ext.asyncio import create_async_engine
    from sqlalchemy.pool import NullPool

    from pytest_dbguard.databases.sqlite_transactions import mend_sqlite

    url = engine.url
    if url.get_backend_name() == "sqlite":
        url = url.set(drivername="sqlite+aiosqlite")
    asynchronous = create_async_engine(url, poolclass=NullPool)
    mend_sqlite(asynchronous.sync_engine)
    return asynchronous


def _call_alone(function: Callable[..., Any], engine: Engine) -> None:
    with all_lead_to(engine.url):
        result = function()
        if inspect.iscoroutine(result):
            run_coroutine(result)
