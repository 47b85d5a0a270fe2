"""Calls the database's resets at the right moments of a test; imports nothing but pytest until a database is there."""

from __future__ import annotations

from collections.abc import Generator
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from pytest_dbguard.testing.reset_marker import is_last_of_scope, reset_settings_of
from pytest_dbguard.testing.settings import config_for

if TYPE_CHECKING:
    from pytest_dbguard.testing.databases import Databases

HOOKS = "dbguard-databases"
KEPT = "dbguard_kept"
"""The attribute of a test's last report that holds the URLs of what was kept of it."""
_FAILED = pytest.StashKey[bool]()
_URLS = pytest.StashKey[list[str]]()


class DatabaseHooks:
    """Follows the tests of this process, and cleans the databases after each."""

    def __init__(self) -> None:
        self.databases: Databases | None = None
        self._item: pytest.Item | None = None
        self._next: pytest.Item | None = None
        self._is_begun = self._is_ended = self._has_late_fixtures = False
        self._is_left_clean = True
        self._owner, self._is_wide = "the start of the run", True
        self._owners: dict[int, str] = {}
        self._numbers = count(1)

    def opened(self, databases: Databases) -> None:
        """Take in that the first database is there, in the middle of a fixture as a rule."""
        self.databases = databases
        self._enter(self._owner, is_wide=self._is_wide)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, object, object]:
        """Note whose connections are taken from now on."""
        self._item = item
        self._is_begun = self._is_ended = self._has_late_fixtures = False
        self._enter(item.nodeid, is_wide=False)
        return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        """Prepare for a test that has no fixture of its own."""
        self._begin()
        return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any], request: Any) -> Generator[None, object, object]:
        """Prepare for a test before its first fixture; keep what wider fixtures write for as long as they last."""
        if fixturedef.scope == "function":
            self._begin()
            return (yield)
        if _is_ours(fixturedef):
            return (yield)
        owner = f"fixture {fixturedef.argname!r}"
        is_clean = self.databases is None or self.databases.is_clean()
        before, was_wide = self._owner, self._is_wide
        self._enter(owner, is_wide=True)
        try:
            return (yield)
        finally:
            self._fixture_is_up(fixturedef, owner, is_clean=is_clean)
            self._enter(before, is_wide=was_wide)

    @pytest.hookimpl
    def pytest_fixture_post_finalizer(self, fixturedef: pytest.FixtureDef[Any]) -> None:
        """Let go what a fixture of wider scope wrote; at once when it ends because its next parameter comes."""
        self._has_late_fixtures = self._has_late_fixtures or (self._is_ended and not _is_ours(fixturedef))
        owner = self._owners.pop(id(fixturedef), None)
        if owner is not None and self.databases is not None:
            self.databases.forget(owner)
            if not self._is_begun:
                self._clean(self.databases)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Note whether a test failed; put the URLs of what was kept of it on its last report."""
        report = yield
        item.stash[_FAILED] = item.stash.get(_FAILED, False) or report.failed
        if call.when == "teardown" and _URLS in item.stash:
            setattr(report, KEPT, item.stash[_URLS])
        return report

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> Generator[None, object, object]:
        """Clean up when the test's own fixtures have ended, and after those of wider scope that end with it."""
        self._is_begun = True  # also when its setup failed: it is too late to prepare for it
        self._next = nextitem
        try:
            return (yield)
        finally:
            if self.databases is not None and not self._is_ended:
                self._end(self.databases, item)
            elif self.databases is not None and self._has_late_fixtures:
                self._clean(self.databases)
            item.stash[_FAILED] = False
            self._item = self._next = None

    def _enter(self, owner: str, *, is_wide: bool) -> None:
        """Say which test or fixture takes connections from now on."""
        self._owner, self._is_wide = owner, is_wide
        if self.databases is not None:
            self.databases.enter(owner, is_wide=is_wide)

    def _begin(self) -> None:
        if self._item is None or self._is_begun or self.databases is None:
            return
        self._is_begun = True
        # before fixtures of wider scope end: they would wait for locks of the test, and find what it changed
        self._item.addfinalizer(partial(self._end, self.databases, self._item))
        self.databases.begin(reset_settings_of(self._item).reset)

    def _fixture_is_up(self, fixturedef: pytest.FixtureDef[Any], owner: str, *, is_clean: bool) -> None:
        """Keep what a fixture wrote, except where rows of the test itself are among it."""
        if self.databases is None or not is_clean:
            return
        unique = f"{owner} #{next(self._numbers)}"
        self._owners[id(fixturedef)] = unique
        self.databases.keep(unique)

    def _clean(self, databases: Databases) -> None:
        """Remove what a fixture of wider scope left when it ended."""
        from pytest_dbguard.testing import reset_reports

        if self._is_left_clean and self._item is not None:
            reset_reports.tell(self._item, list(databases.clean()))

    def _end(self, databases: Databases, item: pytest.Item) -> None:
        from pytest_dbguard.testing import reset_reports

        self._is_ended = True
        settings = reset_settings_of(item)
        keeps_data = not is_last_of_scope(item, self._next)
        self._is_left_clean = not keeps_data and databases.cleans(settings.reset)
        if config_for(item.config).keep and item.stash.get(_FAILED, False):
            item.stash[_URLS] = databases.set_aside(item.nodeid)
            return
        cleaned = list(databases.end(settings.reset, is_fresh=settings.is_fresh, keeps_data=keeps_data))
        reset_reports.tell(item, cleaned)


def _is_ours(fixturedef: pytest.FixtureDef[Any]) -> bool:
    return getattr(fixturedef.func, "__module__", "").startswith("pytest_dbguard.")
