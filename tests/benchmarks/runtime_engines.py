"""The ways to use a database that `runtime.py` compares: SQLAlchemy as it comes, and the manager of the runtime."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import URL, create_engine
from sqlalchemy.ext.asyncio import create_async_engine


@dataclass(frozen=True)
class Opened:
    """Engines on one database, and how they are closed."""

    engine: Any
    async_engine: Any
    close: Callable[[], object]
    manager: Any = None


def plain(url: URL, *, size: int = 5, pre_ping: bool = False) -> Opened:
    """Make SQLAlchemy's own engines, with a fixed pool."""
    options = {"pool_size": size, "max_overflow": 0, "pool_pre_ping": pre_ping}
    options["connect_args"] = {"connect_timeout": 5} if url.get_backend_name() == "postgresql" else {}
    engine = create_engine(url, **options)
    if url.get_backend_name() == "sqlite":
        return Opened(engine, None, engine.dispose)
    async_engine = create_async_engine(url, **options)
    return Opened(engine, async_engine, engine.dispose)


def pre_ping(url: URL, *, size: int = 5) -> Opened:
    """Make SQLAlchemy's own engines with `pool_pre_ping`."""
    return plain(url, size=size, pre_ping=True)


def dbguard(url: URL, *, size: int = 5, replica: URL | None = None, password_from: Any = None) -> Opened:
    """Make a manager's engines, with the settings that it has by itself but for the pool's size."""
    from pytest_dbguard.runtime.manager import DatabaseManager
    from pytest_dbguard.runtime.settings import DatabaseSettings

    primary: dict[str, Any] = {"url": _text(url)}
    if password_from is not None:
        primary["password_from"] = password_from
    roles = {"primary": primary} | ({"readonly": {"url": _text(replica)}} if replica is not None else {})
    quiet = {"statements": False}
    settings = DatabaseSettings(profile="development", roles=roles, pool={"size": size, "overflow": 0}, logging=quiet)
    manager = DatabaseManager(settings)
    async_engine = None if url.get_backend_name() == "sqlite" else manager.async_engine()
    return Opened(manager.engine(), async_engine, lambda: manager.stop(0.0), manager)


def _text(url: URL) -> str:
    return url.set(drivername=url.get_backend_name()).render_as_string(hide_password=False)


async def close_async(opened: Opened) -> None:
    """Close asynchronous engines in the loop that they were used in."""
    if opened.manager is not None:
        await opened.manager.stop_async(0.0)
    else:
        await asyncio.shield(opened.async_engine.dispose())
