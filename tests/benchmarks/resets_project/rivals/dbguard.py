"""dbguard by its public fixtures."""

from __future__ import annotations

import pytest
from models import Base


@pytest.fixture(scope="session")
def dbguard_metadata():
    return Base.metadata


@pytest.fixture
def session(dbguard_session):
    return dbguard_session
