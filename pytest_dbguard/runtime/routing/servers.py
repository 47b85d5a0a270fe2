"""How a session comes by engines, replicas and positions, where it may wait as long as it likes."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, Engine

from pytest_dbguard.databases.engines import Role
from pytest_dbguard.runtime.routing.positions import Position
from pytest_dbguard.runtime.routing.seams import RoutedManager
from pytest_dbguard.runtime.routing.taking import take_position


class Servers:
    """A manager's servers by their synchronous engines."""

    is_async = False

    def __init__(self, manager: RoutedManager) -> None:
        self.manager = manager

    def engine(self, role: Role, target: str | None = None) -> Engine:
        """Return the engine of a role, or of one of its servers."""
        return self.manager.engine(role, target=target)

    def choose(self, needed: Position | None, without: Sequence[str]) -> str | None:
        """Return the name of a replica that has reached a position; None where primary is to be read from."""
        return self.manager.replicas.choose(needed, without=without, by_threads=True)

    def position_after_commit(self, connection: Connection) -> Position | None:
        """Return where primary's log is, as `take_position` does."""
        return take_position(connection, is_async=self.is_async)
