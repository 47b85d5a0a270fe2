"""Shared fixtures of the test suite."""

import pytest

pytest_plugins = ["pytester"]

# projects of their own, which tests/test_scenarios.py and tests/test_torture.py and tests/test_recipes.py run
collect_ignore = ["scenarios", "torture", "recipes"]

LEAN = "-p no:hypothesispytest -p no:faker"
"""Plugins that no project of the tests needs, and that take longer to import than such a project takes to run."""


@pytest.fixture(autouse=True)
def lean_runs(request, monkeypatch):
    """Leave other people's plugins out of the pytest runs that a test starts."""
    if "pytester" in request.fixturenames:
        monkeypatch.setenv("PYTEST_ADDOPTS", LEAN)
