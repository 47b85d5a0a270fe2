"""How each tool is attached to this process and removed again, by the entry points of the tool itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

Attach = Callable[[Any, Any, Path], AbstractContextManager[object]]
"""Takes the engine, the test function and the application's directory; recording goes on in the `with` block."""


@contextmanager
def _own_listeners() -> Iterator[None]:
    """Remove in the end what was registered in the block: some tools have no way to do it themselves."""
    registered: list[tuple[Any, str, Any]] = []
    listen = event.listen

    def noting(target: Any, name: str, function: Any, *args: Any, **options: Any) -> None:
        registered.append((target, name, function))
        listen(target, name, function, *args, **options)

    event.listen = noting
    try:
        yield
    finally:
        event.listen = listen
        for target, name, function in registered:
            if event.contains(target, name, function):
                event.remove(target, name, function)


@contextmanager
def empty_listeners(engine: Any, test: Any, root: Path) -> Iterator[None]:
    """The least that a recorder of statements and of ORM selects can do."""

    def nothing(*args: Any) -> None:
        pass

    with _own_listeners():
        event.listen(Engine, "before_cursor_execute", nothing)
        event.listen(Engine, "after_cursor_execute", nothing)
        event.listen(Session, "do_orm_execute", nothing)
        yield


@cache
def _recorder(root: Path, tracks_reads: bool, plans: bool) -> Any:
    """One recorder for the whole run, as the plugin has: what it knows of code and texts outlives a test."""
    from pytest_dbguard.analysis.schema_watch import SchemaReader
    from pytest_dbguard.recording.ownership import Ownership
    from pytest_dbguard.recording.recorder import Recorder

    return Recorder(Ownership(root), tracks_reads=tracks_reads, schemas=SchemaReader() if plans else None)


@contextmanager
def dbguard(engine: Any, test: Any, root: Path, *, tracks_reads: bool = True, plans: bool = True) -> Iterator[None]:
    from pytest_dbguard.recording.listeners import Listeners
    from pytest_dbguard.recording.scopes import Scope

    recorder = _recorder(root, tracks_reads, plans)
    listeners = Listeners(recorder)
    scope = Scope("test_shop.py::test_many", "call")
    listeners.attach()
    recorder.open(scope, test.__code__)
    try:
        yield
    finally:
        recorder.close()
        listeners.detach()
    assert scope.count, "nothing was recorded"
    assert not recorder.faults, recorder.faults


@contextmanager
def dbguard_without_reads(engine: Any, test: Any, root: Path) -> Iterator[None]:
    """Without the rules that have to know which relationships are read (DBG107, DBG108)."""
    with dbguard(engine, test, root, tracks_reads=False):
        yield


@contextmanager
def dbguard_without_plans(engine: Any, test: Any, root: Path) -> Iterator[None]:
    """Without the rules that have to know on which schema a statement runs, and with what values."""
    with dbguard(engine, test, root, plans=False):
        yield


@contextmanager
def queryspy(engine: Any, test: Any, root: Path) -> Iterator[None]:
    import queryspy as tool

    with tool.record() as recorder:
        yield
    assert recorder.query_count


@contextmanager
def queryguard(engine: Any, test: Any, root: Path) -> Iterator[None]:
    from pytest_queryguard import collector, listeners

    # as its plugin measures a test: default of 10 000 kept events, no index check
    measured = collector.QueryCollector(max_events=10_000)
    with _own_listeners():
        listeners._installed = False
        listeners.install()
        collector.push(measured)
        try:
            yield
        finally:
            collector.pop(measured)
            listeners._installed = False
    assert measured.statement_count and listeners.internal_error() is None


@contextmanager
def querycount(engine: Any, test: Any, root: Path) -> Iterator[None]:
    from pytest_querycount import backends
    from pytest_querycount.backends import sqlalchemy as backend
    from pytest_querycount.recorder import Recorder

    recorder = Recorder()
    with _own_listeners():
        backend._installed = False
        backend.install()
        backends.push(recorder)
        try:
            yield
        finally:
            backends.pop(recorder)
            backend._installed = False
    assert recorder.count


@contextmanager
def sqltap(engine: Any, test: Any, root: Path) -> Iterator[None]:
    import sqltap as tool

    with tool.ProfilingSession() as profiler:
        yield
    assert profiler.collect()


@contextmanager
def opentelemetry(engine: Any, test: Any, root: Path) -> Iterator[None]:
    from opentelemetry.instrumentation.sqlalchemy import SQLAlchemyInstrumentor
    from opentelemetry.sdk.trace import TracerProvider

    # spans are made and ended but not exported: what an exporter costs is not the instrumentation's;
    # without skip_dep_check it silently records nothing on a SQLAlchemy that it does not know yet
    provider = TracerProvider()
    instrumentor = SQLAlchemyInstrumentor()
    instrumentor.instrument(engine=engine, tracer_provider=provider, skip_dep_check=True)
    try:
        assert engine.dispatch.before_cursor_execute, "the instrumentation did not attach itself"
        yield
    finally:
        instrumentor.uninstrument()


TOOLS: dict[str, tuple[str | None, Attach]] = {
    "empty listeners": (None, empty_listeners),
    "dbguard": ("pytest-dbguard", dbguard),
    "dbguard without reads": ("pytest-dbguard", dbguard_without_reads),
    "dbguard without plans": ("pytest-dbguard", dbguard_without_plans),
    "queryspy": ("queryspy", queryspy),
    "pytest-queryguard": ("pytest-queryguard", queryguard),
    "pytest-querycount": ("pytest-querycount", querycount),
    "sqltap": ("sqltap", sqltap),
    "opentelemetry": ("opentelemetry-instrumentation-sqlalchemy", opentelemetry),
}
"""Name, distribution (None for our own yardstick) and how to attach it."""


def no_plugin(engine: Any, test: Any, root: Path) -> AbstractContextManager[object]:
    """Nothing listens."""
    return nullcontext()


def installed_version(distribution: str | None) -> str | None:
    """Return the installed version, "" for our own yardstick, None when it is not installed."""
    try:
        return "" if distribution is None else version(distribution)
    except PackageNotFoundError:
        return None
