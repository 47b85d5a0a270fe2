"""The list of drivers whose connections can be looked after."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from pytest_dbguard.databases.driver_base import Driver
from pytest_dbguard.databases.postgres_drivers import Asyncpg, Pg8000, Psycopg, Psycopg2
from pytest_dbguard.databases.sqlite_drivers import Aiosqlite, Sqlite

_DRIVERS: Mapping[str, Driver] = MappingProxyType(
    {driver.name: driver for driver in (Psycopg(), Psycopg2(), Pg8000(), Asyncpg(), Sqlite(), Aiosqlite())}
)


def driver_of(connection: Any) -> Driver:
    """Return the driver of a connection, as `driver_connection` of SQLAlchemy's pool gives it."""
    for known in type(connection).__mro__:
        driver = _DRIVERS.get(known.__module__.partition(".")[0])
        if driver is not None:
            return driver
    return Driver()
