"""Where the shop's sessions come from outside of tests: the database service of this process.

`[tool.dbguard.runtime]` in pyproject.toml says where it leads: to SQLite, unless DBGUARD_RUNTIME_URL says more.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from pytest_dbguard.runtime import get_database_service


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Start the service with the application, and end what is under way before it stops."""
    async with get_database_service():
        yield


def get_session() -> Iterator[Session]:
    """Give a request its session."""
    with get_database_service().client() as session:
        yield session


async def get_async_session() -> AsyncIterator[AsyncSession]:
    """Give an async request its session; psycopg and SQLite speak both."""
    async with get_database_service().client() as session:
        yield session
