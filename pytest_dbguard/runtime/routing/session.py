"""A session whose reads go to replicas and whose writes go to primary."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.orm import Session

from pytest_dbguard.databases.engines import Role
from pytest_dbguard.runtime.routing.positions import Position
from pytest_dbguard.runtime.routing.seams import RoutedManager


class RoutingSession(Session):
    """A session whose reads go to replicas and whose writes go to primary."""

    def __init__(self, manager: RoutedManager, **options: Any) -> None:
        super().__init__(**options)
        self._manager = manager
        self._position: Position | None = None

    @property
    def position(self) -> Position | None:
        """Return where primary's log was after this session's last commit that wrote; None before."""
        return self._position

    @contextmanager
    def using(self, role: Role) -> Iterator[None]:
        """Lead the block's reads to a role."""
        yield

    def get_bind(
        self, *arguments: Any, bind: Engine | Connection | None = None, **keywords: Any
    ) -> Engine | Connection:
        """Return where a statement goes."""
        return bind or self._manager.engine("primary")
