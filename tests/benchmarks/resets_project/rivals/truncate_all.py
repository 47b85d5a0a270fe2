"""One TRUNCATE of all tables after each test."""

from __future__ import annotations

import pytest
from bench_database import empty_engine, engine  # noqa: F401
from models import Base
from sqlalchemy import text
from sqlalchemy.orm import Session


@pytest.fixture
def session(engine):  # noqa: F811
    with Session(engine) as session:
        yield session
    with engine.begin() as connection:
        names = ", ".join(Base.metadata.tables)
        connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))
