"""A lab of the shop on PostgreSQL, and one on SQLite, that the tests of advice share."""

from __future__ import annotations

import pytest

from pytest_dbguard.planning.lab.registry import LabOptions, open_lab
from pytest_dbguard.planning.lab.sqlite_lab import SqliteLab
from tests.planning.lab.conftest import programs, servers, shops  # noqa: F401  fixtures
from tests.planning.lab.shop_of_postgres import statistics_of
from tests.planning.lab.shop_of_sqlite import catalog, statistics


@pytest.fixture(scope="session")
def postgres(shops):  # noqa: F811
    """A forged lab of the shop on PostgreSQL 18; tests leave it as it is."""
    server, shop = shops(18)
    choice = open_lab(
        shop,
        statistics_of(shop, customers=1_000_000, orders=10_000_000, order_items=30_000_000),
        LabOptions(server=server),
    )
    assert choice.lab is not None, choice
    yield choice.lab
    choice.lab.close()


@pytest.fixture
def sqlite():
    """A lab of the shop on SQLite."""
    lab = SqliteLab(catalog(), statistics())
    yield lab
    lab.close()
