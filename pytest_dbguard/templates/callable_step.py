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
class CallableStep:
    """Calls a function that makes tables.

    It gets an Engine, or an AsyncEngine where it is a coroutine function. One that takes no argument finds the
    database by its own means: all engines lead there while it runs, and DATABASE_URL says where.
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
            run_coroutine(self._with_async_engine(engine))
        else:
            result = self.function(engine)
            if inspect.iscoroutine(result):
                run_coroutine(result)

    async def _with_async_engine(self, engine: Engine) -> None:
        asynchronous = async_engine(engine)
        try:
            await self.function(asynchronous)
        finally:
            await asynchronous.dispose()


@dataclass(frozen=True, slots=True)
class SeedStep:
    """Calls a function with a Session, or an AsyncSession where it is a coroutine function, and commits afterwards."""

    function: Callable[..., Any]
    name: str
    root: Path

    def fingerprint(self, dialect: Dialect) -> bytes:
        """Return the hash of the function's source and of the project's modules that it reaches."""
        return source_fingerprint(self.function, self.root)

    def run(self, engine: Engine) -> None:
        """Call it."""
        if not takes_argument(self.function):
            _call_alone(self.function, engine)
        elif inspect.iscoroutinefunction(inspect.unwrap(self.function)):
            run_coroutine(self._with_async_session(engine))
        else:
            from sqlalchemy.orm import Session

            with Session(engine) as session:
                self.function(session)
                session.commit()

    async def _with_async_session(self, engine: Engine) -> None:
        from sqlalchemy.ext.asyncio import AsyncSession

        asynchronous = async_engine(engine)
        try:
            async with AsyncSession(asynchronous, expire_on_commit=False) as session:
                await self.function(session)
                await session.commit()
        finally:
            await asynchronous.dispose()


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
