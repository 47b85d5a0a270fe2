"""Opens and closes scopes around the phases of tests, and takes listeners up and down."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CodeType
from typing import Any

import pytest

from pytest_dbguard.analysis.schema_watch import SchemaReader
from pytest_dbguard.core.findings import Site
from pytest_dbguard.recording.listeners import Listeners
from pytest_dbguard.recording.ownership import Ownership
from pytest_dbguard.recording.recorder import Recorder
from pytest_dbguard.recording.scopes import Scope
from pytest_dbguard.recording.web import WebScopes


class PhaseRecorder:
    """Records the phases of tests: one recorder, its listeners, and the scope that is open."""

    def __init__(
        self, ownership: Ownership, *, tracks_reads: bool = False, schemas: SchemaReader | None = None
    ) -> None:
        """Make what records.

        Args:
            ownership: Who owns which file.
            tracks_reads: Whether a rule wants to know which relationships are read.
            schemas: Reads the schemas that statements run on, where a rule wants to know them.
        """
        self.schemas = schemas
        self.recorder = Recorder(ownership, tracks_reads=tracks_reads, schemas=schemas)
        self.ownership = ownership
        self._listeners = Listeners(self.recorder)
        self._web = WebScopes(self.recorder)

    def attach(self) -> None:
        """Start to listen to SQLAlchemy."""
        self._listeners.attach()

    def detach(self) -> None:
        """Remove all listeners and wrappers."""
        self._listeners.detach()
        self._web.detach()
        self.recorder.close()

    @contextmanager
    def phase(self, scope: Scope, item: pytest.Item) -> Iterator[Scope]:
        """Record one phase of a test into a scope."""
        self._web.attach()
        self.recorder.open(scope, *(_roots(item) if scope.scope == "call" else ()))
        try:
            with _examples_in_scopes(item, self.recorder):
                yield scope
        finally:
            self.recorder.close()

    @contextmanager
    def fixture(self, fixturedef: pytest.FixtureDef[Any]) -> Iterator[None]:
        """Record a fixture that several tests share in a scope named after it, whichever test comes first."""
        outer = self.recorder.scope
        if outer is None or fixturedef.scope == "function":
            yield
            return
        base = f"{fixturedef.baseid}::" if fixturedef.baseid else ""
        with self.recorder.nested(Scope(f"{base}{fixturedef.argname}", "setup")):
            yield


def test_site(item: pytest.Item, ownership: Ownership) -> Site | None:
    """Return where the test function stands."""
    codes = _roots(item)
    if not codes:
        return None
    _, file = ownership.of(codes[0].co_filename)
    return Site(file, codes[0].co_firstlineno, function=codes[0].co_qualname, in_test_code=True)


def is_hypothesis_test(item: pytest.Item) -> bool:
    """Return whether hypothesis calls the test function, as often as it likes."""
    return getattr(getattr(item, "obj", None), "hypothesis", None) is not None


def _roots(item: pytest.Item) -> tuple[CodeType, ...]:
    """Return the code of the test function, with and without its decorators."""
    function = getattr(item, "obj", None)
    found = []
    for candidate in (_example(item), inspect.unwrap(function) if callable(function) else None):
        code = getattr(getattr(candidate, "__func__", candidate), "__code__", None)
        if code is not None:
            found.append(code)
    return tuple(found)


def _example(item: pytest.Item) -> Callable[..., Any] | None:
    """Return the function that hypothesis calls for each example; None for other tests."""
    handle = getattr(getattr(item, "obj", None), "hypothesis", None)
    inner = getattr(handle, "inner_test", None)
    return inspect.unwrap(inner) if callable(inner) else None


@contextmanager
def _examples_in_scopes(item: pytest.Item, recorder: Recorder) -> Iterator[None]:
    """Give each example of a hypothesis test a scope of its own: examples repeat the test, not the application."""
    handle = getattr(getattr(item, "obj", None), "hypothesis", None)
    inner = getattr(handle, "inner_test", None)
    if handle is None or not callable(inner) or inspect.iscoroutinefunction(inner):
        yield
        return

    @functools.wraps(inner)
    def one_example(*args: Any, **kwargs: Any) -> Any:
        with recorder.nested(Scope(item.nodeid, "example")):
            return inner(*args, **kwargs)

    handle.inner_test = one_example
    try:
        yield
    finally:
        handle.inner_test = inner
