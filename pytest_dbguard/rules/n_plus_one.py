"""DBG101: a relationship is loaded lazily, once for each parent of one query."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import Field

from pytest_dbguard.core.findings import Certainty, Finding, Fix, Severity, Site
from pytest_dbguard.recording.calls import CallKind, LoadCall, OriginOption
from pytest_dbguard.recording.frames import Mark, Stack
from pytest_dbguard.recording.model import Recording, Statement
from pytest_dbguard.rules.base import Context, Draft, RuleOptions, Stage
from pytest_dbguard.rules.loader_options import LoadPath, load_path
from pytest_dbguard.rules.repetition import Cause, Repetition, autoflushed, explain


class NPlusOneOptions(RuleOptions):
    """Options of n-plus-one."""

    threshold: int = Field(default=2, ge=2, description="lazy loads of one relationship from which it is reported")


@dataclass(frozen=True, slots=True)
class _Loads:
    """The lazy loads of one relationship whose parents came from one execution of one query."""

    statements: tuple[Statement, ...]
    calls: tuple[LoadCall, ...]
    path: LoadPath
    origin: OriginOption | None

    @property
    def parents(self) -> int:
        return len({call.parent for call in self.calls})

    @property
    def is_guess(self) -> bool:
        return self.calls[0].is_guess

    @property
    def busiest(self) -> tuple[Statement, ...]:
        """The statements of the place that sends most of them."""
        places: dict[Any, list[Statement]] = {}
        for statement in self.statements:
            places.setdefault(statement.stack.key, []).append(statement)
        busiest = max(places.values(), key=len)
        return tuple(busiest)


class NPlusOne:
    """n-plus-one (DBG101).

    ## What it does
    Finds relationships that are loaded lazily for two or more parents that came from one execution of one query. It
    names the line that reads the relationship, the query that loaded the parents, and the loader option that loads
    both together. Which query an instance came from is known exactly: it travels with the instance.

    ## Why is this bad?
    One query for the parents and one more for each of them: ten rows in a test are eleven queries, a page of 500 in
    production is 501. Each is fast, all of them together are not, and no single one shows up as slow.

    ## Example
    ```python
    for order in session.scalars(select(Order)):
        print(order.customer.name)
    ```

    ## Use instead
    ```python
    for order in session.scalars(select(Order).options(joinedload(Order.customer))):
        print(order.customer.name)
    ```

    ## Options
    - `threshold` (default 2): the number of lazy loads from which they are reported.
    - `severity` (default "error").

    ## Limits
    Instances that no query loaded (added to the session and flushed, or loaded by `text()`) do not tell where they
    came from. Their loads are reported when a loop repeats them, with the certainty "likely". Loads that one row of
    test data hides are another rule's.
    """

    code: ClassVar[str] = "DBG101"
    name: ClassVar[str] = "n-plus-one"
    severity: ClassVar[Severity] = Severity.ERROR
    stage: ClassVar[Stage] = Stage.STABLE
    options_model: ClassVar[type[RuleOptions]] = NPlusOneOptions

    def __init__(self, options: RuleOptions) -> None:
        self._threshold = getattr(options, "threshold", 2)

    def check(self, recording: Recording, context: Context) -> Iterable[Draft]:
        """Yield a draft for each relationship, query and place of access."""
        merged: dict[Any, list[_Loads]] = {}
        for loads in _groups(recording):
            if len(loads.statements) >= self._threshold and _is_n_plus_one(loads, context, recording):
                origin = loads.origin.stack.site if loads.origin and loads.origin.stack else None
                place = (loads.path.subject, origin, loads.busiest[0].stack.site)
                merged.setdefault(place, []).append(loads)
        for found in merged.values():
            yield self._draft(found, recording, context)

    def _draft(self, found: list[_Loads], recording: Recording, context: Context) -> Draft:
        loads = max(found, key=lambda each: len(each.statements))
        repetition = explain(loads.busiest, context.loops, recording, by_whom=True)
        count = sum(len(each.statements) for each in found)
        site, origin = loads.busiest[0].stack.site, _origin_site(loads)
        parent = loads.path.last.parent.class_.__name__
        in_flush = loads.busiest[0].in_flush
        stacks = {statement.stack.key for each in found for statement in each.statements}
        folded = autoflushed(recording, stacks, ("INSERT", "UPDATE", "DELETE"))
        finding = Finding(
            rule=self.code,
            name=self.name,
            severity=self.severity,
            subject=loads.path.subject,
            message=f"`{loads.path.subject}` is loaded once for each `{parent}`: {count} queries",
            site=site,
            origin=origin,
            loop=_loop_site(repetition),
            certainty=Certainty.LIKELY if loads.is_guess else Certainty.CERTAIN,
            count=count,
            in_test_code=_is_test_code(loads, repetition, site, origin),
            fix=_flush_fix(loads) if in_flush else _fix(loads, origin),
            shape=loads.statements[0].text.shape,
            evidence=(_evidence(loads), *folded.evidence),
        )
        numbers = frozenset(s.number for each in found for s in each.statements)
        return Draft(finding, numbers | folded.numbers)


def _groups(recording: Recording) -> Iterator[_Loads]:
    """Group lazy loads by origin and relationship; those without a known origin also by place."""
    groups: dict[Any, list[tuple[Statement, LoadCall, LoadPath]]] = {}
    for statement in recording.statements:
        call = statement.call
        if type(call) is not LoadCall or call.kind not in (CallKind.LAZY, CallKind.IMMEDIATE):
            continue
        path = load_path(call.path)
        if path is None or statement.stack.marks & Mark.REFRESH:
            continue
        key: Any = (id(call.origin), path.last)
        if call.is_guess:
            key = (path.last, statement.stack.key)
        groups.setdefault(key, []).append((statement, call, path))
    for group in groups.values():
        statements, calls, paths = zip(*group, strict=True)
        shortest = min(paths, key=lambda path: len(path.properties))
        longest = max(paths, key=lambda path: len(path.properties))
        path = longest if longest.is_recursive else shortest
        yield _Loads(statements, calls, path, calls[0].origin)


def _is_n_plus_one(loads: _Loads, context: Context, recording: Recording) -> bool:
    if loads.parents < 2 or _was_thrown_away(loads, recording):
        return False
    depths = [len(call.path) for call in loads.calls]
    if loads.is_guess or len(set(depths)) == len(depths):
        # a chain such as `node.parent.parent` has one parent at each level: only a loop makes it a pattern
        repetition = explain(loads.busiest, context.loops, recording)
        return repetition is not None and len(loads.busiest) >= 2
    return True


def _was_thrown_away(loads: _Loads, recording: Recording) -> bool:
    """Whether the query had loaded the relationship, and the instances expired since: their reload is the defect."""
    if loads.origin is None or not any(load.relationship is loads.path.last for load in loads.origin.eager):
        return False
    places = {statement.stack.key for statement in loads.statements}
    return any(
        type(s.call) is LoadCall and s.call.kind is CallKind.COLUMN and s.stack.key in places
        for s in recording.statements
    )


def _origin_site(loads: _Loads) -> Site | None:
    stack = loads.origin.stack if loads.origin is not None else None
    return stack.site if stack is not None else None


def _loop_site(repetition: Repetition | None) -> Site | None:
    if repetition is None or (repetition.cause is Cause.CALLBACK and len(repetition.statements) < 2):
        return None
    return repetition.loop_site


def _is_test_code(loads: _Loads, repetition: Repetition | None, site: Site | None, origin: Site | None) -> bool:
    """Whether site, origin and loop all lie in tests; a loop of the test over its own query is the test's doing."""
    loop = _loop_site(repetition)
    owner = loop or site
    if origin is None and owner is None:
        return False
    return (origin is None or origin.in_test_code) and (owner is None or owner.in_test_code)


def _evidence(loads: _Loads) -> str:
    parent_class = loads.calls[0].parent_class
    parent = parent_class.__name__ if parent_class is not None else "object"
    counted = (loads.origin.parents or {}).get(parent) if loads.origin and not loads.is_guess else None
    parents = loads.parents
    if counted is not None and counted >= parents:
        return f"{len(loads.statements)} loads for {parents} of {counted} {parent}"
    return f"{len(loads.statements)} loads for {parents} {parent}"


def _fix(loads: _Loads, origin: Site | None) -> Fix:
    stack: Stack | None = loads.origin.stack if loads.origin is not None else None
    marks = stack.marks if stack is not None else Mark.NONE
    if marks & Mark.GET:
        code = f"session.get({loads.path.root}, ..., options=[{loads.path.options}])"
    elif marks & Mark.QUERY:
        code = f"session.query({loads.path.root}).options({loads.path.options})"
    else:
        code = f"select({loads.path.root}).options({loads.path.options})"
    where = "the query that loads the parents"
    return Fix(f"load `{loads.path.subject}` with {where}", code, origin)


def _flush_fix(loads: _Loads) -> Fix:
    prop = loads.path.last
    return Fix(
        "let the database delete the children: the flush loads them only to delete or detach them",
        f'{prop.key} = relationship(..., cascade="all, delete-orphan", passive_deletes=True)\n'
        '# and on the child\'s column: ForeignKey(..., ondelete="CASCADE")',
    )
