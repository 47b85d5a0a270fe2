"""Finds who holds a pooled connection, and takes it away from them so that they can go on with another."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from weakref import finalize, ref

from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from pytest_dbguard.databases.driver_base import Driver, quietly


@dataclass(frozen=True, slots=True, eq=False)
class Detached:
    """A connection that was taken out of its pool since its holder does not give it back."""

    proxy: ref[Any]
    driver: Driver
    connection: Any


def proxy_of(record: Any) -> Any:
    """Return what stands for a pooled connection while somebody has it; None while nobody has."""
    reference = record.fairy_ref
    return None if reference is None else reference()


def sessions_on(proxy: Any) -> list[Session]:
    """Return the sessions that use a pooled connection."""
    from sqlalchemy.orm.session import _sessions

    return [session for session in list(_sessions.values()) if any(each is proxy for each in _proxies(session))]


def _proxies(session: Session) -> Iterator[Any]:
    transaction: Any = session.get_transaction()
    while transaction is not None:
        for connection, *_ in list(transaction._connections.values()):
            yield connection._dbapi_connection
        transaction = transaction.parent


def roll_back_session(session: Session | None) -> None:
    """Roll back a session, where it can be."""
    if session is not None:
        # a listener of the application may fail, or a thread be at work with it: then its connection is detached
        with contextlib.suppress(Exception):
            session.rollback()


def drop(proxy: Any, driver: Driver) -> None:
    """Close a connection under its holder, whose next use connects anew, without any awaiting."""
    connection, sessions = proxy.driver_connection, sessions_on(proxy)
    # an event loop that is gone may have waiters in the pool's queue
    with contextlib.suppress(RuntimeError):
        proxy.detach()
    quietly(driver.end, connection)
    proxy.invalidate()
    # these send nothing, since there is nothing left to send it on
    for session in sessions:
        roll_back_session(session)
    for holder in _holders(proxy):
        holder.invalidate()
        holder.rollback()


def _holders(proxy: Any) -> Iterator[Connection]:
    """Yield SQLAlchemy's connections that use a pooled one. Takes about as long as a collection of garbage."""
    for referrer in gc.get_referrers(proxy):
        for each in gc.get_referrers(referrer) if isinstance(referrer, dict) else (referrer,):
            if isinstance(each, Connection) and each._dbapi_connection is proxy:
                yield each


def detached(proxy: Any, driver: Driver, connection: Any) -> Detached:
    """Take a connection out of its pool, and leave it to its holder; it is closed when nobody holds it any more."""
    proxy.detach()
    finalize(proxy, quietly, driver.end, connection).atexit = False
    return Detached(ref(proxy), driver, connection)
