"""The one service of a process, made when it is first asked for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_dbguard.runtime.service import DatabaseService


class ProcessService:
    """Holds the service of a process, for `get_database_service`."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._service: DatabaseService | None = None

    def get(self) -> DatabaseService:
        """Return the service; make it from `DatabaseSettings.load()` when there is none. All threads get the same."""
        service = self._service
        if service is not None:
            return service
        from pytest_dbguard.runtime.service import DatabaseService

        with self._lock:
            if self._service is None:
                self._service = DatabaseService()
            return self._service

    def put(self, service: DatabaseService | None) -> DatabaseService | None:
        """Put another one in its place, or none; return what was there, which goes on as it is."""
        with self._lock:
            before, self._service = self._service, service
            return before

    def renew(self) -> None:
        """Free the lock in a forked child: the thread that held it is not there."""
        self._lock = RLock()


_PROCESS = ProcessService()
os.register_at_fork(after_in_child=_PROCESS.renew)


def get_database_service() -> DatabaseService:
    """Return the service of this process.

    It is made once, from `DatabaseSettings.load()`, whichever thread asks first, and starts when it is first used. In
    a forked child it is the same object with the same settings and subscribers, and with connections of its own.

    Raises:
        ConfigError: That tells everything that is wrong with the settings; the next call tries again.
    """
    return _PROCESS.get()


def set_database_service(service: DatabaseService | None) -> DatabaseService | None:
    """Have `get_database_service` return this one; with None it makes a new one when it is next asked.

    Returns:
        The one before, neither stopped nor changed.
    """
    return _PROCESS.put(service)


@contextmanager
def override_database_service(service: DatabaseService) -> Iterator[DatabaseService]:
    """Have `get_database_service` return this one within the block, in all threads; the one before comes back."""
    before = _PROCESS.put(service)
    try:
        yield service
    finally:
        _PROCESS.put(before)
