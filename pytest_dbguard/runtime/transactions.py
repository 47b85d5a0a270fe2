"""Whole transactions, done again where that is safe."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from pytest_dbguard.databases.engines import Role

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession
    from sqlalchemy.orm import Session

    from pytest_dbguard.runtime.manager import DatabaseManager

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to wait before a transaction is done again: a random part of a time that doubles each time.

    The whole of it is random ("full jitter"), so that transactions that hindered each other do not meet again:
    https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    """

    base_s: float = 0.05
    cap_s: float = 2.0
    chance: Callable[[], float] = random.random
    """Returns a number from 0 to 1."""

    def delay_s(self, failures: int) -> float:
        """Return seconds to wait after so many failures."""
        return self.chance() * min(self.cap_s, self.base_s * 2 ** (failures - 1))


DEFAULT_BACKOFF = Backoff()


class Transactions:
    """Does work in transactions of a manager's engines."""

    def __init__(self, manager: DatabaseManager) -> None:
        self._manager = manager

    def run(
        self, work: Callable[[Session], T], *, retries: int, role: Role, isolation: str | None, backoff: Backoff
    ) -> T:
        """Do work in a transaction."""
        raise NotImplementedError

    async def run_async(
        self,
        work: Callable[[AsyncSession], Awaitable[T]],
        *,
        retries: int,
        role: Role,
        isolation: str | None,
        backoff: Backoff,
    ) -> T:
        """Do work in a transaction."""
        raise NotImplementedError
