"""DBG505: one transaction flushes again and again instead of sending its rows together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import ClassVar

from pydantic import Field

from pytest_dbguard.core.findings import Finding, Fix, Severity, Site
from pytest_dbguard.recording.frames import Mark
from pytest_dbguard.recording.model import Recording, Statement
from pytest_dbguard.rules.base import Context, Draft, RuleOptions, Stage

_WORST = 3


class FlushStormOptions(RuleOptions):
    """Options of flush-storm."""

    threshold: int = Field(default=10, ge=2, description="flushes of one transaction from which they are reported")


class FlushStorm:
    """flush-storm (DBG505).

    ## What it does
    Finds transactions in which the application flushes many times, from whatever places, and each time sends few rows:
    a `flush()` after each object, or queries that flush what is pending before they run. It names the places that
    flush most. What one place repeats in a loop is write-in-loop's or commit-in-loop's.

    ## Why is this bad?
    Each flush walks through all objects of the session and sends its rows by themselves. One flush sends rows of one
    table together.

    ## Example
    ```python
    # dbguard: threshold = 4
    def add(row):
        session.add(row)
        session.flush()

    def main():
        add(LogEntry(message="a"))
        add(Job())
        add(LogEntry(message="b"))
        add(Job())
    ```

    ## Use instead
    ```python
    # dbguard: threshold = 4
    session.add_all([LogEntry(message="a"), Job(), LogEntry(message="b"), Job()])
    session.flush()
    ```

    ## Options
    - `threshold` (default 10): the number of flushes of one transaction from which they are reported.
    - `severity` (default "warning").

    ## Limits
    Flushes that send nothing are not seen. Flushes of tests, fixtures and factories are left out.
    """

    code: ClassVar[str] = "DBG505"
    name: ClassVar[str] = "flush-storm"
    severity: ClassVar[Severity] = Severity.WARNING
    stage: ClassVar[Stage] = Stage.PREVIEW
    options_model: ClassVar[type[RuleOptions]] = FlushStormOptions

    def __init__(self, options: RuleOptions) -> None:
        self._threshold = getattr(options, "threshold", 10)

    def check(self, recording: Recording, context: Context) -> Iterable[Draft]:
        """Yield a draft for each transaction that flushes too often."""
        if recording.prepares:
            return
        transactions: dict[int, dict[int, list[Statement]]] = {}
        for statement in recording.statements:
            frames = statement.stack.frames
            is_ours = bool(frames) and not frames[0].in_test_code and statement.number not in context.claimed
            if statement.flush and statement.text.is_write and is_ours:
                flushes = transactions.setdefault(statement.transaction, {})
                flushes.setdefault(statement.flush, []).append(statement)
        for flushes in transactions.values():
            if len(flushes) >= self._threshold:
                yield self._draft(flushes)

    def _draft(self, flushes: dict[int, list[Statement]]) -> Draft:
        statements = [statement for flush in flushes.values() for statement in flush]
        places = Counter(flush[0].stack.site for flush in flushes.values() if flush[0].stack.site is not None)
        tables = Counter(statement.text.table for statement in statements)
        worst = places.most_common(_WORST)
        site: Site | None = min((place for place, times in worst if times == worst[0][1]), default=None)
        table = max(tables, key=lambda name: (tables[name], name))
        by_query = sum(bool(flush[0].stack.marks & Mark.AUTOFLUSH) for flush in flushes.values())
        finding = Finding(
            rule=self.code,
            name=self.name,
            severity=self.severity,
            subject=table,
            message=f"{len(flushes)} flushes in one transaction send {len(statements)} statements",
            site=site,
            count=len(flushes),
            fix=_fix(by_query * 2 > len(flushes)),
            evidence=tuple(f"{times} at {place.label} in {place.function}" for place, times in worst),
        )
        return Draft(finding, frozenset(statement.number for statement in statements))


def _fix(by_queries: bool) -> Fix:
    if by_queries:
        title = "let pending rows wait while queries run that do not need them"
        return Fix(title, "with session.no_autoflush:\n    ...")
    return Fix("add all objects, then flush once; relationships hand keys on without a flush", "session.flush()")
