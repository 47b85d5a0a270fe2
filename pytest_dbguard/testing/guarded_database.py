"""One database that tests of this process use: its engines, the ledger of its connections, and how it is cleaned."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from pytest_dbguard.databases.engines import make_async_engine, make_engine
from pytest_dbguard.resets.base import Cleaner, Outcome, Reset
from pytest_dbguard.resets.connections import Connections
from pytest_dbguard.resets.registry import cleaner_for, load_reset
from pytest_dbguard.resets.routing import EngineRouter
from pytest_dbguard.templates.base import Template

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy.ext.asyncio import AsyncEngine


class GuardedDatabase:
    """A copy of a template that each test finds clean."""

    def __init__(self, template: Template, name: str, default_reset: str) -> None:
        """Make the copy and start to watch the connections to it; `default_reset` holds where no marker says more."""
        self.template = template
        self.database = template.copy(name)
        self._default_reset = default_reset
        self._connections = Connections(self.database)
        self._connections.attach()
        self.router = EngineRouter(self.database, self._connections)
        self.cleaner: Cleaner = cleaner_for(self.database, template, self._connections)
        self._resets: dict[str, Reset] = {}
        self._begun: Reset | None = None
        self._async_engines: list[AsyncEngine] = []

    @cached_property
    def engine(self) -> Engine:
        """An engine on the database; the same one for all tests."""
        engine = make_engine(self.database)
        self.router.bind(engine)
        return engine

    @cached_property
    def async_engine(self) -> AsyncEngine:
        """An asynchronous engine on the database, for any event loop."""
        engine = make_async_engine(self.database)
        self.router.bind(engine)
        self._async_engines.append(engine)
        return engine

    @property
    def is_rolled_back(self) -> bool:
        """Whether what the present test does is rolled back."""
        return self._begun is not None and self._begun.name == "rollback"

    def enter(self, owner: str, *, is_wide: bool) -> None:
        """Say which test or fixture takes connections from now on."""
        self._connections.enter(owner, is_wide)

    def begin(self, reset: str | None) -> None:
        """Prepare for a test, before the first of its own fixtures; further calls before `end` do nothing."""
        if self._begun is None:
            begun = self._reset_named(reset or self._default_reset)
            begun.begin()
            self._begun = begun

    def end(self, reset: str | None, *, is_fresh: bool, keeps_data: bool) -> Outcome:
        """Clean up after a test.

        Args:
            reset: What the test's marker says; None for the run's default.
            is_fresh: Replace the database by a fresh copy, whatever the test did.
            keeps_data: Leave the data for the next test, which belongs together with this one.
        """
        begun, self._begun = self._begun or self._reset_named(reset or self._default_reset), None
        if keeps_data and begun.name != "rollback":
            return Outcome(leaks=tuple(self._connections.end_leaks()))
        outcome = begun.end()
        return self.cleaner.swap("the test asks for a fresh copy") if is_fresh else outcome

    def set_aside(self, name: str) -> str:
        """Keep the database as a failed test left it, and go on with a fresh copy; return the URL of what is kept."""
        begun, self._begun = self._begun, None
        is_whole = begun is None or begun.make_permanent()
        self._connections.end_leaks()
        url = self.cleaner.set_aside(name)
        if begun is not None:
            begun.end()
        return url if is_whole else f"{url} (without what was rolled back)"

    def close(self) -> None:
        """Close what is open and delete the database."""
        for reset in self._resets.values():
            reset.close()
        self.cleaner.close()
        self.router.unbind_all()
        if "engine" in vars(self):
            self.engine.dispose()
        for engine in self._async_engines:
            engine.sync_engine.dispose(close=False)
        self._connections.detach()
        self.database.close()

    def _reset_named(self, name: str) -> Reset:
        if name not in self._resets:
            self._resets[name] = load_reset(name)(self.cleaner, self.router)
        return self._resets[name]
