"""Explains a `MissingGreenlet` error: what was about to be loaded in asynchronous code, where, and what to add."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType

from sqlalchemy.exc import MissingGreenlet

from pytest_dbguard.core.findings import Certainty, Finding, Fix, Severity, Site
from pytest_dbguard.recording.calls import CallKind, ColumnCause, LoadCall
from pytest_dbguard.recording.frames import Mark
from pytest_dbguard.recording.ownership import CodeKind, Ownership
from pytest_dbguard.rules.loader_options import load_path

TITLE = "dbguard: a load in asynchronous code"


def explain(error: BaseException, load: LoadCall | None, ownership: Ownership) -> str | None:
    """Return what the error is about; None for other errors, and where no load of the ORM led to it.

    Args:
        error: What a test raised.
        load: The load that the ORM sent last without an answer.
        ownership: Tells whose code the traceback runs through.
    """
    if load is None or not any(isinstance(each, MissingGreenlet) for each in _chain(error)):
        return None
    place = _innermost(error.__traceback__, ownership)
    at = f" at {place.label} in {place.function}" if place is not None else ""
    if load.kind is CallKind.COLUMN:
        return "\n".join(_about_columns(load, at))
    return "\n".join(_about_relationship(load, at))


def finding_of(error: BaseException, load: LoadCall | None, ownership: Ownership, test: str) -> Finding | None:
    """Return the finding for a relationship that asynchronous code would load; None for other errors and loads.

    For cold sessions: the test itself passes, since its session holds what production would have to load.
    """
    if load is None or load.kind is CallKind.COLUMN or explain(error, load, ownership) is None:
        return None
    path, origin = load_path(load.path), load.origin.stack if load.origin is not None else None
    place = _innermost(error.__traceback__, ownership)
    if path is None or place is None:
        return None
    query = origin.site if origin is not None else None
    return Finding(
        rule="DBG101",
        name="n-plus-one",
        severity=Severity.ERROR,
        subject=path.subject,
        message=f"`{path.subject}` is loaded lazily where asynchronous code cannot wait for it (MissingGreenlet)",
        site=place,
        origin=query,
        certainty=Certainty.LIKELY if load.is_guess else Certainty.CERTAIN,
        tests=(test,),
        in_test_code=place.in_test_code,
        fix=Fix(
            f"load `{path.subject}` with the query that loads the parents",
            f"select({path.root}).options({path.options})",
            query,
        ),
    )


def _about_relationship(load: LoadCall, at: str) -> Iterator[str]:
    path = load_path(load.path)
    if path is None:
        yield f"A relationship is loaded lazily{at}, where asynchronous code cannot wait for the database."
        return
    yield f"`{path.subject}` is loaded lazily{at}, where asynchronous code cannot wait for the database."
    origin = _origin(load)
    likely = ", likely" if load.is_guess else ""
    yield f"Load it with the query{origin}{likely}:"
    yield f"    select({path.root}).options({path.options})"
    yield "or wait for it, with AsyncAttrs among the bases of the class:"
    yield f"    await {path.last.parent.class_.__name__.lower()}.awaitable_attrs.{path.last.key}"


def _about_columns(load: LoadCall, at: str) -> Iterator[str]:
    name = load.parent_class.__name__ if load.parent_class is not None else "object"
    columns = ", ".join(f"`{name}.{column}`" for column in load.columns) or f"`{name}`"
    if load.cause is ColumnCause.DEFERRED:
        options = ", ".join(f"undefer({name}.{column})" for column in load.columns)
        yield f"{columns} is deferred and loaded{at}, where asynchronous code cannot wait for the database."
        yield f"Load it with the query{_origin(load)}:"
        yield f"    select({name}).options({options})"
        return
    yield f"Columns of `{name}` are loaded again{at}, where asynchronous code cannot wait for the database."
    stack = load.expired_at
    if stack is not None and stack.site is not None:
        verb = "rollback" if stack.marks & Mark.ROLLBACK else "commit" if stack.marks & Mark.COMMIT else "expire"
        yield f"They were expired by the {verb} at {stack.site.label} in {stack.site.function}."
    yield "Keep instances valid after a commit, or load them again where you can wait:"
    yield "    async_sessionmaker(engine, expire_on_commit=False)"
    yield f"    await session.refresh({name.lower()})"


def _origin(load: LoadCall) -> str:
    stack = load.origin.stack if load.origin is not None else None
    return f" at {stack.site.label} in {stack.site.function}" if stack is not None and stack.site is not None else ""


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error, those inside of a group, and those that led to it."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        each = waiting.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        waiting += [each.__cause__, each.__context__]
        if isinstance(each, BaseExceptionGroup):
            waiting += each.exceptions


def _innermost(traceback: TracebackType | None, ownership: Ownership) -> Site | None:
    """Return the place of the innermost frame that is no library's."""
    place: Site | None = None
    while traceback is not None:
        code = traceback.tb_frame.f_code
        kind, file = ownership.of(code.co_filename)
        if kind is not CodeKind.LIBRARY:
            is_test = kind is CodeKind.TEST
            place = Site(file, traceback.tb_lineno, function=code.co_qualname, in_test_code=is_test)
        traceback = traceback.tb_next
    return place
