"""DBG601: a single statement takes long."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from pydantic import Field

from pytest_dbguard.core.findings import Finding, Severity
from pytest_dbguard.recording.model import Recording, Statement
from pytest_dbguard.rules.base import Context, Draft, RuleOptions, Stage


class SlowQueryOptions(RuleOptions):
    """Options of slow-query."""

    threshold_ms: float = Field(default=500, gt=0, description="time of one execution from which it is reported")


class SlowQuery:
    """slow-query (DBG601).

    ## What it does
    Notes statements whose single execution took longer than a threshold in the driver.

    ## Why is this bad?
    What is slow on the few rows of a test is slower on production's. Times differ from machine to machine, though:
    the finding is a note and fails no build unless its severity is raised.

    ## Example
    ```python
    # dbguard: threshold_ms = 0.000001
    session.scalars(select(Customer)).all()
    ```

    ## Use instead
    ```python
    session.scalars(select(Customer)).all()
    ```

    ## Options
    - `threshold_ms` (default 500; also `slow-ms` and `--dbguard-slow-ms`): milliseconds of one execution.
    - `severity` (default "note"): "warning" or "error" make it fail the build.
    """

    code: ClassVar[str] = "DBG601"
    name: ClassVar[str] = "slow-query"
    severity: ClassVar[Severity] = Severity.NOTE
    stage: ClassVar[Stage] = Stage.STABLE
    options_model: ClassVar[type[RuleOptions]] = SlowQueryOptions

    def __init__(self, options: RuleOptions) -> None:
        self._threshold_ms = getattr(options, "threshold_ms", 500)

    def check(self, recording: Recording, context: Context) -> Iterable[Draft]:
        """Yield a draft for each shape and place, from its slowest execution."""
        if recording.prepares:
            return
        slowest: dict[object, Statement] = {}
        for statement in recording.statements:
            if statement.elapsed_ms < self._threshold_ms:
                continue
            key = (statement.text.shape.id, statement.stack.site)
            if key not in slowest or statement.elapsed_ms > slowest[key].elapsed_ms:
                slowest[key] = statement
        for statement in slowest.values():
            yield Draft(self._finding(statement))

    def _finding(self, statement: Statement) -> Finding:
        frames = statement.stack.frames
        return Finding(
            rule=self.code,
            name=self.name,
            severity=self.severity,
            subject=statement.text.table,
            # the measured time stays out of the message, which must be the same in every run
            message=f"a statement on `{statement.text.table}` took longer than {self._threshold_ms:g} ms",
            site=statement.stack.site,
            in_test_code=bool(frames) and all(frame.in_test_code for frame in frames),
            shape=statement.text.shape,
        )
