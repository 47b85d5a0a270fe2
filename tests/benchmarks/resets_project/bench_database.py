"""Databases for the rivals that make their own: on the server at BENCH_URL, or SQLite in memory."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from models import Base
from sqlalchemy import URL, Engine, create_engine, event, make_url, text
from sqlalchemy.pool import NullPool, StaticPool


def maintenance_engine() -> Engine:
    return create_engine(os.environ["BENCH_URL"], poolclass=NullPool, isolation_level="AUTOCOMMIT")


@contextmanager
def new_database() -> Iterator[URL]:
    """Give the address of a new, empty database."""
    name = f"bench_{uuid.uuid4().hex[:12]}"
    server = maintenance_engine()
    with server.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield make_url(os.environ["BENCH_URL"]).set(database=name)
    with server.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


def sqlite_engine() -> Engine:
    """Return an engine on a new database in memory, with transactions that hold savepoints (SQLAlchemy's recipe)."""
    engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})

    @event.listens_for(engine, "connect")
    def leave_transactions_alone(connection: object, record: object) -> None:
        connection.isolation_level = None  # type: ignore[attr-defined]

    @event.listens_for(engine, "begin")
    def begin(connection: object) -> None:
        connection.exec_driver_sql("BEGIN")  # type: ignore[attr-defined]

    return engine


@pytest.fixture(scope="session")
def empty_engine() -> Iterator[Engine]:
    """An engine on a database without tables, for the whole session."""
    if os.environ["BENCH_URL"].startswith("sqlite"):
        yield sqlite_engine()
        return
    with new_database() as url:
        engine = create_engine(url)
        yield engine
        engine.dispose()


@pytest.fixture(scope="session")
def engine(empty_engine: Engine) -> Engine:
    """The same with all tables."""
    Base.metadata.create_all(empty_engine)
    return empty_engine
