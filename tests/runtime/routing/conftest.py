"""A manager with one real replica, and tables with rows on it."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from pytest_dbguard.runtime.routing import RoutingSession, current_position
from tests.runtime.routing.small_manager import Base, Customer, Order, SmallManager, SmallTarget


@pytest.fixture(autouse=True)
def fresh_context():
    """Let no test know what another one has written."""
    before = current_position.set(None)
    yield
    current_position.reset(before)


@pytest.fixture(scope="session")
def tables(postgres, replica):
    """Make the tables once."""
    engine = create_engine(postgres.url, poolclass=NullPool)
    Base.metadata.create_all(engine)
    yield engine
    Base.metadata.drop_all(engine)
    engine.dispose()


@pytest.fixture
def rows(tables, replica):
    """Have one customer with two orders, on primary and on the replica."""
    fill(tables)
    replica.catch_up()


def fill(engine):
    with Session(engine) as session:
        for model in (Order, Customer):
            session.query(model).delete()
        session.add(Customer(id=1, name="one", orders=[Order(id=1), Order(id=2)]))
        session.commit()


@pytest.fixture
def small(postgres, replica, rows):
    """Return a function that makes a manager of primary and one replica; further targets may be given."""
    made = []

    def make(*more, **options):
        targets = (SmallTarget("primary", "primary", postgres.url), SmallTarget("readonly", "readonly-1", replica.url))
        made.append(SmallManager(*targets, *more, **options))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def sqlite(tmp_path):
    """Return a manager whose roles all lead to one file."""
    url = create_engine(f"sqlite:///{tmp_path / 'one.db'}").url
    manager = SmallManager(
        SmallTarget("primary", "primary", url),
        SmallTarget("readonly", "readonly-1", url),
        SmallTarget("analytics", "analytics", url),
    )
    Base.metadata.create_all(manager.engine())
    fill(manager.engine())
    manager.sent.clear()
    yield manager
    manager.close()


@pytest.fixture
def session(sqlite):
    with RoutingSession(sqlite) as session:
        yield session


@pytest.fixture(params=["psycopg", "asyncpg"])
def async_driver(request):
    return request.param
