"""CREATE DATABASE ... TEMPLATE before each test, DROP DATABASE after it."""

from __future__ import annotations

import pytest
from bench_database import maintenance_engine, new_database
from models import Base
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool


@pytest.fixture(scope="session")
def template():
    with new_database() as url:
        engine = create_engine(url, poolclass=NullPool)
        Base.metadata.create_all(engine)
        yield url


@pytest.fixture
def session(template):
    server, name = maintenance_engine(), f"{template.database}_copy"
    with server.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template.database}"))
    engine = create_engine(template.set(database=name))
    with Session(engine) as session:
        yield session
    engine.dispose()
    with server.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name}"))
