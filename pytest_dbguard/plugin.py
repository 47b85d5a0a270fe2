"""Entry point of the pytest plugin; imports only the standard library and pytest until it is asked for."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

import pytest

from pytest_dbguard.testing.options import MARKER, add_options, is_enabled, refuse_lonely_flags

if TYPE_CHECKING:
    from pytest_dbguard.testing.guard import DbGuard

pytest_plugins = (
    "pytest_dbguard.testing.fixture_definitions",
    "pytest_dbguard.testing.database_start",
    "pytest_dbguard.runtime_fixtures",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Register options and ini keys."""
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker; start recording where it is asked for."""
    config.addinivalue_line("markers", MARKER)
    if is_enabled(config) and not config.option.collectonly:
        from pytest_dbguard.testing.start import start

        start(config)
    else:
        refuse_lonely_flags(config)


def pytest_report_header(config: pytest.Config) -> str | None:
    """Tell what dbguard does in this run; nothing where it does nothing."""
    if config.pluginmanager.has_plugin("dbguard-controller"):
        from pytest_dbguard.testing.header import header

        return header(config)
    if config.getoption("--no-dbguard") and (config.getoption("--dbguard") or config.getini("dbguard")):
        return "dbguard: off (--no-dbguard)"
    return None


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Record tests that use the fixture `dbguard` when the run itself is not recorded."""
    if "dbguard" in getattr(item, "fixturenames", ()) and not item.config.pluginmanager.has_plugin("dbguard-recording"):
        from pytest_dbguard.testing.on_demand import recorded

        with recorded(item):
            return (yield)
    return (yield)


@pytest.fixture
def dbguard(request: pytest.FixtureRequest) -> DbGuard:
    """Return the recording of this test: `queries`, `count`, `expect`, `ignore`, `paused`."""
    from pytest_dbguard.testing.guard import DbGuard
    from pytest_dbguard.testing.on_demand import scope_of

    return DbGuard(scope_of(request.node), request.config.rootpath)
