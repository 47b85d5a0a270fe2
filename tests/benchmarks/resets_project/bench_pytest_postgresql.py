"""What pytest-postgresql needs, whoever starts its server: `load` fills its template, each test gets a copy."""

from __future__ import annotations

import pytest
from models import Base
from pytest_postgresql import factories
from sqlalchemy import URL, create_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

postgresql = factories.postgresql("server")


def url_of(host, port, user, dbname):
    return URL.create("postgresql+psycopg", user, database=dbname, query={"host": str(host), "port": str(port)})


def load_tables(host, port, user, dbname, **_):
    Base.metadata.create_all(create_engine(url_of(host, port, user, dbname), poolclass=NullPool))


@pytest.fixture
def session(postgresql):
    info = postgresql.info
    engine = create_engine(url_of(info.host, info.port, info.user, info.dbname), poolclass=NullPool)
    with Session(engine) as session:
        yield session
