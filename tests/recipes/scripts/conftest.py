"""What the scripts add for their tests: the tables, two carts, and the address where they look for it."""

import pytest
from sqlalchemy import insert
from tables import cart, metadata


@pytest.fixture(scope="session")
def dbguard_metadata():
    return metadata


@pytest.fixture(scope="session")
def dbguard_seed():
    def seed(session):
        session.execute(insert(cart), [{"customer": "Ada", "age_in_days": 3}, {"customer": "Grace", "age_in_days": 60}])

    return seed


@pytest.fixture(autouse=True)
def test_database(dbguard_database, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", dbguard_database.url.render_as_string(hide_password=False))
