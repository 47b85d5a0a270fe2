"""DBG911: something says not to report a finding that nobody finds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from pytest_dbguard.core.findings import Finding, Fix, Severity, Site
from pytest_dbguard.recording.model import Recording
from pytest_dbguard.rules.base import Context, Draft, RuleOptions, Stage


class UnusedIgnore:
    """unused-ignore (DBG911).

    ## What it does
    Reports ignores that silenced nothing in a run of the whole suite: comments in the files that the run imported,
    words of the configuration with a subject or a path, markers, and blocks of `dbguard.ignore`. Ignores that can
    silence nothing are warnings in every run: an unknown rule, a comment that names none, and in a full run a subject
    that no model has.

    ## Why is this bad?
    What it once excused is mended. The next defect at that place would be excused as well, and nobody would be told.

    ## Example
    ```python
    def names(session):
        orders = session.scalars(select(Order).options(joinedload(Order.customer)))
        return [order.customer.name for order in orders]  # dbguard: ignore[DBG101] three orders at most
    ```

    ## Use instead
    ```python
    def names(session):
        orders = session.scalars(select(Order).options(joinedload(Order.customer)))
        return [order.customer.name for order in orders]
    ```

    ## Options
    - `severity` (default "warning"): without it, what is merely unused is a note while this rule is in preview.

    ## Limits
    Ignores of rules that do not run are not judged, nor are rules that the configuration leaves out altogether, and
    comments in SQL text. Where tests failed or were skipped, what is unused is only likely.
    """

    code: ClassVar[str] = "DBG911"
    name: ClassVar[str] = "unused-ignore"
    severity: ClassVar[Severity] = Severity.WARNING
    stage: ClassVar[Stage] = Stage.PREVIEW
    options_model: ClassVar[type[RuleOptions]] = RuleOptions
    is_gate: ClassVar[bool] = True

    def __init__(self, options: RuleOptions) -> None:
        self._options = options

    @property
    def severity_of_mistakes(self) -> Severity:
        """How much an ignore weighs that can silence nothing: a mistake is no matter of taste."""
        return self._options.severity or Severity.WARNING

    def check(self, recording: Recording, context: Context) -> Iterable[Draft]:
        """Yield nothing: the run as a whole is judged."""
        return ()

    def finding(self, subject: str, message: str, site: Site | None, fix: str, severity: Severity) -> Finding:
        """Return the finding about one ignore."""
        return Finding(self.code, self.name, severity, subject, message, site, fix=Fix(fix))
