"""Where the shop's sessions come from outside of tests: one sync and one async engine by environment variable."""

from __future__ import annotations

import os
from functools import cache

from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import Session, sessionmaker


def database_url() -> str:
    """Return the URL of the sync engine."""
    return os.environ.get("SHOP_DATABASE_URL", "sqlite:///shop.db")


def async_database_url() -> str:
    """Return the URL of the async engine; psycopg speaks both."""
    return os.environ.get("SHOP_ASYNC_DATABASE_URL", database_url().replace("sqlite://", "sqlite+aiosqlite://"))


@cache
def session_factory() -> sessionmaker[Session]:
    """Return the factory of sync sessions."""
    return sessionmaker(create_engine(database_url()))


@cache
def async_session_factory() -> async_sessionmaker[AsyncSession]:
    """Return the factory of async sessions."""
    return async_sessionmaker(create_async_engine(async_database_url()), expire_on_commit=False)
