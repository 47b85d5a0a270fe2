"""DBG109: a query joins collections in a way that multiplies its rows or hinders its LIMIT."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import ClassVar

from pytest_dbguard.core.findings import Finding, Fix, Severity
from pytest_dbguard.recording.calls import OriginOption
from pytest_dbguard.recording.eager import EagerLoad
from pytest_dbguard.recording.model import Recording
from pytest_dbguard.rules.base import Context, Draft, RuleOptions, Stage
from pytest_dbguard.rules.loader_options import LoadPath, name_of

_SUBQUERY = re.compile(r"\b(LIMIT|FETCH (FIRST|NEXT)) .*\) AS anon_\d+ (LEFT OUTER )?JOIN ", re.IGNORECASE)
"""How SQLAlchemy writes a query with LIMIT whose rows are joined with a collection."""


class OverEagerLoad:
    """over-eager-load (DBG109).

    ## What it does
    Finds queries that load two or more collections by `joinedload` side by side, and notes queries with LIMIT that
    load a collection by `joinedload`. Collections below one another (`Order.items`, then `Item.parts`) and
    many-to-one relationships do not multiply and are not reported.

    ## Why is this bad?
    Two collections of 20 rows each, joined to one parent, are 400 rows that are sent, read and thrown away but for
    40. With LIMIT, SQLAlchemy has to put the query into a subquery before it joins.

    ## Example
    ```python
    query = select(Order).options(joinedload(Order.items), joinedload(Order.labels))
    for order in session.scalars(query).unique():
        print(len(order.items), len(order.labels))
    ```

    ## Use instead
    ```python
    query = select(Order).options(selectinload(Order.items), selectinload(Order.labels))
    for order in session.scalars(query):
        print(len(order.items), len(order.labels))
    ```

    ## Options
    - `severity` (default "warning").
    """

    code: ClassVar[str] = "DBG109"
    name: ClassVar[str] = "over-eager-load"
    severity: ClassVar[Severity] = Severity.WARNING
    stage: ClassVar[Stage] = Stage.STABLE
    options_model: ClassVar[type[RuleOptions]] = RuleOptions

    def __init__(self, options: RuleOptions) -> None:
        self._options = options

    def check(self, recording: Recording, context: Context) -> Iterable[Draft]:
        """Yield a draft for each query that joins too much; the same query from the same place once."""
        told: set[object] = set()
        for origin in recording.eager:
            if origin.stack is None or origin.statement is None:
                continue
            key = (origin.stack.key, origin.statement.shape.id)
            if key in told:
                continue
            told.add(key)
            yield from self._judge(origin, recording)

    def _judge(self, origin: OriginOption, recording: Recording) -> Iterator[Draft]:
        collections = [load for load in origin.eager if load.strategy == "joined" and load.relationship.uselist]
        beside = _beside_each_other(origin, collections)
        if beside:
            names = [f"`{name_of(load.relationship)}`" for load in beside]
            several = f"{', '.join(names[:-1])} and {names[-1]}"
            message = f"{several} are joined side by side and multiply the rows"
            yield self._draft(origin, beside, message, self.severity, recording.numbers_of(origin))
            return
        limited = [load for load in collections if _statement_of(origin, load) == ()]
        if limited and _SUBQUERY.search(origin.statement.shape.text):
            name = name_of(limited[0].relationship)
            message = f"`{name}` is joined to a query with LIMIT, which becomes a subquery"
            yield self._draft(origin, limited[:1], message, Severity.NOTE, recording.numbers_of(origin))

    def _draft(
        self, origin: OriginOption, loads: list[EagerLoad], message: str, severity: Severity, about: frozenset[int]
    ) -> Draft:
        stack = origin.stack
        frames = stack.frames if stack is not None else ()
        options = ", ".join(LoadPath(load.path).options for load in loads)
        site = stack.site if stack is not None else None
        finding = Finding(
            rule=self.code,
            name=self.name,
            severity=severity,
            subject=name_of(loads[0].relationship),
            message=message,
            site=site,
            in_test_code=bool(frames) and all(frame.in_test_code for frame in frames),
            fix=Fix("load collections by a query of their own", f".options({options})", site),
            shape=origin.statement.shape,
        )
        return Draft(finding, about=about)


def _statement_of(origin: OriginOption, load: EagerLoad) -> tuple[object, ...]:
    """Return the path to the nearest relationship that is loaded by a statement of its own; () for the query's."""
    strategies = {each.path: each.strategy for each in origin.eager}
    for length in range(len(load.path) - 1, 0, -1):
        if strategies.get(load.path[:length]) in ("selectin", "subquery", "immediate"):
            return load.path[:length]
    return ()


def _beside_each_other(origin: OriginOption, collections: list[EagerLoad]) -> list[EagerLoad]:
    """Return joined collections of one statement of which none lies below another; [] for fewer than two."""
    by_statement: dict[tuple[object, ...], list[EagerLoad]] = {}
    for load in collections:
        by_statement.setdefault(_statement_of(origin, load), []).append(load)
    for loads in by_statement.values():
        beside = [load for load in loads if any(_are_beside(load, other) for other in loads)]
        if beside:
            return [load for load in beside if not any(_lies_below(load, other) for other in beside)]
    return []


def _are_beside(one: EagerLoad, other: EagerLoad) -> bool:
    return one.path != other.path and not _lies_below(one, other) and not _lies_below(other, one)


def _lies_below(load: EagerLoad, other: EagerLoad) -> bool:
    return len(load.path) > len(other.path) and load.path[: len(other.path)] == other.path
