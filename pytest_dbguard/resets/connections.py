"""Knows every pooled connection of this process to one database: who took it, who has it still, how to end that."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import get_ident
from typing import Any
from weakref import WeakKeyDictionary, WeakSet, ref

from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.pool import Pool, SingletonThreadPool, StaticPool

from pytest_dbguard.databases.base import Database
from pytest_dbguard.databases.driver_base import Driver, quietly
from pytest_dbguard.databases.drivers import driver_of
from pytest_dbguard.recording.frames import StackReader, Walk
from pytest_dbguard.recording.ownership import Ownership
from pytest_dbguard.resets.base import Leak
from pytest_dbguard.resets.holders import Detached, detached, drop, proxy_of, roll_back_session, sessions_on
from pytest_dbguard.resets.session_state import StateChanges

_NO_WALK: Walk = ((), 0, False, ())
_FRAMES = 8
_DEPTH = 4
"""How far from the listener the caller of `Pool.connect` is; frames that are not looked at cost nothing."""
_SHARED = (StaticPool, SingletonThreadPool)


@dataclass(slots=True, eq=False)
class Pooled:
    """What is known of one driver connection in a pool."""

    driver: Driver
    is_ours: bool
    owner: str = ""
    is_wide: bool = False
    walk: Walk = _NO_WALK
    is_altered: bool = False
    thread: int = 0


class Connections:
    """The ledger of one database. Listens to all pools, and looks away where they lead elsewhere."""

    def __init__(self, database: Database) -> None:
        self._name = _file_or_name(database)
        self._family = database.url.get_backend_name()
        self._key = object()
        self._owner, self._is_wide = "", True
        self._records: WeakSet[Any] = WeakSet()
        self._out: dict[int, Any] = {}
        self._altered: WeakKeyDictionary[Any, bool] = WeakKeyDictionary()
        self._detached: list[Detached] = []
        self._ended: dict[int, Leak] = {}
        self._proven: dict[Walk, bool] = {}
        self._changes = StateChanges()
        self._reader = StackReader(Ownership(Path.cwd()))
        self._is_attached = False
        self.times_let_go = 0
        """How often all connections were let go: who holds one besides the pools compares."""

    def attach(self) -> None:
        """Begin to listen."""
        self._reader.notice_greenlet()
        if not self._is_attached:
            for target, name, listener in self._listeners():
                event.listen(target, name, listener)
            self._is_attached = True

    def detach(self) -> None:
        """Stop to listen."""
        if self._is_attached:
            for target, name, listener in self._listeners():
                event.remove(target, name, listener)
            self._is_attached = False

    def enter(self, owner: str, is_wide: bool) -> None:
        """Say which test or fixture takes connections from now on; wide ones may keep theirs beyond a test."""
        self._owner, self._is_wide = owner, is_wide
        if self._ended:
            self._ended.clear()

    def end_leaks(self) -> Sequence[Leak]:
        """Roll back and set free the connections that the current test took and did not give back."""
        if self._altered:
            self._replace_altered()
        if self._detached:
            self._detached = [each for each in self._detached if self._is_still_held(each)]
        held = [record for record in list(self._out.values()) if not self._pooled(record).is_wide]
        return tuple(leak for record in held if (leak := self._end(record)) is not None) if held else ()

    def kept_backends(self) -> frozenset[int]:
        """Return process numbers of backends that fixtures of a wider scope hold: their transactions stay."""
        return frozenset(
            backend
            for record in list(self._out.values())
            if self._pooled(record).is_wide and (backend := self._backend(record)) is not None
        )

    def leak_of(self, backend: int, message: str) -> Leak:
        """Return the leak for a backend, with owner and stack where this process opened it."""
        if backend in self._ended:
            return self._ended[backend]
        for record in list(self._out.values()):
            if self._backend(record) == backend:
                return self._leak(self._pooled(record), message)
        return Leak(None, message)

    def is_altered(self, info: Mapping[Any, Any]) -> bool:
        """Whether a test changed the session of the connection that a pool keeps this information of."""
        pooled: Pooled | None = info.get(self._key)
        return pooled is not None and pooled.is_altered

    def let_go(self) -> None:
        """Have every pooled connection to the database replaced before its next use, without waiting for anything.

        Those that fixtures of a wider scope hold are closed: their next use connects anew.
        """
        self.times_let_go += 1
        for record in list(self._records):
            connection = record.dbapi_connection
            if connection is None:
                continue
            proxy = proxy_of(record)
            if proxy is not None:
                drop(proxy, self._pooled(record).driver)
                self._out.pop(id(record), None)
            else:
                if record.driver_connection is not connection:
                    # its own way to close needs its event loop, which may be gone
                    quietly(self._pooled(record).driver.end, record.driver_connection)
                record.invalidate(soft=True)

    def _listeners(self) -> Iterator[tuple[Any, str, Any]]:
        yield Pool, "connect", self._connected
        yield Pool, "checkout", self._taken
        yield Pool, "checkin", self._given_back
        yield Pool, "detach", self._given_back
        yield Pool, "invalidate", self._invalidated
        yield Engine, "after_cursor_execute", self._executed

    def _connected(self, dbapi_connection: Any, record: Any) -> None:
        driver = driver_of(record.driver_connection or dbapi_connection)
        try:
            is_ours = driver.database(dbapi_connection) == self._name
        except Exception:  # noqa: BLE001  another database's driver, whose failure is none of our business
            is_ours = False
        record.info[self._key] = Pooled(driver, is_ours)
        if is_ours:
            self._records.add(record)

    def _taken(self, dbapi_connection: Any, record: Any, proxy: Any) -> None:
        pooled = record.info.get(self._key)
        if pooled is None:
            # connected before we listened
            self._connected(dbapi_connection, record)
            pooled = record.info[self._key]
        if not pooled.is_ours:
            return
        pooled.owner, pooled.is_wide, pooled.thread = self._owner, self._is_wide, get_ident()
        pooled.walk = self._reader.read(sys._getframe(_DEPTH))
        self._out[id(record)] = record

    def _given_back(self, dbapi_connection: Any, record: Any) -> None:
        self._out.pop(id(record), None)

    def _invalidated(self, dbapi_connection: Any, record: Any, error: Any) -> None:
        self._out.pop(id(record), None)

    def _executed(
        self, conn: Connection, cursor: Any, statement: str, parameters: Any, context: Any, executemany: bool
    ) -> None:
        if self._changes.is_one(statement) and not self._is_wide:
            # not `conn.connection`, which raises where we have ended it
            record = getattr(conn._dbapi_connection, "_connection_record", None)
            if record is not None and self._pooled(record).is_ours:
                self._pooled(record).is_altered = True
                self._altered[record] = True

    def _pooled(self, record: Any) -> Pooled:
        return record.info.get(self._key) or Pooled(Driver(), is_ours=False)

    def _backend(self, record: Any) -> int | None:
        connection = record.driver_connection
        return None if connection is None else self._pooled(record).driver.backend(connection)

    def _replace_altered(self) -> None:
        """Have connections replaced whose session a test changed: the next test must not find its variables."""
        for record in list(self._altered):
            if record.dbapi_connection is not None:
                record.invalidate(soft=True)
        self._altered.clear()

    def _end(self, record: Any) -> Leak | None:
        proxy, pooled, connection = proxy_of(record), self._pooled(record), record.driver_connection
        if proxy is None or connection is None:
            self._out.pop(id(record), None)
            return None
        driver = pooled.driver
        if isinstance(proxy._pool, _SHARED):
            # everybody's only connection: nobody has to give it back, but a transaction in it ends
            if driver.is_open(connection):
                quietly(driver.roll_back, connection)
            self._out.pop(id(record), None)
            return None
        what = "a connection" if not (sessions := sessions_on(proxy)) else "a session"
        backend = driver.backend(connection)
        state = " with an open transaction" if driver.is_open(connection) else ""
        leak = self._leak(pooled, f"{what}{state}")
        if proxy._pool._dialect.is_async:
            drop(proxy, Driver() if getattr(proxy._pool, "is_lent", False) else driver)
        else:
            # nothing of ours may keep alive what nobody else does
            references = [ref(session) for session in sessions]
            proxy = None
            sessions.clear()
            if not self._ends(record, pooled, references):
                return None
        self._out.pop(id(record), None)
        if backend is not None:
            self._ended[backend] = leak
        return leak

    def _ends(self, record: Any, pooled: Pooled, sessions: list[Any]) -> bool:
        """End a synchronous leak; False when it was none, since nobody could reach it any more."""
        connection = record.driver_connection
        is_busy = pooled.driver.is_busy(connection)
        for reference in () if is_busy else sessions:
            roll_back_session(reference())
        if proxy_of(record) is None:
            return self._is_reachable(pooled.walk, lambda: any(each() is not None for each in sessions))
        if not is_busy and not self._is_reachable(pooled.walk, lambda: proxy_of(record) is not None):
            return False
        if getattr(proxy_of(record)._pool, "is_lent", False):
            drop(proxy_of(record), Driver())
            return True
        if pooled.thread != get_ident():
            # a thread that goes on would begin again on it, and commit in a later test
            drop(proxy_of(record), pooled.driver)
            return True
        if quietly(pooled.driver.roll_back, connection, unfinished=True):
            pooled.driver.resume(connection)
        proxy = proxy_of(record)
        if proxy is not None and getattr(connection, "closed", False):
            # its server has gone
            drop(proxy, Driver())
        elif proxy is not None:
            self._detached.append(detached(proxy, pooled.driver, connection))
        return True

    def _is_reachable(self, walk: Walk, is_alive: Any) -> bool:
        """Whether something is alive that garbage collection would not end, which then is no fault of the test.

        A full collection takes long in a large program: once for each place in the code, the answer holds for all.
        """
        gc.collect(1)
        if not is_alive():
            return False
        if walk not in self._proven:
            gc.collect()
            self._proven[walk] = bool(is_alive())
        return self._proven[walk]

    def _is_still_held(self, taken: Detached) -> bool:
        proxy, driver, connection = taken.proxy(), taken.driver, taken.connection
        if proxy is None or not proxy.is_valid:
            return False
        if driver.is_open(connection) and quietly(driver.roll_back, connection, unfinished=True):
            driver.resume(connection)
        return True

    def _leak(self, pooled: Pooled, message: str) -> Leak:
        frames = self._reader.stack(pooled.walk).frames[:_FRAMES]
        places = tuple(f"{frame.site.file}:{frame.site.line} in {frame.site.function}" for frame in frames)
        return Leak(pooled.owner or None, message, places)


def _file_or_name(database: Database) -> str:
    name = database.url.database or ""
    if database.url.get_backend_name() != "sqlite":
        return name
    if database.url.query.get("mode") == "memory":
        return ""
    path = name.removeprefix("file:")
    return path if "vfs" in database.url.query else str(Path(path).resolve())
