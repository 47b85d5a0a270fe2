"""Leads engines that exist already to the test's database, whatever URL they were made with, and back again."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, Engine, event

from pytest_dbguard.core.errors import DatabaseError
from pytest_dbguard.databases.base import Database
from pytest_dbguard.databases.engines import Role, forbid_writes
from pytest_dbguard.databases.event_loops import daemonic, follow_loop
from pytest_dbguard.resets.connections import Connections

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect
    from sqlalchemy.ext.asyncio import AsyncEngine

_ADDRESS = frozenset(
    (
        "host",
        "hostaddr",
        "port",
        "dbname",
        "database",
        "user",
        "username",
        "password",
        "passfile",
        "passwd",
        "service",
        "servicefile",
        "dsn",
        "unix_sock",
        "sslmode",
        "sslrootcert",
        "sslcert",
        "sslkey",
        "sslcrl",
        "sslcrldir",
        "sslnegotiation",
        "ssl",
        "ssl_context",
        "direct_tls",
        "requiressl",
        "channel_binding",
        "require_auth",
        "gssencmode",
        "target_session_attrs",
        "load_balance_hosts",
        "krbsrvname",
        "uri",
        "check_same_thread",
        "async_creator_fn",
        "async_fallback",
    )
)
"""Arguments of drivers that say where to connect and who one is there; all others are kept."""
_SQLITE_DRIVERS = {"pysqlite": "sqlite", "aiosqlite": "sqlite+aiosqlite"}


@dataclass(slots=True, eq=False)
class Bound:
    """An engine that leads to the test's database."""

    engine: Engine
    role: Role
    undo: list[Callable[[], Any]] = field(default_factory=list)

    @property
    def is_async(self) -> bool:
        """Whether it belongs to an asynchronous engine."""
        return bool(self.engine.dialect.is_async)


class EngineRouter:
    """The engines that lead to one database."""

    def __init__(self, database: Database, connections: Connections) -> None:
        self._database = database
        self.connections = connections
        self._bound: dict[int, Bound] = {}
        self.on_bind: Callable[[Bound], None] | None = None
        """Called with each engine that is bound from now on."""
        self.on_unbind: Callable[[Bound], None] | None = None
        """Called with each engine before it leads elsewhere, or comes by another role."""
        self.on_gone: Callable[[Bound], None] | None = None
        """Called with each engine that is unbound before the others."""

    def bind(self, engine: Engine | AsyncEngine, role: Role = "primary") -> None:
        """Lead an engine to the database; what it has open elsewhere is closed. Binding twice is allowed.

        Args:
            engine: An engine with any URL of the same kind of database; its other arguments stay as they are.
            role: "readonly" and "analytics" engines cannot write, as in production.

        Raises:
            DatabaseError: When it is made for another kind of database.
        """
        target = _root(engine)
        self._check_family(target)
        if (known := self._bound.get(id(target))) is not None:
            if known.role == role:
                return
            self._undo(known)
        bound = self._bound[id(target)] = Bound(target, role)
        bound.undo.append(self._reroute(target))
        bound.undo.append(follow_loop(target))
        if role != "primary":
            event.listen(target, "connect", forbid_writes)
            bound.undo.append(lambda: event.remove(target, "connect", forbid_writes))
        replace_connections(target)
        if self.on_bind is not None:
            self.on_bind(bound)

    def engines(self) -> tuple[Bound, ...]:
        """Return what is bound."""
        return tuple(self._bound.values())

    def unbind(self, engine: Engine | AsyncEngine) -> None:
        """Let one engine lead where it led before, and forget it; nothing where it is not bound."""
        bound = self._bound.get(id(_root(engine)))
        if bound is not None:
            self._undo(bound)
            if self.on_gone is not None:
                self.on_gone(bound)

    def unbind_all(self) -> None:
        """Let all engines lead where they led before."""
        self.connections.let_go()
        for bound in self.engines():
            self._undo(bound)

    def _undo(self, bound: Bound) -> None:
        if self.on_unbind is not None:
            self.on_unbind(bound)
        self._bound.pop(id(bound.engine), None)
        for undo in reversed(bound.undo):
            undo()
        replace_connections(bound.engine)

    def _check_family(self, engine: Engine) -> None:
        has, wants = self._database.url.get_backend_name(), engine.dialect.name
        if has == wants:
            return
        shown = engine.url.render_as_string(hide_password=True)
        hint = "tests can have PostgreSQL and SQLite only"
        if wants == "postgresql":
            hint = 'set database = "postgres-embedded" in [tool.dbguard], or run with --dbguard-database'
        elif wants == "sqlite":
            hint = 'set database = "sqlite" in [tool.dbguard], or run with --dbguard-database sqlite'
        raise DatabaseError(f"the engine '{shown}' is made for {wants!r}, the tests' database is {has!r}", hint=hint)

    def _reroute(self, engine: Engine) -> Callable[[], None]:
        """Have new connections of an engine lead to the database, by the means that the engine leaves."""
        if getattr(engine.pool._creator, "__module__", "") != "sqlalchemy.engine.create":
            return self._replace_creator(engine)

        def dbguard_connects(dialect: Dialect, _record: Any, _args: list[Any], given: dict[str, Any]) -> Any:
            # changing what is handed over would last: some versions of SQLAlchemy hand the engine's own over
            args, params = self._arguments(dialect, given)
            return dialect.connect(*args, **params)

        event.listen(engine, "do_connect", dbguard_connects)
        return lambda: event.remove(engine, "do_connect", dbguard_connects)

    def _replace_creator(self, engine: Engine) -> Callable[[], None]:
        """Connect in the place of a function that the application connects with."""
        original = engine.pool._creator

        def dbguard_connects() -> Any:
            args, params = self._arguments(engine.dialect, {})
            return engine.dialect.connect(*args, **params)

        def undo() -> None:
            engine.pool._creator = original

        engine.pool._creator = dbguard_connects
        return undo

    def _arguments(self, dialect: Dialect, given: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """Return what the dialect's driver connects with: our address, all else as it was given."""
        args, params = dialect.create_connect_args(address_for(dialect, self._database))
        kept = {name: value for name, value in given.items() if name not in _ADDRESS}
        routed = {**kept, **params}
        if dialect.name == "sqlite":
            routed["check_same_thread"] = False
            routed.update(daemonic() if dialect.driver == "aiosqlite" else {})
        if dialect.driver == "pg8000" and str(routed.get("host", "")).startswith("/"):
            routed["unix_sock"] = f"{routed.pop('host')}/.s.PGSQL.{routed.pop('port', 5432)}"
        return list(args), routed


def address_for(dialect: Dialect, database: Database) -> URL:
    """Return the database's URL for the driver of a dialect."""
    if dialect.name == "sqlite":
        return database.url.set(drivername=_SQLITE_DRIVERS.get(dialect.driver, f"sqlite+{dialect.driver}"))
    return database.url.set(drivername=f"{dialect.name}+{dialect.driver}")


def replace_connections(engine: Engine) -> None:
    """Have all connections of an engine's pool replaced before their next use, without waiting for anything."""
    if not engine.dialect.is_async:
        engine.dispose()
    else:
        # what `Pool` does itself when it learns that its server is gone; a dispose would have to be awaited
        engine.pool._invalidate_time = time.time()
        # the runtime's pools do not look at the wall clock
        if (outdate := getattr(engine.pool, "outdate", None)) is not None:
            outdate()


def _root(engine: Engine | AsyncEngine) -> Engine:
    """Return the engine that has the pool, of one for asyncio or one with other execution options."""
    target: Any = getattr(engine, "sync_engine", engine)
    while hasattr(target, "_proxied"):
        target = target._proxied
    if not isinstance(target, Engine):
        raise DatabaseError(
            f"expected an engine, found {type(engine).__name__!r}", hint="bind takes Engine and AsyncEngine"
        )
    return target
