"""What the shop adds for its tests: its tables, two products, and its engine, led to the test's database."""

import pytest
from shop import Base, Product, engine


@pytest.fixture(scope="session")
def dbguard_metadata():
    return Base.metadata


@pytest.fixture(scope="session")
def dbguard_seed():
    def seed(session):
        session.add_all([Product(name="Tea"), Product(name="Cup")])

    return seed


@pytest.fixture(scope="session", autouse=True)
def test_database(dbguard_bind):
    dbguard_bind(engine)
