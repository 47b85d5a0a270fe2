"""Recording for tests that use the fixture `dbguard` in a run without `--dbguard`: nothing is judged."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from pytest_dbguard.recording.scopes import Scope
from pytest_dbguard.testing.scoping import PhaseRecorder
from pytest_dbguard.testing.settings import config_for

_SCOPE = pytest.StashKey[Scope]()


def scope_of(item: pytest.Item) -> Scope:
    """Return the scope of a test's call phase, whoever records it."""
    plugin = item.config.pluginmanager.get_plugin("dbguard-recording")
    if plugin is not None:
        scope: Scope = plugin.call_scope(item)
        return scope
    return item.stash.setdefault(_SCOPE, Scope(item.nodeid, "call"))


@contextmanager
def recorded(item: pytest.Item) -> Iterator[None]:
    """Record one test's call phase; listeners are there for this test only."""
    from pytest_dbguard.testing.start import ownership

    phases = PhaseRecorder(ownership(config_for(item.config), item.config))
    phases.attach()
    try:
        with phases.phase(scope_of(item), item):
            yield
    finally:
        phases.detach()
