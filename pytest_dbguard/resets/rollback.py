"""The reset "rollback": a test runs in one transaction, which is rolled back after it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from sqlalchemy import Engine, event
from sqlalchemy.pool import Pool

from pytest_dbguard.resets.base import Cleaner, Did, Outcome
from pytest_dbguard.resets.lent_pool import LentPool, refuse_isolation_level
from pytest_dbguard.resets.outer_transaction import OuterTransaction
from pytest_dbguard.resets.routing import Bound, EngineRouter

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect

_APART = (
    "several connections were used that cannot share a transaction (of two asynchronous engines, of a synchronous and"
    " an asynchronous one, or of two drivers): in a test that is rolled back they do not see each other's changes;"
    ' @pytest.mark.dbguard(reset="committed") lets them'
)
_READS = re.compile(
    r"\s*(?:SELECT|SHOW|EXPLAIN|VALUES|TABLE|PRAGMA|SET|RESET|SAVEPOINT|RELEASE|ROLLBACK)\b", re.IGNORECASE
)
_NO_ENGINE = 0
"""The `id` of none."""
_DIALECT_METHODS = ("do_begin", "do_commit", "do_rollback", "set_isolation_level")


@dataclass(slots=True, eq=False)
class _Lending:
    """An engine while a test runs, and what it was before."""

    bound: Bound
    outer: OuterTransaction
    original: Pool
    pool: LentPool
    methods: dict[str, Any] = field(default_factory=dict)


class Rollback:
    """Puts all engines of the test's database on one connection, each asynchronous one on its own."""

    name: ClassVar[str] = "rollback"

    def __init__(self, cleaner: Cleaner, router: EngineRouter) -> None:
        self._cleaner = cleaner
        self._router = router
        self._outers: dict[Any, OuterTransaction] = {}
        self._lent: dict[int, _Lending] = {}
        self._heard: dict[int, list[tuple[Engine, str, Any]]] = {}
        self._times_let_go = router.connections.times_let_go
        router.on_gone = self._forget

    def begin(self) -> None:
        """Put the engines on connections that are rolled back; those that are bound from now on as well."""
        if self._times_let_go != self._router.connections.times_let_go:
            self._times_let_go = self._router.connections.times_let_go
            self._close_outers()
        for bound in self._router.engines():
            self._lend(bound)
        self._router.on_bind, self._router.on_unbind = self._lend, self._release

    def make_permanent(self) -> bool:
        """Commit what the test has committed, for who wants to look at it; False where a driver does not allow it."""
        return all([outer.make_permanent() for outer in self._outers.values()])  # noqa: C419  each of them

    def end(self) -> Outcome:
        """Roll back, give the engines their own pools again, and clean up what was committed elsewhere."""
        self._router.on_bind = self._router.on_unbind = None
        used = [outer for outer in self._outers.values() if outer.was_used]
        leaks = self._router.connections.end_leaks()
        # what is left open was not committed
        refused = [found for outer in used if not leaks and (found := outer.check()) is not None]
        for key, outer in list(self._outers.items()):
            self._end(key, outer, unfinished=bool(leaks))
        for lending in list(self._lent.values()):
            self._give_back(lending)
        cleaned = self._cleaner.clean()
        warnings = [_refused(what) for what in refused] + [text for outer in used for text in outer.warnings]
        warnings += [_APART] if len(used) > 1 else []
        if cleaned.dirty:
            warnings.append(f"a connection that is not rolled back changed {', '.join(cleaned.dirty)}")
        for outer in used:
            outer.was_used = outer.has_written = False
            outer.warnings.clear()
        did = Did.ROLLED_BACK if used and cleaned.did is Did.NOTHING else cleaned.did
        return replace(
            cleaned,
            did=did,
            leaks=tuple(dict.fromkeys((*leaks, *cleaned.leaks))),
            warnings=(*warnings, *cleaned.warnings),
        )

    def close(self) -> None:
        """Close the connections and let the engines alone."""
        self._router.on_bind = self._router.on_unbind = self._router.on_gone = None
        for lending in list(self._lent.values()):
            self._give_back(lending)
        self._close_outers()
        for key in list(self._heard):
            self._hear_no_more(key)

    def _close_outers(self) -> None:
        for outer in self._outers.values():
            outer.close()
        self._outers.clear()

    def _end(self, key: Any, outer: OuterTransaction, *, unfinished: bool) -> None:
        outer.end(unfinished=unfinished)
        pools = [lending.pool for lending in self._lent.values() if lending.outer is outer]
        if any(self._router.connections.is_altered(pool.information) for pool in pools):
            # variables, locks and listeners of a session outlive its transaction
            outer.close()
        if outer.connection is None:
            del self._outers[key]

    def _lend(self, bound: Bound) -> None:
        engine = bound.engine
        key = id(engine) if bound.is_async else engine.dialect.driver
        outer = self._outers.get(key)
        if outer is None:
            outer = self._outers[key] = OuterTransaction(engine.dialect)
        lending = _Lending(bound, outer, engine.pool, LentPool(engine, outer))
        self._lent[id(engine)] = lending
        if outer.is_open:
            # before its dialect is changed
            lending.pool.meet()
        outer.borrowers.append(lending.pool.meet)
        engine.pool = lending.pool
        self._redirect(engine.dialect, lending)
        self._hear(engine)
        if outer.connection is not None:
            lending.pool.meet()

    def _hear(self, engine: Engine) -> None:
        if id(engine) in self._heard:
            return
        heard: list[tuple[Engine, str, Any]] = [(engine, "after_cursor_execute", partial(self._executed, id(engine)))]
        if engine.dialect.name == "sqlite":
            # the mending of SQLite's driver that SQLAlchemy's documentation shows begins transactions by statement
            begins = partial(self._begins, id(engine))
            heard += [(engine, "do_execute", begins), (engine, "do_execute_no_params", begins)]
        for listener in heard:
            event.listen(*listener)
        self._heard[id(engine)] = heard

    def _hear_no_more(self, key: int) -> None:
        for listener in self._heard.pop(key, ()):
            event.remove(*listener)

    def _forget(self, bound: Bound) -> None:
        """Keep nothing of an engine that has gone: another one may come to have its `id`."""
        key = id(bound.engine)
        self._hear_no_more(key)
        if (own := self._outers.pop(key, None)) is not None:
            own.close()
        for outer in self._outers.values():
            if key in outer.known:
                # an engine that comes late takes over what another one has noted
                outer.known[_NO_ENGINE] = outer.known.pop(key)

    def _begins(self, engine: int, cursor: Any, statement: str, *_: Any) -> bool | None:
        """Swallow a BEGIN inside the outer transaction."""
        return (engine in self._lent and statement.lstrip()[:5].upper() == "BEGIN") or None

    def _executed(
        self, engine: int, conn: Any, cursor: Any, statement: str, parameters: Any, context: Any, executemany: bool
    ) -> None:
        lending = self._lent.get(engine)
        proxy = conn._dbapi_connection
        if lending is not None and proxy is not None and (context is None or not _READS.match(statement)):
            lending.outer.wrote(proxy._connection_record)

    def _redirect(self, dialect: Dialect, lending: _Lending) -> None:
        """Put BEGIN, COMMIT and ROLLBACK of an engine a level down."""
        outer, is_read_only = lending.outer, lending.bound.role != "primary"
        commit, rollback, set_level = dialect.do_commit, dialect.do_rollback, dialect.set_isolation_level

        def do_begin(dbapi_connection: Any) -> None:
            outer.begin(dbapi_connection._connection_record, is_read_only=is_read_only)

        def do_commit(dbapi_connection: Any) -> None:
            if outer.is_open:
                outer.commit(dbapi_connection._connection_record)
            else:
                commit(dbapi_connection)

        def do_rollback(dbapi_connection: Any) -> None:
            if outer.is_open:
                outer.rollback(dbapi_connection._connection_record)
            else:
                rollback(dbapi_connection)

        def set_isolation_level(dbapi_connection: Any, level: Any) -> None:
            if outer.is_open or level == "AUTOCOMMIT":
                refuse_isolation_level(level)
            # a new connection, prepared as the engine was made to
            set_level(dbapi_connection, level)

        replacements = (do_begin, do_commit, do_rollback, set_isolation_level)
        for name, method in zip(_DIALECT_METHODS, replacements, strict=True):
            if name in vars(dialect):
                lending.methods[name] = vars(dialect)[name]
            setattr(dialect, name, method)

    def _release(self, bound: Bound) -> None:
        if id(bound.engine) in self._lent:
            self._give_back(self._lent[id(bound.engine)])

    def _give_back(self, lending: _Lending) -> None:
        engine = lending.bound.engine
        engine.pool = lending.original
        lending.outer.borrowers.remove(lending.pool.meet)
        for name in _DIALECT_METHODS:
            if name in lending.methods:
                setattr(engine.dialect, name, lending.methods[name])
            else:
                delattr(engine.dialect, name)
        del self._lent[id(engine)]


def _refused(what: str) -> str:
    return f"COMMIT would have failed: {what} is checked at the end of a transaction, and this one was rolled back"
