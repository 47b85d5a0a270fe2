"""What the shop adds for its tests: its tables, its engine, and a new session and new numbers for each test."""

import pytest
from factories import CustomerFactory
from shop import Base, Session, engine


@pytest.fixture(scope="session")
def dbguard_metadata():
    return Base.metadata


@pytest.fixture(scope="session", autouse=True)
def test_database(dbguard_bind):
    dbguard_bind(engine)


@pytest.fixture(autouse=True)
def new_session():
    CustomerFactory.reset_sequence(1)
    yield
    Session.remove()
