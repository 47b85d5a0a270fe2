"""The application's engines, made when it is imported, as for production."""

from __future__ import annotations

from sqlalchemy import create_engine, event
from sqlalchemy.engine import Engine
from sqlalchemy.ext.asyncio import create_async_engine

primary = create_engine("sqlite:///production.db")
readonly = create_engine("sqlite:///production.db")
asynchronous = (create_async_engine("sqlite+aiosqlite:///production.db"),)


@event.listens_for(Engine, "connect")
def _enforce_foreign_keys(connection, record):
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()
