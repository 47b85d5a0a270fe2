"""Lazy loads that happen once in a test because of its data: what the rules about hidden n-plus-ones have in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pytest_dbguard.core.findings import Finding, Fix, Site
from pytest_dbguard.recording.calls import CallKind, LoadCall, OriginOption
from pytest_dbguard.recording.frames import Mark
from pytest_dbguard.recording.model import Recording, Statement
from pytest_dbguard.rules.base import Draft, Rule
from pytest_dbguard.rules.loader_options import LoadPath, load_path


@dataclass(frozen=True, slots=True)
class HiddenLoad:
    """The only lazy load of one relationship for the instances of one query."""

    statement: Statement
    call: LoadCall
    path: LoadPath
    origin: OriginOption

    @property
    def query(self) -> Site | None:
        """Where the query stands that loaded the parent."""
        return self.origin.stack.site if self.origin.stack is not None else None

    def draft(self, rule: Rule, why: str, *, loop: Site | None = None, by_test: bool) -> Draft:
        """Return the draft of a rule: what would happen with other data, and `why` it does not happen here.

        `by_test` says whether test code reads the relationship or repeats the read.
        """
        path, query = self.path, self.query
        parent = path.last.parent.class_.__name__
        finding = Finding(
            rule=rule.code,
            name=rule.name,
            severity=rule.severity,
            subject=path.subject,
            message=f"`{path.subject}` would be loaded once for each `{parent}`: {why}",
            site=self.statement.stack.site,
            origin=query,
            loop=loop,
            in_test_code=by_test and (query is None or query.in_test_code),
            fix=Fix(
                f"load `{path.subject}` with the query that loads the parents",
                f"select({path.root}).options({path.options})",
                query,
            ),
            shape=self.statement.text.shape,
        )
        return Draft(finding, frozenset({self.statement.number}))


def hidden_loads(recording: Recording, claimed: frozenset[int]) -> Iterator[HiddenLoad]:
    """Yield the lazy loads that are the only one of their relationship and query, but for those of claimed places.

    A place of which a statement is claimed shows it as an n-plus-one in another round.
    """
    told = {recording.statements[number].stack.key for number in claimed}
    loads: list[tuple[HiddenLoad, Any]] = []
    for statement in recording.statements:
        call = statement.call
        if type(call) is not LoadCall or call.kind is not CallKind.LAZY or call.is_guess or statement.in_flush:
            continue
        path = load_path(call.path)
        if path is None or call.origin is None or statement.stack.marks & Mark.REFRESH:
            continue
        loads.append((HiddenLoad(statement, call, path, call.origin), (id(call.origin), path.last)))
    times = Counter(key for _, key in loads)
    for load, key in loads:
        if times[key] == 1 and load.origin.stack is not None and load.statement.stack.key not in told:
            yield load
