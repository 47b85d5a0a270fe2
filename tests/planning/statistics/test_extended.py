"""Extended statistics as PostgreSQL writes them: up to 18 with numbers in keys, as of 19 in lists."""

from __future__ import annotations

import pytest

from pytest_dbguard.planning.statistics.extended import combinations_of, dependencies_of
from pytest_dbguard.planning.statistics.model import Dependency, NDistinct

NAMES = {"1": "zip", "2": "city", "5": "state"}


def row(n_distinct=None, dependencies=None):
    return {"names": NAMES, "n_distinct": n_distinct, "dependencies": dependencies}


@pytest.mark.parametrize(
    "text",
    [
        '{"1, 2": 50, "1, 2, 5": 60, "1, -1": 7}',
        '[{"attributes": [1, 2], "ndistinct": 50}, {"attributes": [1, 2, 5], "ndistinct": 60},'
        ' {"attributes": [1, -1], "ndistinct": 7}]',
    ],
)
def test_combinations(text):
    assert combinations_of([row(text), row()]) == (
        NDistinct(("zip", "city"), 50),
        NDistinct(("zip", "city", "state"), 60),
    )


@pytest.mark.parametrize(
    "text",
    [
        '{"1 => 2": 1.0, "1, 2 => 5": 0.25, "-1 => 2": 0.5}',
        '[{"attributes": [1], "dependency": 2, "degree": 1.0}, {"attributes": [1, 2], "dependency": 5, "degree": 0.25},'
        ' {"attributes": [-1], "dependency": 2, "degree": 0.5}]',
    ],
)
def test_dependencies(text):
    assert dependencies_of([row(None, text)]) == (
        Dependency(("zip",), "city", 1),
        Dependency(("zip", "city"), "state", 0.25),
    )
