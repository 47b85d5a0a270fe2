"""Hooks that start the run's server before the tests, tell which one it is, and what of it is kept."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pytest

from pytest_dbguard.testing.database_hooks import HOOKS, KEPT, DatabaseHooks
from pytest_dbguard.testing.failures import as_usage_error
from pytest_dbguard.testing.settings import config_for

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

_USED = "dbguard/database"
"""Key in pytest's cache: whether the last run used a database."""
TEMPLATES_BUILT = "dbguard_templates_built"
_FLAGS = ("dbguard_database", "dbguard_url", "dbguard_env")
_VARIABLES = ("DBGUARD_DATABASE", "DBGUARD_URL", "DBGUARD_ENV")


@pytest.hookimpl
def pytest_configure(config: pytest.Config) -> None:
    """Follow the tests of this process."""
    config.pluginmanager.register(DatabaseHooks(), HOOKS)


@pytest.hookimpl
def pytest_sessionstart(session: pytest.Session) -> None:
    """Begin to start the server before the tests are collected, where the last run used one."""
    config = session.config
    if config.option.collectonly or _is_worker(config) or _has_workers(config) or not _server_is_named(config):
        return
    cache = getattr(config, "cache", None)
    if cache is not None and cache.get(_USED, False):
        from pytest_dbguard.testing.database_run import database_run

        database_run(config).launch()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Open the database for every test where engines of the application are configured to lead there."""
    if not _says(config, ("engines",)) or not config_for(config).engines:
        return
    for item in items:
        names = getattr(item, "fixturenames", None)
        if names is not None and "dbguard_database" not in names:
            names.insert(0, "dbguard_database")


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Start the server when a collected test uses it; one usage error (exit status 4) when it does not start."""
    config = session.config
    if config.option.collectonly or _is_worker(config) or _has_workers(config):
        return
    is_used = _uses_database(session.items)
    cache = getattr(config, "cache", None)
    if cache is not None and session.items:
        cache.set(_USED, is_used)
    if is_used:
        from pytest_dbguard.testing.database_run import database_run

        with as_usage_error():
            run = database_run(config)
            run.launch()
            run.import_ahead()
            run.server()


@pytest.hookimpl
def pytest_report_collectionfinish(config: pytest.Config, items: list[pytest.Item]) -> list[str]:
    """Tell which database the tests use and why."""
    if config.option.collectonly or not _uses_database(items):
        return []
    return database_lines(config)


def database_lines(config: pytest.Config) -> list[str]:
    """Return which database the fixtures use and the reasons, one a line."""
    from pytest_dbguard.testing.database_run import database_run

    with as_usage_error():
        first, *others = database_run(config).choice.reasons
    return [f"dbguard: database {first}", *(f"  {reason}" for reason in others)]


@pytest.hookimpl
def pytest_report_header(config: pytest.Config) -> list[str]:
    """Tell which server the workers of pytest-xdist share: only they collect tests."""
    if config.option.collectonly or not _has_workers(config) or not _server_is_named(config):
        return []
    return database_lines(config)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Start the one server for all workers of pytest-xdist, when the first of them is set up."""
    config = node.config
    if config.option.collectonly or not _server_is_named(config):
        return
    from pytest_dbguard.testing.database_run import database_run

    with as_usage_error():
        node.workerinput.update(database_run(config).handed_over())


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Tell the controller whether this worker built a template, before it goes."""
    output = getattr(session.config, "workeroutput", None)
    databases = getattr(session.config.pluginmanager.get_plugin(HOOKS), "databases", None)
    if output is not None and databases is not None:
        output[TEMPLATES_BUILT] = databases.templates_built


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take in what a worker did on the server."""
    if getattr(node, "workeroutput", {}).get(TEMPLATES_BUILT):
        from pytest_dbguard.testing.database_run import database_run

        database_run(node.config).note_templates()


@pytest.hookimpl
def pytest_terminal_summary(terminalreporter: TerminalReporter, config: pytest.Config) -> None:
    """Print where the databases of failed tests are."""
    reports = [each for kind in terminalreporter.stats.values() for each in kind if getattr(each, KEPT, None)]
    if not reports:
        return
    terminalreporter.section("dbguard: kept databases", sep="=")
    for report in reports:
        for url in getattr(report, KEPT):
            terminalreporter.line(f"{report.nodeid}\n  {url}")
    terminalreporter.line("dbguard db list shows them, dbguard db prune deletes them")
    if not _is_worker(config):
        from pytest_dbguard.testing.database_run import database_run

        database_run(config).note_kept()


def _uses_database(items: Iterable[pytest.Item]) -> bool:
    return any("dbguard_database" in getattr(item, "fixturenames", ()) for item in items)


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def _has_workers(config: pytest.Config) -> bool:
    return config.pluginmanager.has_plugin("dsession")


def _server_is_named(config: pytest.Config) -> bool:
    """Tell, without reading the configuration as such, whether it can ask for a server at all."""
    named = any(config.getoption(flag, None) for flag in _FLAGS) or any(map(os.environ.get, _VARIABLES))
    return named or _says(config, ("postgres", '"auto"', "'auto'"))


def _says(config: pytest.Config, words: Iterable[str]) -> bool:
    files = (config.rootpath / name for name in ("dbguard.toml", "pyproject.toml"))
    texts = [path.read_text(encoding="utf-8", errors="replace") for path in files if path.is_file()]
    return any(word in text for text in texts for word in words)
