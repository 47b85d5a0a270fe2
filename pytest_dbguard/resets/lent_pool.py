"""A pool that lends one connection to everybody who asks, for the time of a test."""

from __future__ import annotations

import time
from typing import Any, NoReturn

from sqlalchemy import Engine
from sqlalchemy.pool import Pool
from sqlalchemy.pool.base import _ConnectionRecord

from pytest_dbguard.core.errors import DatabaseError
from pytest_dbguard.databases.engines import CARED_FOR
from pytest_dbguard.resets.outer_transaction import OuterTransaction


class LentPool(Pool):
    """Stands in for the pool of one engine; the connection is that of an outer transaction.

    Each checkout has a record of its own, by which its transaction is known. Listeners to the engine's pool hear
    what they would hear; "connect" once for each connection.
    """

    is_lent = True

    def __init__(self, engine: Engine, outer: OuterTransaction) -> None:
        original = engine.pool
        super().__init__(
            self._connect,
            dialect=engine.dialect,
            reset_on_return=original._reset_on_return,
            echo=original.echo,
            _dispatch=original.dispatch,
        )
        self._original = original
        self._outer = outer
        self._engine = id(engine)

    @property
    def information(self) -> dict[Any, Any]:
        """What the engine's listeners noted about the connection."""
        return self._outer.known.get(self._engine, {})

    @property
    def commits_by_itself(self) -> bool:
        """Whether the engine was made to commit each statement."""
        return getattr(self._dialect, "_on_connect_isolation_level", None) == "AUTOCOMMIT"

    def meet(self) -> None:
        """Have the engine's listeners prepare the connection, before a transaction begins."""
        if self._engine in self._outer.known or self.commits_by_itself or self._dialect.is_async:
            return
        if not self._outer.is_open:
            _ConnectionRecord(self)
            return
        # Preparing may end a transaction, so that one that came late has to take the connection as it is. Its
        # dialect still has to learn about the server, on a connection of its own.
        self._original.connect().close()
        self._outer.known[self._engine] = next(iter(self._outer.known.values()))

    def status(self) -> str:
        """Return what this is."""
        return "LentPool"

    def dispose(self) -> None:
        """Do nothing: the connection is not the engine's."""

    def recreate(self) -> LentPool:
        """Return itself: an engine that is disposed of in a test goes on in the test's transaction."""
        return self

    def _connect(self, rec: Any) -> Any:
        """Return the connection, which is opened by the first engine that needs it, in the engine's own way."""
        # the transaction of each user cares for what an engine may do: the connection is everybody's
        rec.info[CARED_FOR] = True
        is_new = self._outer.connection is None
        if is_new:
            connection = self._original._invoke_creator(rec)
            self._outer.adopt(connection, self._dialect.get_driver_connection(connection))
        self._outer.known[self._engine] = rec.info
        if is_new:
            for meet in self._outer.borrowers:
                meet()
        return self._outer.connection

    def _do_get(self) -> Any:
        if self.commits_by_itself:
            refuse_isolation_level("AUTOCOMMIT")
        record = _ConnectionRecord(self, connect=False)
        info = self._outer.known.get(self._engine)
        if info is not None:
            record.dbapi_connection = self._outer.connection
            record.starttime = time.time()
            record.__dict__["info"] = info
        return record

    def _do_return_conn(self, record: Any) -> None:
        pass

    def _close_connection(self, connection: Any, *, terminate: bool = False) -> None:
        """Close a connection that was invalidated; what is only given back stays."""
        if not terminate and connection is self._outer.connection:
            return
        if connection is self._outer.connection:
            self._outer.forget()
        super()._close_connection(connection, terminate=terminate)


def refuse_isolation_level(level: object) -> NoReturn:
    """Say that a connection that is rolled back cannot have another isolation level."""
    raise DatabaseError(
        f"the isolation level of a connection that is rolled back after the test cannot become {level!r}",
        hint='use @pytest.mark.dbguard(reset="committed") for this test',
    )
