"""SQLite: a new database in memory with all tables for each test."""

from __future__ import annotations

import pytest
from bench_database import sqlite_engine
from models import Base
from sqlalchemy.orm import Session


@pytest.fixture
def session():
    engine = sqlite_engine()
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        yield session
    engine.dispose()
