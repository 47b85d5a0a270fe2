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
OPENS_KEY: Final = "sslpassword"
"""What a URL may say, and SQLAlchemy would show in an engine's repr: it goes with `connect_args`."""

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
    return _without_secrets(_in_words_of(completed)) if url.backend == "postgresql" else completed


def key_password(url: DatabaseUrl) -> dict[str, str]:
    """Return the argument that `engine_url` leaves out, if there is one; dumps and errors show it as stars."""
    value = url.reveal().query.get(OPENS_KEY)
    return {} if value is None else {OPENS_KEY: _Starred(_last(value))}


class _Starred(str):
    """Text for a driver, which takes nothing but text."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"


def _without_secrets(url: URL) -> URL:
    """Return the URL with its password where SQLAlchemy looks for one to hide."""
    query = {key: value for key, value in url.query.items() if key not in ("password", OPENS_KEY)}
    password = url.query.get("password")
    return url.set(query=query, password=url.password if password is None else _last(password))


def _last(value: str | tuple[str, ...]) -> str:
    return value if isinstance(value, str) else value[-1]


def _in_words_of(url: URL) -> URL:
    query = dict(url.query)
    for libpq, asyncpg in _WORDS:
        wrong, right = (libpq, asyncpg) if url.get_driver_name() == "asyncpg" else (asyncpg, libpq)
        if wrong in query:
            query.setdefault(right, query.pop(wrong))
    return url.set(query=query)
