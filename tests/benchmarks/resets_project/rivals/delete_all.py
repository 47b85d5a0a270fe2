"""A DELETE of each table after each test, children first."""

from __future__ import annotations

import pytest
from bench_database import empty_engine, engine  # noqa: F401
from models import Base
from sqlalchemy.orm import Session


@pytest.fixture
def session(engine):  # noqa: F811
    with Session(engine) as session:
        yield session
    with engine.begin() as connection:
        for table in reversed(Base.metadata.sorted_tables):
            connection.execute(table.delete())
