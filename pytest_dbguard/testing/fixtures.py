"""What the database fixtures do: a database a process, one engine on it, a rolled back connection a test."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Connection, Engine, MetaData
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool

from pytest_dbguard.core.errors import DatabaseError, DbguardError
from pytest_dbguard.databases.base import Database
from pytest_dbguard.databases.engines import make_engine
from pytest_dbguard.databases.registry import Choice, can_start, choose
from pytest_dbguard.resets.outer_transaction import OuterTransaction
from pytest_dbguard.testing.settings import config_for

if TYPE_CHECKING:
    from sqlalchemy import URL

    from pytest_dbguard.databases.postgres_server import PostgresServer

WORKER_URL = "dbguard_server_url"
_DATABASE = pytest.StashKey[Database]()
_FAILURE = pytest.StashKey[DbguardError]()
_SERVER: pytest.StashKey[PostgresServer] = pytest.StashKey()


def choice_for(config: pytest.Config) -> Choice:
    """Return the provider that this run is configured for, with the reasons."""
    settings = config_for(config)
    if settings.environment.url is not None and settings.database is None:
        raise DatabaseError(
            f"[tool.dbguard.env.{settings.env}] url: the fixtures cannot use a given database yet",
            hint='set database = "sqlite" or "postgres-embedded" there',
        )
    return choose(settings.database, settings.sources["database"])


def database(config: pytest.Config) -> Database:
    """Return this process's database, started at the first call and closed at the end of the run.

    Raises:
        DatabaseError: The same one at every call, when it does not start.
    """
    if _FAILURE in config.stash:
        raise config.stash[_FAILURE]
    if _DATABASE not in config.stash:
        try:
            started = _start(config)
        except DbguardError as error:
            config.stash[_FAILURE] = error
            raise
        config.stash[_DATABASE] = started
        config.add_cleanup(started.close)
    return config.stash[_DATABASE]


def _start(config: pytest.Config) -> Database:
    provider = choice_for(config).provider
    worker = getattr(config, "workerinput", {})
    if WORKER_URL in worker:
        from sqlalchemy import make_url

        from pytest_dbguard.databases.postgres_database import create_database

        return create_database(provider.kind, make_url(worker[WORKER_URL]), f"dbguard_{worker['workerid']}", None)
    can_start(provider)
    return provider.start()


def server_for_workers(config: pytest.Config) -> URL | None:
    """Return the one server for all workers of pytest-xdist; None where each worker starts its own database.

    Raises:
        DatabaseError: When it does not start.
    """
    from pytest_dbguard.databases.embedded_postgres import EmbeddedPostgresProvider

    if _SERVER not in config.stash:
        provider = choice_for(config).provider
        if not isinstance(provider, EmbeddedPostgresProvider):
            return None
        config.stash[_SERVER] = server = provider.start_server()
        config.add_cleanup(server.stop)
    return config.stash[_SERVER].url


def engine(
    database: Database, metadata: object, seed: Callable[[Session], object] | None
) -> Generator[Engine, None, None]:
    """Yield an engine on the database, after making its tables and its seed data."""
    made = make_engine(database)
    try:
        for tables in _metadata(metadata):
            tables.create_all(made)
        if seed is not None:
            if not callable(seed):
                raise DatabaseError(
                    f"the fixture 'dbguard_seed' returned {type(seed).__name__!r}",
                    hint="return a function that takes a Session, or None",
                )
            with Session(made) as session:
                seed(session)
                session.commit()
        yield made
    finally:
        made.dispose()


def _metadata(value: object) -> list[MetaData]:
    """Return the MetaData of what a project's `dbguard_metadata` returns: one, a declarative base, or several."""
    value = getattr(value, "metadata", value)
    if value is None:
        return []
    if isinstance(value, MetaData):
        return [value]
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [tables for one in value for tables in _metadata(one)]
    raise DatabaseError(
        f"the fixture 'dbguard_metadata' returned {type(value).__name__!r}",
        hint="return a MetaData, a declarative base, a list of them, or None",
    )


class Isolation:
    """The one connection that tests of a process use in turn, each inside a transaction that is rolled back."""

    def __init__(self, database: Database) -> None:
        self._engine = make_engine(database, poolclass=StaticPool, pool_reset_on_return=None)
        self._outer = OuterTransaction(self._engine)

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Give the connection to a test."""
        connection = self._engine.connect()
        try:
            self._outer.open(connection)
            yield connection
        finally:
            connection.close()
            self._roll_back()

    def _roll_back(self) -> None:
        try:
            with self._engine.connect() as connection:
                self._outer.close(connection)
        except BaseException:
            self._engine.dispose()  # a connection that cannot be rolled back is no good for the next test
            raise

    def close(self) -> None:
        """Close the connection."""
        self._engine.dispose()


def session(connection: Connection) -> Iterator[Session]:
    """Yield a session on a test's connection; code under test may commit and roll back as it likes."""
    made = Session(bind=connection, join_transaction_mode="create_savepoint")
    try:
        yield made
    finally:
        made.close()


@contextmanager
def without_traceback() -> Iterator[None]:
    """Turn our errors into a failure of the fixture that shows the message only."""
    try:
        yield
    except DbguardError as error:
        message = f"dbguard: {error}"
    except pytest.UsageError as error:
        message = str(error)
    else:
        return
    pytest.fail(message, pytrace=False)


@contextmanager
def as_usage_error() -> Iterator[None]:
    """Turn our errors into pytest's usage error, which ends the run with exit status 4."""
    try:
        yield
    except DbguardError as error:
        raise pytest.UsageError(f"dbguard: {error}") from None
