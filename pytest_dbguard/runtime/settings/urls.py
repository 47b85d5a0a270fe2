"""Completes a URL for an engine: the driver that fits, in the driver's own words."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Final

from sqlalchemy import URL

from pytest_dbguard.databases.sqlite import address
from pytest_dbguard.runtime.settings.database_url import DatabaseUrl

_SYNC: Final[Mapping[str, str]] = {
    "postgresql": "postgresql+psycopg",
    "postgresql+asyncpg": "postgresql+psycopg",
    "postgresql+psycopg_async": "postgresql+psycopg",
    "sqlite+aiosqlite": "sqlite",
}
_ASYNC: Final[Mapping[str, str]] = {
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg2": "postgresql+psycopg",
    "sqlite": "sqlite+aiosqlite",
    "sqlite+pysqlite": "sqlite+aiosqlite",
}
# libpq's word for it, and asyncpg's
_WORDS: Final = (("sslmode", "ssl"),)


def engine_url(url: DatabaseUrl, *, is_async: bool, memory: str) -> URL:
    """Return the URL with a driver that is, or is not, asynchronous; `memory` names a database in memory."""
    revealed = url.reveal()
    name = revealed.drivername
    completed = revealed.set(drivername=(_ASYNC if is_async else _SYNC).get(name, name))
    if url.is_memory:
        path, query = address(memory, sqlite3.sqlite_version_info)
        return completed.set(database=path, query={**query, "uri": "true"})
    return _in_words_of(completed) if url.backend == "postgresql" else completed


def _in_words_of(url: URL) -> URL:
    query = dict(url.query)
    for libpq, asyncpg in _WORDS:
        wrong, right = (libpq, asyncpg) if url.get_driver_name() == "asyncpg" else (asyncpg, libpq)
        if wrong in query:
            query.setdefault(right, query.pop(wrong))
    return url.set(query=query)
