"""testcontainers' own PostgresContainer, with all tables made once."""

from __future__ import annotations

import os

import pytest
from models import Base
from sqlalchemy import create_engine
from sqlalchemy.orm import Session


@pytest.fixture(scope="session")
def server():
    from testcontainers.community.postgres import PostgresContainer

    with PostgresContainer(os.environ["BENCH_IMAGE"], driver="psycopg") as container:
        yield container.get_connection_url()


@pytest.fixture(scope="session")
def engine(server):
    engine = create_engine(server)
    Base.metadata.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def session(engine):
    with Session(engine) as session:
        yield session
