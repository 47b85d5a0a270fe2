"""Shared fixtures of the test suite."""

import os

import pytest

pytest_plugins = ["pytester"]

# projects of their own, which tests/test_scenarios.py and tests/test_torture.py and tests/test_recipes.py run
collect_ignore = ["benchmarks", "scenarios", "torture", "recipes"]

LEAN = "-p no:hypothesispytest -p no:faker"
"""Plugins that no project of the tests needs, and that take longer to import than such a project takes to run."""


@pytest.fixture(scope="session", autouse=True)
def cache_of_the_tests(tmp_path_factory):
    """No test reads or fills the cache of who runs them; all workers share one, so that servers start warm."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DBGUARD_CACHE_DIR", str(shared / "dbguard-cache"))
        patch.setenv("DBGUARD_CACHE_MB", "200")
        yield


@pytest.fixture(autouse=True)
def lean_runs(request, monkeypatch):
    """Leave other people's plugins out of the pytest runs that a test starts."""
    if "pytester" in request.fixturenames:
        monkeypatch.setenv("PYTEST_ADDOPTS", LEAN)
