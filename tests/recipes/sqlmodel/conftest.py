"""What the shop adds for its tests: its tables, a product, and both of its engines on one database."""

import pytest
from fastapi.testclient import TestClient
from shop import Product, app, engine, replica
from sqlmodel import SQLModel


@pytest.fixture(scope="session")
def dbguard_metadata():
    return SQLModel.metadata


@pytest.fixture(scope="session")
def dbguard_seed():
    return lambda session: session.add(Product(name="Tea"))


@pytest.fixture(scope="session", autouse=True)
def test_database(dbguard_bind):
    dbguard_bind(engine)
    dbguard_bind(replica, role="readonly")


@pytest.fixture
def client():
    return TestClient(app)
