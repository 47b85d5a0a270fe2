"""What a rule is: attributes, options, and one method from a recording to drafts of findings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, Protocol

from pydantic import BaseModel, ConfigDict

from pytest_dbguard.core.findings import Finding, Severity
from pytest_dbguard.planning.assessment import Assessment
from pytest_dbguard.recording.loops import LoopFinder
from pytest_dbguard.recording.model import Recording
from pytest_dbguard.schema.migration import Migration
from pytest_dbguard.sql.shape import StatementText


class Stage(StrEnum):
    """Life cycle of a rule: preview findings are notes until the rule is selected by name."""

    STABLE = "stable"
    PREVIEW = "preview"


class RuleOptions(BaseModel):
    """Options every rule has; a rule adds its own. Unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """A finding and the numbers of the statements it accounts for: one fact is reported once.

    `about` holds statements that it is about without accounting for them: other rules may report them as well.
    """

    finding: Finding
    statements: frozenset[int] = field(default_factory=frozenset)
    about: frozenset[int] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class Context:
    """What rules share while one recording is judged.

    Attributes:
        loops: Finds the loops around a frame.
        claimed: Numbers of the statements that more specific rules account for.
    """

    loops: LoopFinder
    claimed: frozenset[int] = frozenset()


class Rule(Protocol):
    """One check. The class docstring is the documentation that `dbguard explain` prints."""

    code: ClassVar[str]
    name: ClassVar[str]
    severity: ClassVar[Severity]
    stage: ClassVar[Stage]
    options_model: ClassVar[type[RuleOptions]]

    def __init__(self, options: RuleOptions) -> None: ...

    def check(self, recording: Recording, context: Context) -> Iterable[Draft]:
        """Yield a draft for each fact found in one recording."""
        ...


class PlanRule(Rule, Protocol):
    """A rule about the statements of a whole run against one schema; its `check` yields nothing."""

    def judge(self, assessment: Assessment) -> Iterable[Finding]:
        """Yield a finding for each fact and place, with `tests` and `scope`; severity as the rule weighs it."""
        ...


class TextRule(Rule, Protocol):
    """A rule that can tell from the text of one statement alone, beside what it checks in recordings."""

    def of_text(self, text: StatementText) -> Finding | None:
        """Return the finding about a statement in a source, without its place; None where it is innocent."""
        ...


class MigrationRule(Rule, Protocol):
    """A rule about the scripts that change a schema; its `check` yields nothing."""

    def review(self, migration: Migration) -> Iterable[Finding]:
        """Yield a finding for each step that it objects to, with its site; severity as the rule weighs it."""
        ...
