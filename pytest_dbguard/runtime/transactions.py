"""Whole transactions, done again where that is safe."""

from __future__ import annotations

import inspect
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from pytest_dbguard.databases.engines import Role
from pytest_dbguard.runtime.clock import pause
from pytest_dbguard.runtime.commit_watch import Commits, counted_commits, is_unknown
from pytest_dbguard.runtime.errors import RuntimeFault, UnknownOutcome
from pytest_dbguard.runtime.failover import was_attempt
from pytest_dbguard.runtime.sqlstates import causes, is_conflict

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession
    from sqlalchemy.orm import Session

    from pytest_dbguard.runtime.role_access import RoleAccess

T = TypeVar("T")
_AUTOCOMMIT = "AUTOCOMMIT"


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
        return self.chance() * min(self.cap_s, self.base_s * 2.0 ** (failures - 1))


DEFAULT_BACKOFF = Backoff()


class Transactions:
    """Does work in transactions of a manager's engines, each time in a session of its own.

    Work is done again when its transaction certainly did not happen and would likely succeed now: it lost against
    another one (40001, 40P01, SQLite's "database is locked"), its connection broke before COMMIT was sent, or none
    could be opened. Other errors are raised as they are. So work must have no effects outside of its transaction that
    may not happen twice. Work that commits something by itself, on any engine of the manager, is not done again from
    then on.
    """

    def __init__(self, manager: RoleAccess) -> None:
        self._manager = manager

    def run(
        self, work: Callable[[Session], T], *, retries: int, role: Role, isolation: str | None, backoff: Backoff
    ) -> T:
        """Do work, commit, and return what it returned.

        Raises:
            UnknownOutcome: When the connection broke while COMMIT was under way.
            RuntimeFault: Where each statement would commit by itself, or the work is asynchronous.
        """
        failures = 0
        while True:
            session = self._manager.session(role)
            _refuse_autocommit(session.get_bind(), isolation)
            try:
                with counted_commits() as commits, session:
                    if isolation is not None:
                        session.connection(execution_options={"isolation_level": isolation})
                    result = work(session)
                    _refuse_coroutine(result)
                    session.commit()
                    return result
            except Exception as error:  # noqa: BLE001  raised again, unless it says that doing it again helps
                failures += 1
                if failures > retries or not _may_be_repeated(error, commits):
                    _give_up(error, failures)
            self._manager.clock.sleep(backoff.delay_s(failures))

    async def run_async(
        self,
        work: Callable[[AsyncSession], Awaitable[T]],
        *,
        retries: int,
        role: Role,
        isolation: str | None,
        backoff: Backoff,
    ) -> T:
        """Do asynchronous work, commit, and return what it returned; errors as in `run`.

        A task that is cancelled ends as tasks do, and its transaction is rolled back; unless COMMIT was under way.
        """
        failures = 0
        while True:
            session = self._manager.async_session(role)
            _refuse_autocommit(session.get_bind(), isolation)
            try:
                with counted_commits() as commits:
                    async with session:
                        if isolation is not None:
                            await session.connection(execution_options={"isolation_level": isolation})
                        result = await work(session)
                        await session.commit()
                        return result
            except Exception as error:  # noqa: BLE001  raised again, unless it says that doing it again helps
                failures += 1
                if failures > retries or not _may_be_repeated(error, commits):
                    _give_up(error, failures)
            await pause(self._manager.clock, backoff.delay_s(failures))


def _may_be_repeated(error: Exception, commits: Commits) -> bool:
    """Whether nothing has happened, and doing it again would likely succeed."""
    if commits.number or is_unknown(error):
        return False
    return was_attempt(error) or any(is_conflict(each) or _is_broken(each) for each in causes(error))


def _is_broken(error: BaseException) -> bool:
    return isinstance(error, DBAPIError) and error.connection_invalidated


def _give_up(error: Exception, failures: int) -> NoReturn:
    if is_unknown(error):
        raise UnknownOutcome(
            "the connection broke while COMMIT was under way: the transaction may have happened, or not",
            hint="look for what it was to write before you do it again",
        ) from error
    if failures > 1:
        error.add_note(f"the transaction was tried {failures} times")
    raise error


def _refuse_coroutine(result: object) -> None:
    if inspect.iscoroutine(result):
        result.close()
        raise RuntimeFault(
            "the work is asynchronous: nothing of it has been done", hint="await run_async() in place of run()"
        )


def _refuse_autocommit(engine: Any, isolation: str | None) -> None:
    assert isinstance(engine, Engine)
    of_engine: Any = engine.get_execution_options().get("isolation_level") or engine.dialect._on_connect_isolation_level
    if str(isolation or of_engine).upper() == _AUTOCOMMIT:
        raise RuntimeFault(
            "nothing can be done again where each statement commits by itself",
            hint="pass isolation= to run(), or set an isolation other than 'AUTOCOMMIT' for the role",
        )
