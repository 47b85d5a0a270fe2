"""Chooses the engine by whose driver and credentials a server is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy.ext.asyncio import AsyncEngine

    from pytest_dbguard.runtime.manager import DatabaseManager
    from pytest_dbguard.runtime.settings import Target


def engine_to_ask_by(manager: DatabaseManager, target: Target) -> Engine | AsyncEngine:
    """Return an engine of a server, of the kind that the application uses: the other's driver may be missing."""
    engines = manager.engines()
    for each in engines:
        if each.target.name == target.name:
            return each.async_engine or each.engine
    if engines and all(each.is_async for each in engines):
        return manager.async_engine(target.role, target=target.name)
    return manager.engine(target.role, target=target.name)
