"""The shop's tables and data on dbguard's database, which the application's requests use too."""

from __future__ import annotations

import factories
import pytest
from fastapi.testclient import TestClient
from shop.database import get_async_session, get_session
from shop.models import Base
from shop.web.app import app


@pytest.fixture(scope="session")
def dbguard_metadata():
    return Base.metadata


@pytest.fixture(scope="session")
def dbguard_seed():
    return factories.seed


@pytest.fixture
def session(dbguard_session):
    return dbguard_session


@pytest.fixture
def client(dbguard_sessionmaker):
    """A client of the application; each request has a session of its own."""

    def session_of_request():
        with dbguard_sessionmaker() as session:
            yield session

    app.dependency_overrides[get_session] = session_of_request
    yield TestClient(app)
    app.dependency_overrides.clear()


@pytest.fixture
def async_app(dbguard_async_session):
    app.dependency_overrides[get_async_session] = lambda: dbguard_async_session
    yield app
    app.dependency_overrides.clear()
