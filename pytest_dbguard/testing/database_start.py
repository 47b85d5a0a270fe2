"""Hooks that start the database before the tests, where a run that cannot have one should not begin at all."""

from __future__ import annotations

import os
from typing import Any

import pytest

_SERVER = "postgres-embedded"


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Start the database when a collected test uses it; one usage error (exit status 4) when it does not start."""
    if session.config.option.collectonly or hasattr(session.config, "workerinput"):
        return
    if any("dbguard_database" in getattr(item, "fixturenames", ()) for item in session.items):
        from pytest_dbguard.testing import fixtures

        with fixtures.as_usage_error():
            fixtures.database(session.config)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Start the one server for all workers of pytest-xdist, when the first of them is set up."""
    config = node.config
    if config.option.collectonly or not _server_is_named(config):
        return
    from pytest_dbguard.testing import fixtures

    with fixtures.as_usage_error():
        url = fixtures.server_for_workers(config)
    if url is not None:
        node.workerinput[fixtures.WORKER_URL] = url.render_as_string(hide_password=False)


def _server_is_named(config: pytest.Config) -> bool:
    """Tell, without reading the configuration as such, whether it can ask for a server at all."""
    if config.getoption("dbguard_database", None) or os.environ.get("DBGUARD_DATABASE"):
        return True
    files = (config.rootpath / name for name in ("dbguard.toml", "pyproject.toml"))
    return any(_SERVER in path.read_text(encoding="utf-8", errors="replace") for path in files if path.is_file())
