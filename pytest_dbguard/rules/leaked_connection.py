"""DBG504: a connection is taken from a pool and not given back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from pytest_dbguard.core.findings import Finding, Fix, Severity, Site
from pytest_dbguard.recording.frames import Mark, Stack
from pytest_dbguard.recording.model import Recording
from pytest_dbguard.rules.base import Context, Draft, RuleOptions, Stage

_MAX_CALLERS = 4


class LeakedConnection:
    """leaked-connection (DBG504).

    ## What it does
    Finds connections that were taken from their pool while the test ran, and that are still out when the test and its
    fixtures have ended: a `Connection` that nobody closes, a session that is never closed. It names the line that
    took the connection and the way there.

    ## Why is this bad?
    A pool holds a few connections. When they are gone, the next request waits for thirty seconds and fails.

    ## Example
    ```python
    kept = []

    def count():
        connection = engine.connect()
        kept.append(connection)
        return connection.scalar(text("SELECT count(*) FROM job"))

    def main():
        count()
    ```

    ## Use instead
    ```python
    def count():
        with engine.connect() as connection:
            return connection.scalar(text("SELECT count(*) FROM job"))

    def main():
        count()
    ```

    ## Options
    - `severity` (default "warning").

    ## Limits
    Sessions that are older than the test, such as those of a fixture for a whole module, belong to their fixture and
    are left out. Of a session that a test makes and hands to the application, the line is told that first used it.
    Connections that the garbage collector has given back by then are not seen.
    """

    code: ClassVar[str] = "DBG504"
    name: ClassVar[str] = "leaked-connection"
    severity: ClassVar[Severity] = Severity.WARNING
    stage: ClassVar[Stage] = Stage.PREVIEW
    options_model: ClassVar[type[RuleOptions]] = RuleOptions

    def __init__(self, options: RuleOptions) -> None:
        self._options = options

    def check(self, recording: Recording, context: Context) -> Iterable[Draft]:
        """Yield a draft for each place whose connections are still out."""
        if recording.prepares:
            return
        places: dict[object, list[Stack]] = {}
        for stack in recording.open_connections:
            if stack.frames:
                places.setdefault(stack.key, []).append(stack)
        for stacks in places.values():
            yield self._draft(stacks)

    def _draft(self, stacks: list[Stack]) -> Draft:
        stack = stacks[0]
        number = "a connection is" if len(stacks) == 1 else f"{len(stacks)} connections are"
        callers = [frame.site for frame in stack.frames[1 : _MAX_CALLERS + 1]]
        finding = Finding(
            rule=self.code,
            name=self.name,
            severity=self.severity,
            subject="connection",
            message=f"{number} not given back to the pool when the test ends{_by_session(stack)}",
            site=stack.site,
            count=len(stacks),
            in_test_code=stack.frames[0].in_test_code,
            fix=_fix(stack),
            evidence=tuple(_called(place) for place in callers),
        )
        return Draft(finding)


def _by_session(stack: Stack) -> str:
    return ": its session is not closed" if stack.marks & Mark.SESSION else ""


def _fix(stack: Stack) -> Fix:
    if stack.marks & Mark.SESSION:
        return Fix("close the session that took it", "with Session(engine) as session:\n    ...", stack.site)
    return Fix("close it where it is taken", "with engine.connect() as connection:\n    ...", stack.site)


def _called(place: Site) -> str:
    return f"called at {place.label} in {place.function}"
