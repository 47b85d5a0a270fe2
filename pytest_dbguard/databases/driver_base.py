"""What can be known of a driver's connection and done to it from outside, at once, without awaiting or blocking."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, ParamSpec

P = ParamSpec("P")


class Driver:
    """A database driver of which nothing is known: its connections are busy, and end with their server."""

    name: ClassVar[str] = ""

    def database(self, dbapi_connection: Any) -> str | None:
        """Return the database that a connection leads to: name or file. May send a statement and roll it back."""
        return None

    def backend(self, connection: Any) -> int | None:
        """Return the process number of the server's side."""
        return None

    def is_busy(self, connection: Any) -> bool:
        """Whether somebody is waiting for an answer on it."""
        return True

    def is_open(self, connection: Any) -> bool:
        """Whether a transaction is open."""
        return False

    def roll_back(self, connection: Any, *, unfinished: bool = False) -> bool:
        """Roll back what is open; False when that cannot be done from here.

        Args:
            connection: The driver's connection.
            unfinished: Whether its holder may have statements on it that it does not read to their end.
        """
        return False

    def commit(self, connection: Any, *, savepoint: str | None = None) -> bool:
        """Commit what is open, without what came after a savepoint; False when that cannot be done from here."""
        return False

    def resume(self, connection: Any) -> None:
        """Let the holder go on after `roll_back`, where the driver does not begin transactions by itself."""

    def end(self, connection: Any) -> bool:
        """Close it, wherever its event loop is; False when that cannot be done from here."""
        return False

    def refused(self, connection: Any) -> str | None:
        """Return what COMMIT would refuse in the open transaction, without values; None when nothing is known.

        The transaction may have failed by that; all that can be done with it is to roll it back.
        """
        return None


def asked(dbapi_connection: Any, statement: str, column: int) -> str | None:
    """Return one column of what the database answers, outside of any transaction."""
    cursor = dbapi_connection.cursor()
    try:
        cursor.execute(statement)
        row = cursor.fetchone()
    finally:
        cursor.close()
    dbapi_connection.rollback()
    return None if row is None else row[column]


def quietly(action: Callable[P, bool], *args: P.args, **kwargs: P.kwargs) -> bool:
    """Return what an action on a connection says; False when it fails, as on one whose server has gone."""
    try:
        return action(*args, **kwargs)
    except Exception:  # noqa: BLE001  each driver has errors of its own
        return False
