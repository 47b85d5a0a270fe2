"""An engine with a table, and what counts its statements."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine
from sqlalchemy.pool import StaticPool

from pytest_dbguard.runtime.events import Events
from pytest_dbguard.runtime.statistics import StatementStatistics
from tests.runtime.statistics.statements import USERS


@pytest.fixture
def engine():
    engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    USERS.metadata.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def events():
    return Events()


@pytest.fixture
def statistics(engine, events):
    statistics = StatementStatistics(events)
    statistics.attach(engine, "primary", "primary")
    yield statistics
    assert statistics.faults == 0
