"""The verdict on a run: the one value that every report is made from."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_dbguard.core.findings import Finding, Severity, Shape, Site, Status


@dataclass(frozen=True, slots=True)
class SlowStatement:
    """The slowest single execution of the run."""

    elapsed_ms: float
    shape: Shape
    site: Site | None


@dataclass(frozen=True, slots=True)
class Fault:
    """An error of dbguard's own, kept so that it can be told once at the end: where, and the exception as text."""

    where: str
    error: str


@dataclass(frozen=True, slots=True)
class RunTotals:
    """What was recorded in the whole run; where sources were read instead, `files` is their number, else None.

    `migrations` and `tables` are those that were looked at beside statements, `by_tests` the statements of saved runs
    that test code alone runs.
    """

    tests: int = 0
    statements: int = 0
    shapes: int = 0
    elapsed_ms: float = 0.0
    slowest: SlowStatement | None = None
    files: int | None = None
    migrations: int = 0
    tables: int = 0
    by_tests: int = 0


@dataclass(frozen=True, slots=True)
class Planning:
    """How the statements of a run were planned.

    Attributes:
        labs: A line for each schema: how many shapes, at what sizes, by which planner.
        not_analysed: (reason, number of shapes) of those about whose plans nothing is said.
        told: What else there is to know: how statistics and schema differ, which better lab could not be had.
        elapsed_ms: What planning took, in milliseconds.
    """

    labs: tuple[str, ...] = ()
    not_analysed: tuple[tuple[str, int], ...] = ()
    told: tuple[str, ...] = ()
    elapsed_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class BaselineState:
    """What the baseline did in this run.

    Attributes:
        path: The file as shown to people; None when no baseline is used.
        entries: Number of accepted findings it holds.
        stale: Number of entries whose tests could have shown them and did not; only known for full runs, else 0.
        updated: Whether this run rewrote it.
        counted: Number of tests whose counts of statements it holds.
        improved: Number of tests that run fewer statements than it says.
        saved: How many fewer statements that is in all.
    """

    path: str | None = None
    entries: int = 0
    stale: int = 0
    updated: bool = False
    counted: int = 0
    improved: int = 0
    saved: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """The findings of a run, worst and first in reading order, and whether they fail it.

    Attributes:
        findings: What is reported about the application (and about tests when `test_code` is "report"), sorted.
        test_findings: Findings about test code that only count as notes.
        fail_on: The severity from which new findings fail the run; None for never.
        ignored: Number of findings silenced by inline comments, markers or fixtures.
        planning: How statements were planned; None where no rule asked for it.
    """

    findings: tuple[Finding, ...] = ()
    test_findings: tuple[Finding, ...] = ()
    totals: RunTotals = RunTotals()
    baseline: BaselineState = BaselineState()
    fail_on: Severity | None = Severity.WARNING
    ignored: int = 0
    faults: tuple[Fault, ...] = ()
    slow_ms: float | None = None
    planning: Planning | None = None

    @property
    def new(self) -> tuple[Finding, ...]:
        """Findings that the baseline does not know, notes included."""
        return tuple(f for f in self.findings if f.status is Status.NEW)

    @property
    def known(self) -> tuple[Finding, ...]:
        """Findings that the baseline accepts."""
        return tuple(f for f in self.findings if f.status is Status.KNOWN)

    @property
    def failing(self) -> tuple[Finding, ...]:
        """New findings at or above `fail_on`: these fail the run."""
        if self.fail_on is None:
            return ()
        return tuple(f for f in self.new if f.severity.reaches(self.fail_on))

    @property
    def passed(self) -> bool:
        """Whether nothing new reaches `fail_on` and no rule failed."""
        return not self.failing and not self.faults
