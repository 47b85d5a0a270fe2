"""What the shop adds for its tests: its tables, two products, and the service in place of the process's own."""

import pytest
from fastapi.testclient import TestClient
from shop import Base, Product, app


@pytest.fixture(scope="session")
def dbguard_metadata():
    return Base.metadata


@pytest.fixture(scope="session")
def dbguard_seed():
    def seed(session):
        session.add_all([Product(name="Tea", stock=5), Product(name="Cup", stock=5)])

    return seed


@pytest.fixture
def client(dbguard_service):
    with TestClient(app) as client:
        yield client
