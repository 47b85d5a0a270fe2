"""Runs each test several times, all of them in a random order."""

from __future__ import annotations

import os
import random

import pytest

TURNS = int(os.environ.get("TORTURE_TURNS", "1"))


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "crashes: ends its whole process")
    config.addinivalue_line("markers", "file: needs a database that other processes can open")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test several times."""
    metafunc.fixturenames.append("turn")
    metafunc.parametrize("turn", range(TURNS))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Bring the tests into a random order, the same in all workers; leave out what cannot be here."""
    needed = {"crashes": "PYTEST_XDIST_WORKER", "file": "TORTURE_FILE"}
    left_out = {marker for marker, variable in needed.items() if variable not in os.environ}
    items[:] = [item for item in items if not any(map(item.get_closest_marker, left_out))]
    random.Random(os.environ.get("TORTURE_SEED", "0")).shuffle(items)
