"""create_all before each test, drop_all after it."""

from __future__ import annotations

import pytest
from bench_database import empty_engine  # noqa: F401
from models import Base
from sqlalchemy.orm import Session


@pytest.fixture
def session(empty_engine):  # noqa: F811
    Base.metadata.create_all(empty_engine)
    with Session(empty_engine) as session:
        yield session
    Base.metadata.drop_all(empty_engine)
