"""Findings: what a rule has to say about one place, and how sure it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class Severity(StrEnum):
    """How much a finding weighs, from worst to least."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"

    def reaches(self, level: Severity) -> bool:
        """Return whether this severity is as bad as `level` or worse."""
        order = list(Severity)
        return order.index(self) <= order.index(level)


class Certainty(StrEnum):
    """Whether the evidence states the finding or only suggests it."""

    CERTAIN = "certain"
    LIKELY = "likely"


class Status(StrEnum):
    """Whether the baseline accepts the finding."""

    NEW = "new"
    KNOWN = "known"


@dataclass(frozen=True, slots=True, order=True)
class Site:
    """A place in source code: path relative to the root directory with "/" (absolute outside of it), 1-based line.

    `column` and `end_column` are 1-based and count characters, None where Python does not tell them.
    """

    file: str
    line: int
    column: int | None = None
    function: str = ""
    end_line: int | None = None
    end_column: int | None = None
    in_test_code: bool = False

    @property
    def label(self) -> str:
        """The place as people write it: `shop/orders.py:12`."""
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Fix:
    """What to change: one sentence, the code to paste (may be several lines), and where it goes."""

    title: str
    code: str = ""
    place: Site | None = None


class PlanMark(StrEnum):
    """What is to be seen at a line of a plan."""

    NONE = ""
    HOT = "hot"
    REMOVED = "removed"
    ADDED = "added"


@dataclass(frozen=True, slots=True)
class PlanLine:
    """One line of a plan as it is shown: how deep it stands, its text without literals, and what is to be seen."""

    depth: int
    text: str
    mark: PlanMark = PlanMark.NONE


@dataclass(frozen=True, slots=True)
class Remedy:
    """A change to paste, as it is written for one tool: `kind` is "sql", "sqlalchemy" or "alembic"."""

    kind: str
    code: str


@dataclass(frozen=True, slots=True)
class Shape:
    """A statement without its literals: the stable id and the text."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One fact with an address.

    Attributes:
        rule: Stable code such as "DBG101".
        name: Name of the rule such as "n-plus-one".
        severity: How much it weighs.
        subject: What it is about: "Order.customer", "orders.email", a table or a shape.
        message: One line, without literal values.
        site: Where the statement runs (innermost application frame); None where no application frame is on the stack.
        origin: Where the query stands that loaded the parents.
        loop: The head of the loop that repeats the statement.
        certainty: Whether origin and cause are known or inferred.
        count: How many statements the finding stands for, in the test that shows most.
        tests: Node ids of the tests that show it, sorted.
        status: New, or known to the baseline.
        in_test_code: Whether the cause lies in tests, fixtures or factories rather than in the application.
        fix: What to change.
        proof: How the fix was proved; None when it was not tried.
        shape: The statement.
        evidence: Further lines for the full report, such as "6 loads for 6 of 6 Post".
        scope: What was judged: "call", "setup", "teardown", or a request such as "GET /orders".
        basis: What it rests on where a planner can be asked: "proven (...)", "modelled at ... rows", "static"; else "".
        plan: The plan, the costly node marked; of a regression, the one before and the one now.
        remedies: The change, as each tool wants it.
        position: Offset in the text of the statement, as it was sent or stands in its source, that it is about, in
            characters from 0; None for the whole.
    """

    rule: str
    name: str
    severity: Severity
    subject: str
    message: str
    site: Site | None = None
    origin: Site | None = None
    loop: Site | None = None
    certainty: Certainty = Certainty.CERTAIN
    count: int = 1
    tests: tuple[str, ...] = ()
    status: Status = Status.NEW
    in_test_code: bool = False
    fix: Fix | None = None
    proof: str | None = None
    shape: Shape | None = None
    evidence: tuple[str, ...] = ()
    scope: str = "call"
    basis: str = ""
    plan: tuple[PlanLine, ...] = ()
    remedies: tuple[Remedy, ...] = ()
    position: int | None = None

    @property
    def place(self) -> Site | None:
        """The best single place to show: site, else origin, else loop."""
        return self.site or self.origin or self.loop

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """What the baseline knows it by: (rule, subject, file, function); survives moved lines.

        File and function are those of the application's code that causes it (the origin, else the loop), else of the
        site: a new loop over an old repository function is a new finding.
        """
        causes = (place for place in (self.origin, self.loop) if place is not None and not place.in_test_code)
        place = next(causes, self.place)
        return (self.rule, self.subject, place.file if place else "", place.function if place else "")

    def with_status(self, status: Status) -> Finding:
        """Return the same finding with another status."""
        return replace(self, status=status)
