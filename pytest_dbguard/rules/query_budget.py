"""DBG901: a test runs more statements than its budget allows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import ClassVar

from pytest_dbguard.core.findings import Finding, Fix, Severity
from pytest_dbguard.recording.model import Recording
from pytest_dbguard.rules.base import Context, Draft, RuleOptions, Stage


class QueryBudget:
    """query-budget (DBG901).

    ## What it does
    Reports tests that run more statements in their call phase than their budget allows: the marker
    `@pytest.mark.dbguard(max_queries=5)`, else `max-queries` of the configuration or `--dbguard-max-queries`. Setup
    and teardown are not counted; requests that a test sends are.

    ## Why is this bad?
    A budget is a promise about a page or a job. Who breaks it should notice in review, not in production.

    ## Example
    ```python
    # dbguard: max_queries = 1
    session.scalars(select(Customer)).all()
    session.scalars(select(Order)).all()
    ```

    ## Use instead
    ```python
    # dbguard: max_queries = 2
    session.scalars(select(Customer)).all()
    session.scalars(select(Order)).all()
    ```

    ## Options
    - `severity` (default "error").
    """

    code: ClassVar[str] = "DBG901"
    name: ClassVar[str] = "query-budget"
    severity: ClassVar[Severity] = Severity.ERROR
    stage: ClassVar[Stage] = Stage.STABLE
    options_model: ClassVar[type[RuleOptions]] = RuleOptions

    def __init__(self, options: RuleOptions) -> None:
        self._options = options

    def check(self, recording: Recording, context: Context) -> Iterable[Draft]:
        """Yield one draft when the recording is over its budget."""
        budget, count = recording.max_queries, recording.total_count
        if budget is None or count <= budget:
            return
        site = recording.test_site
        most = Counter(s.stack.site for s in recording.statements if s.stack.site is not None).most_common(3)
        finding = Finding(
            rule=self.code,
            name=self.name,
            severity=self.severity,
            subject=recording.name,
            message=f"{count} queries, at most {budget} are allowed",
            site=site,
            count=count,
            fix=Fix("run fewer statements, or raise the budget and say why in review"),
            evidence=tuple(f"{times} at {place.label} in {place.function}" for place, times in most),
        )
        yield Draft(finding)
