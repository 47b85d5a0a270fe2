"""Which connections of an engine are open, and which of them somebody has."""

from __future__ import annotations

import os
from threading import Lock
from typing import Any
from weakref import WeakSet

from sqlalchemy import Engine, event


class Opened:
    """Follows an engine's pool through its `connect` events, so that using a connection costs nothing."""

    def __init__(self, engine: Engine) -> None:
        self._records: WeakSet[Any] = WeakSet()
        self._lock = Lock()
        self._process = os.getpid()
        event.listen(engine, "connect", self._connected)

    def in_use(self) -> tuple[Any, ...]:
        """Return the driver's connections that are checked out."""
        return tuple(record.driver_connection for record in self._known() if record.in_use and record.dbapi_connection)

    def idle(self) -> tuple[Any, ...]:
        """Return the driver's connections that wait in the pool."""
        return tuple(
            record.driver_connection for record in self._known() if not record.in_use and record.dbapi_connection
        )

    def forget(self) -> None:
        """Know of no connection, since they are another process's."""
        self._lock = Lock()
        self._records = WeakSet()

    def _known(self) -> list[Any]:
        with self._lock:
            return list(self._records)

    def _connected(self, _dbapi_connection: Any, record: Any) -> None:
        with self._lock:
            self._records.add(record)
