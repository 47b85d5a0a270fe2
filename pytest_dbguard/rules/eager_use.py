"""Whether what a query loads along is read: the facts that unused-eager-load stands on, in one test and in a run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pytest_dbguard.core.findings import Site
from pytest_dbguard.recording.calls import OriginOption
from pytest_dbguard.recording.eager import EagerLoad
from pytest_dbguard.recording.model import Recording
from pytest_dbguard.rules.loader_options import name_of


@dataclass(frozen=True, slots=True)
class EagerUse:
    """A relationship that one execution of a query loaded along for at least one instance.

    Attributes:
        origin: The query.
        load: What it loads along.
        is_read: Whether anybody read it in this scope.
    """

    origin: OriginOption
    load: EagerLoad
    is_read: bool

    @property
    def subject(self) -> str:
        """The relationship: `Order.items`."""
        return name_of(self.load.relationship)

    @property
    def site(self) -> Site | None:
        """Where the query stands."""
        return self.origin.stack.site if self.origin.stack is not None else None


def eager_uses(recording: Recording) -> Iterator[EagerUse]:
    """Yield what the queries of a scope loaded along; below a relationship that is not read, nothing more.

    What was loaded only to be deleted with its parents counts as read: cascades do not go through attributes.
    """
    if not recording.eager:
        return
    deleted = {name for s in recording.statements if s.text.verb == "DELETE" for name in s.text.tables}
    for origin in recording.eager:
        if origin.stack is None or not origin.fetched:
            continue
        unread: list[EagerLoad] = []
        for load in sorted(origin.eager, key=lambda each: len(each.path)):
            relationship = load.relationship
            if relationship not in origin.fetched or any(_lies_below(load, outer) for outer in unread):
                continue
            is_read = relationship in (origin.reads or ()) or relationship in recording.reads_elsewhere
            is_read = is_read or str(getattr(relationship.target, "name", "")) in deleted
            if not is_read:
                unread.append(load)
            yield EagerUse(origin, load, is_read)


def _lies_below(load: EagerLoad, outer: EagerLoad) -> bool:
    return load.path[: len(outer.path)] == outer.path
