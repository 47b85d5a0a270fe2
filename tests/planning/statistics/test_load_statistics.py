"""What is known of production: a file, the settings, both, or nothing."""

from __future__ import annotations

import pytest

from pytest_dbguard.core.errors import ConfigError
from pytest_dbguard.planning.statistics.file import write_statistics
from pytest_dbguard.planning.statistics.load import load_statistics
from pytest_dbguard.planning.statistics.model import Origin, Statistics, TableStatistics

FILE = Statistics(
    (TableStatistics("public", "orders", 5, origin=Origin.PRODUCTION),), taken_at="2026-11-01", dialect="postgresql"
)


def test_nothing_is_known(tmp_path):
    assert load_statistics(tmp_path) == Statistics()


def test_declared_sizes_alone(tmp_path):
    found = load_statistics(tmp_path, scale={"orders": 7, "default": 9})
    assert (found.source, found.table("orders").rows, found.default_rows) == ("[tool.dbguard.scale]", 7, 9)


def test_the_default_file_is_used_where_it_stands(tmp_path):
    write_statistics(tmp_path / "dbguard-stats.json", FILE)
    found = load_statistics(tmp_path)
    assert (found.origin, found.source) == (Origin.PRODUCTION, "dbguard-stats.json of 2026-11-01")


def test_declared_sizes_go_over_a_file(tmp_path):
    write_statistics(tmp_path / "statistics" / "prod.json", FILE)
    found = load_statistics(tmp_path, path="statistics/prod.json", scale={"orders": 7, "items": 8})
    assert {each.name: (each.rows, each.origin) for each in found.tables} == {
        "orders": (7, Origin.DECLARED),
        "items": (8, Origin.DECLARED),
    }
    assert found.source == "prod.json of 2026-11-01, [tool.dbguard.scale]"


def test_what_is_wrong_is_told(tmp_path):
    with pytest.raises(ConfigError, match=r"there is no file of statistics .*gone\.json"):
        load_statistics(tmp_path, path="gone.json")
    with pytest.raises(ConfigError, match="orders: expected a number of rows"):
        load_statistics(tmp_path, scale={"orders": "lots"})
