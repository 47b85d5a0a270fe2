"""SQLAlchemy's recipe: the test inside an outer transaction, its commits are savepoints."""

from __future__ import annotations

import pytest
from bench_database import empty_engine, engine  # noqa: F401
from sqlalchemy.orm import Session


@pytest.fixture
def session(engine):  # noqa: F811
    with engine.connect() as connection:
        outer = connection.begin()
        with Session(connection, join_transaction_mode="create_savepoint") as session:
            yield session
        outer.rollback()
