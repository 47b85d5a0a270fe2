"""What the script adds for its tests: its table, three carts, and the service in place of the process's own."""

import pytest
from tables import Base, Cart


@pytest.fixture(scope="session")
def dbguard_metadata():
    return Base.metadata


@pytest.fixture(scope="session")
def dbguard_seed():
    return lambda session: session.add_all([Cart(age_in_days=days) for days in (3, 60, 61)])


@pytest.fixture(autouse=True)
def service(dbguard_service):
    return dbguard_service
