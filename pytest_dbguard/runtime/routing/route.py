"""Where the statements of one transaction go."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any, Final

from sqlalchemy import Connection, Engine, event

from pytest_dbguard.core.errors import did_you_mean
from pytest_dbguard.databases.engines import Role
from pytest_dbguard.runtime.routing.positions import Trail

_ROLES: Final[tuple[Role, ...]] = ("primary", "readonly", "analytics")


class Reader:
    """A connection of our own on which a transaction reads, and which ends with it.

    It is not the session's to commit: what a replica answers to COMMIT changes nothing, so that it can die then. A
    session rolls back a transaction that it was given, and does not commit it.
    """

    __slots__ = ("connection", "is_used", "target")

    def __init__(self, engine: Engine, target: str) -> None:
        self.target = target
        self.is_used = False
        """Whether a statement has been answered on it."""

        if not event.contains(engine, "rollback", _roll_back_quietly):
            event.listen(engine, "rollback", _roll_back_quietly)
        self.connection: Connection = engine.connect()
        try:
            self.connection.begin()
        except BaseException:
            self.connection.close()
            raise

    def close(self) -> None:
        """Give the connection back."""
        self.connection.close()


def _roll_back_quietly(connection: Connection) -> None:
    """Roll a replica's transaction back before SQLAlchemy does, which raises where the replica has gone.

    Then there is nothing to roll back, and the session must still end what it did on primary. A second rollback costs
    no round trip.
    """
    if not connection.invalidated:
        try:
            connection.dialect.do_rollback(connection.connection)
        except Exception:  # noqa: BLE001  drivers raise their own kinds
            connection.invalidate()


class Route:
    """What one transaction of a session has done so far, and where it reads."""

    __slots__ = (
        "analytics",
        "engine",
        "failed",
        "is_autocommit",
        "is_committed",
        "is_on_primary",
        "primary",
        "reader",
        "readers",
        "trail",
        "wrote",
    )

    def __init__(self) -> None:
        self.reader: Reader | None = None
        """Where it reads."""

        self.readers: list[Reader] = []
        """All that it has read from, those that have failed included."""

        self.analytics: Reader | None = None
        self.failed: list[str] = []
        """Names of the replicas that have failed it."""

        self.engine: Engine | None = None
        """Primary's engine."""

        self.primary: Connection | None = None
        """Its connection to primary, once it has one."""

        self.is_on_primary = False
        """Whether it reads from primary from now on: what it has seen there a replica may not have yet."""

        self.wrote = False
        self.is_committed = False
        self.is_autocommit = False
        """Whether primary commits each statement by itself."""

        self.trail: Trail | None = None
        """Where it has told that a transaction is writing."""

    def open(self, engine: Engine, target: str) -> Reader:
        """Begin to read from a replica."""
        reader = Reader(engine, target)
        self.readers.append(reader)
        return reader

    def close(self) -> None:
        """Give back what was read from."""
        if self.readers:
            with ExitStack() as stack:
                for reader in self.readers:
                    stack.callback(reader.close)


class Intent:
    """What one call of `execute` asks for, and what became of it."""

    __slots__ = ("is_first", "reader", "role", "statement")

    def __init__(self, statement: Any, role: Role | None) -> None:
        self.statement = statement
        self.role = role
        """The role that the call names."""

        self.reader: Reader | None = None
        """Where the statement was sent to, if that was a replica."""

        self.is_first = False
        """Whether nothing had been read there before."""


def role_of(options: Mapping[str, Any] | None) -> Role | None:
    """Return the role that execution options name.

    Raises:
        ValueError: When there is none of that name.
    """
    role = None if options is None else options.get("dbguard_role")
    return None if role is None else known_role(role)


def known_role(role: str) -> Role:
    """Return a role.

    Raises:
        ValueError: When there is none of that name.
    """
    for each in _ROLES:
        if role == each:
            return each
    raise ValueError(f"unknown role {role!r}; {did_you_mean(role, _ROLES)}")
