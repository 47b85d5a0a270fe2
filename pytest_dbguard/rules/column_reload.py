"""DBG102: columns of instances are loaded again, once for each instance."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any, ClassVar

from pydantic import Field

from pytest_dbguard.core.findings import Finding, Fix, Severity, Site
from pytest_dbguard.recording.calls import CallKind, ColumnCause, LoadCall
from pytest_dbguard.recording.frames import Mark
from pytest_dbguard.recording.model import Recording, Statement
from pytest_dbguard.rules.base import Context, Draft, RuleOptions, Stage
from pytest_dbguard.rules.repetition import Repetition, autoflushed, repetitions


class ColumnReloadOptions(RuleOptions):
    """Options of column-reload."""

    threshold: int = Field(default=2, ge=2, description="instances from which reloads are reported")


class ColumnReload:
    """column-reload (DBG102).

    ## What it does
    Finds columns that are loaded for one instance after the other in a loop, although a query had loaded the
    instances. It tells four causes apart: deferred columns (also those that `load_only` leaves out), columns of a
    subclass table, instances that a commit, a rollback or `expire` made stale (it names the line), and
    `session.refresh` in a loop.

    ## Why is this bad?
    Each instance costs a round trip of its own to read what one query could have read for all.

    ## Example
    ```python
    for customer in session.scalars(select(Customer).options(load_only(Customer.id))):
        print(customer.name)
    ```

    ## Use instead
    ```python
    for customer in session.scalars(select(Customer).options(load_only(Customer.id, Customer.name))):
        print(customer.name)
    ```

    ## Options
    - `threshold` (default 2): the number of instances from which reloads are reported.
    - `severity` (default "error").

    ## Limits
    Of several calls of `expire()` that follow each other with no statement between, the first is named.
    """

    code: ClassVar[str] = "DBG102"
    name: ClassVar[str] = "column-reload"
    severity: ClassVar[Severity] = Severity.ERROR
    stage: ClassVar[Stage] = Stage.STABLE
    options_model: ClassVar[type[RuleOptions]] = ColumnReloadOptions

    def __init__(self, options: RuleOptions) -> None:
        self._threshold = getattr(options, "threshold", 2)

    def check(self, recording: Recording, context: Context) -> Iterable[Draft]:
        """Yield a draft for each cause, class and place that reloads in a loop."""
        found = repetitions(recording, context.loops, _is_reload, _what, threshold=self._threshold)
        for repetition in found:
            calls = [_call(statement) for statement in repetition.statements]
            if len({call.parent for call in calls}) >= self._threshold or calls[0].cause is ColumnCause.REFRESHED:
                yield self._draft(repetition, calls[0], recording)

    def _draft(self, repetition: Repetition, call: LoadCall, recording: Recording) -> Draft:
        subject = _subject(call)
        origin = call.origin.stack.site if call.origin is not None and call.origin.stack is not None else None
        folded = autoflushed(recording, {repetition.stack.key}, ("INSERT", "UPDATE", "DELETE"))
        finding = Finding(
            rule=self.code,
            name=self.name,
            severity=self.severity,
            subject=subject,
            message=f"`{subject}` is {_verb_of(call)} {repetition.phrase}: {repetition.count} queries, {_cause(call)}",
            site=repetition.site,
            origin=origin,
            loop=repetition.loop_site,
            count=repetition.count,
            in_test_code=repetition.in_test_code,
            fix=_fix(call, origin),
            shape=repetition.statements[0].text.shape,
            evidence=folded.evidence,
        )
        return Draft(finding, repetition.numbers | folded.numbers)


def _call(statement: Statement) -> LoadCall:
    call = statement.call
    if type(call) is not LoadCall:
        raise TypeError(f"not a load of the ORM: {call!r}")
    return call


def _is_reload(statement: Statement) -> bool:
    call = statement.call
    return type(call) is LoadCall and call.kind is CallKind.COLUMN and call.cause is not None and not statement.in_flush


def _what(statement: Statement) -> Hashable:
    call = _call(statement)
    return (call.cause, _subject(call))


def _subject(call: LoadCall) -> str:
    name = call.parent_class.__name__ if call.parent_class is not None else "object"
    if call.cause in (ColumnCause.DEFERRED, ColumnCause.SUBCLASS) and call.columns:
        return f"{_declaring_class(call)}.{call.columns[0]}"
    return name


def _declaring_class(call: LoadCall) -> str:
    """Return the name of the class whose mapping declares the column."""
    mapper: Any = getattr(call.parent_class, "__mapper__", None)
    while mapper is not None and mapper.inherits is not None and call.columns[0] in mapper.inherits.column_attrs:
        mapper = mapper.inherits
    return str(mapper.class_.__name__) if mapper is not None else "object"


def _expirer(call: LoadCall) -> Site | None:
    return call.expired_at.site if call.expired_at is not None else None


def _verb_of(call: LoadCall) -> str:
    """Return what happens to the columns: those that the query left out were never there."""
    return "loaded" if call.cause in (ColumnCause.DEFERRED, ColumnCause.SUBCLASS) else "loaded again"


def _cause(call: LoadCall) -> str:
    if call.cause is ColumnCause.DEFERRED:
        return "because the query leaves the column out"
    if call.cause is ColumnCause.SUBCLASS:
        return "because the query selects the base class"
    if call.cause is ColumnCause.REFRESHED:
        return "because `refresh` asks for each"
    place = _expirer(call)
    if place is None or call.expired_at is None:
        return "because the instances were expired"
    return f"expired by the {_verb(call.expired_at.marks)} at {place.label}"


def _verb(marks: Mark) -> str:
    if marks & Mark.EXPIRE:
        return "expire"
    return "commit" if marks & Mark.COMMIT else "rollback"


def _fix(call: LoadCall, origin: Site | None) -> Fix:
    name = call.parent_class.__name__ if call.parent_class is not None else "object"
    if call.cause is ColumnCause.DEFERRED:
        options = ", ".join(f"undefer({_declaring_class(call)}.{column})" for column in call.columns)
        return Fix("load the column with the rows", f"select({name}).options({options})", origin)
    if call.cause is ColumnCause.SUBCLASS:
        mapper: Any = getattr(call.parent_class, "__mapper__", None)
        base = mapper.base_mapper.class_.__name__ if mapper is not None else name
        code = f"select({base}).options(selectin_polymorphic({base}, [{name}]))"
        return Fix("load the columns of the subclasses with the rows", code, origin)
    if call.cause is ColumnCause.REFRESHED:
        code = f"select({name}).where(...).execution_options(populate_existing=True)"
        return Fix("refresh all of them by one query", code)
    if call.expired_at is not None and call.expired_at.marks & Mark.EXPIRE:
        code = f"select({name}).where(...).execution_options(populate_existing=True)"
        return Fix("load all of them again by one query instead of expiring them", code, _expirer(call))
    return Fix(
        "read what is needed before the commit, keep instances valid after it, or load them again by one query",
        "Session(engine, expire_on_commit=False)",
        _expirer(call),
    )
