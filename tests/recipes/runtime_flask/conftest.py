"""What the shop adds for its tests: its tables, a product, and the service in place of the process's own."""

import pytest
from shop import Base, Product, create_app


@pytest.fixture(scope="session")
def dbguard_metadata():
    return Base.metadata


@pytest.fixture(scope="session")
def dbguard_seed():
    return lambda session: session.add(Product(name="Tea"))


@pytest.fixture
def client(dbguard_service):
    return create_app().test_client()
