"""DBG912: the baseline holds an entry that no longer says anything."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from pytest_dbguard.baseline.model import Entry
from pytest_dbguard.core.findings import Finding, Fix, Severity, Site
from pytest_dbguard.recording.model import Recording
from pytest_dbguard.rules.base import Context, Draft, RuleOptions, Stage

_FIX = Fix("drop what is gone", "pytest --dbguard --dbguard-prune-baseline")


class StaleBaselineEntry:
    """stale-baseline-entry (DBG912).

    ## What it does
    Reports entries of the baseline that a full run shows to be out of date: findings that no longer occur although the
    tests that showed them ran, and counts of tests that are gone. Runs of some of the tests report nothing.

    ## Why is this bad?
    An entry that nobody needs accepts the same defect silently when it comes back.

    ## Example
    ```python
    # in the baseline: [session.get(Customer, key) for key in session.scalars(select(Order.customer_id))]
    session.scalars(select(Customer)).all()
    ```

    ## Use instead
    ```python
    # in the baseline: session.scalars(select(Customer)).all()
    session.scalars(select(Customer)).all()
    ```

    ## Options
    - `severity` (default "note"): "error" fails runs until the entries are dropped.
    """

    code: ClassVar[str] = "DBG912"
    name: ClassVar[str] = "stale-baseline-entry"
    severity: ClassVar[Severity] = Severity.NOTE
    stage: ClassVar[Stage] = Stage.STABLE
    options_model: ClassVar[type[RuleOptions]] = RuleOptions
    is_gate: ClassVar[bool] = True

    def __init__(self, options: RuleOptions) -> None:
        self._options = options

    def check(self, recording: Recording, context: Context) -> Iterable[Draft]:
        """Yield nothing: the run as a whole is judged, against the baseline."""
        return ()

    def accepted_finding(self, entry: Entry, site: Site) -> Finding:
        """Return the finding for an accepted finding that no longer occurs."""
        place = f" in {entry.file}" + (f", {entry.function}" if entry.function else "") if entry.file else ""
        return self._finding(entry.subject, f"{entry.rule} about `{entry.subject}`{place} no longer occurs", site)

    def counts_of(self, test: str, site: Site, *, sets: int = 0) -> Finding:
        """Return the finding for counts of a test that is gone, or of `sets` parameter sets of a test that stays."""
        what = f"{sets} parameter {'set' if sets == 1 else 'sets'} of {test}" if sets else test
        verb = "are" if sets > 1 else "is"
        return self._finding(test, f"counts of {what}, which {verb} gone", site)

    def _finding(self, subject: str, message: str, site: Site) -> Finding:
        return Finding(self.code, self.name, self.severity, subject, message, site, fix=_FIX)
