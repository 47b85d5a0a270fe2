"""What the shop adds for its tests: its table, a product, and the service in place of the process's own."""

import pytest
from shop import Base, Product


@pytest.fixture(scope="session")
def dbguard_metadata():
    return Base.metadata


@pytest.fixture(scope="session")
def dbguard_seed():
    return lambda session: session.add(Product(name="Tea", stock=2))


@pytest.fixture(autouse=True)
def service(dbguard_service):
    return dbguard_service
