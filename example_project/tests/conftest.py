"""The shop's tables and data on dbguard's database; the application on the test's own connection."""

from __future__ import annotations

import factories
import pytest
from fastapi.testclient import TestClient
from shop.models import Base
from shop.web.app import app, get_async_session, get_session
from sqlalchemy.orm import Session


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
def client(dbguard_connection):
    """A client of the application; each request has a session of its own on the test's connection."""

    def session_of_request():
        with Session(dbguard_connection, join_transaction_mode="create_savepoint") as session:
            yield session

    app.dependency_overrides[get_session] = session_of_request
    yield TestClient(app)
    app.dependency_overrides.clear()


@pytest.fixture
def async_app(dbguard_async_session):
    app.dependency_overrides[get_async_session] = lambda: dbguard_async_session
    yield app
    app.dependency_overrides.clear()
