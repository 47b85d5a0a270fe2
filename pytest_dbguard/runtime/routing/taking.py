"""Takes the position of a commit, on the connection that has just committed."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from sqlalchemy import Connection
from sqlalchemy.util import await_only

from pytest_dbguard.runtime.routing.asking import ask, ask_async
from pytest_dbguard.runtime.routing.positions import LATEST, Position
from pytest_dbguard.runtime.routing.samples import COMMIT_QUERY, commit_position

_LOG = logging.getLogger("pytest_dbguard.runtime")
_TAKE_S: Final = 1.0


def take_position(connection: Connection, *, is_async: bool) -> Position | None:
    """Return where primary's log is after a commit on `connection`, in one round trip of a second at the most.

    None for databases whose replicas do not follow a log of PostgreSQL's. LATEST where the server does not tell: it
    has committed all the same. Then the connection is not used again, as an answer may still come.
    """
    if connection.dialect.name != "postgresql":
        return None
    try:
        driver = connection.connection.driver_connection
        row = await_only(ask_async(driver, COMMIT_QUERY, _TAKE_S)) if is_async else ask(driver, COMMIT_QUERY, _TAKE_S)
        return commit_position(row) or LATEST
    except Exception as error:  # noqa: BLE001  drivers raise their own kinds, and the commit must not seem to fail
        _LOG.warning("no position after a commit: %s", type(error).__name__)
        connection.invalidate()
        return LATEST
    except asyncio.CancelledError:
        connection.invalidate()
        raise
