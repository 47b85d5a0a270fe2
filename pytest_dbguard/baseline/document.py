"""What stands in the baseline file, line by line: checked when it is read, and the same bytes when it is written."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field

from pytest_dbguard.baseline.counts import CountEntry, Counts, TestKey
from pytest_dbguard.baseline.model import Baseline, Entry
from pytest_dbguard.baseline.plans import PlanBasis, PlanEntry, PlanKey, Plans

FORMAT: Final = 3
READABLE: Final = (1, 2, 3)

_CHECKED = ConfigDict(extra="forbid", strict=True, frozen=True)


class FindingLine(BaseModel):
    """One accepted finding as it stands in the file."""

    model_config = _CHECKED

    rule: str = Field(min_length=1)
    subject: str
    file: str
    function: str
    places: int = Field(default=1, ge=1)
    tests: list[str] = []

    def entry(self) -> Entry:
        """Return what the line accepts."""
        return Entry(self.rule, self.subject, self.file, self.function, self.places, tuple(self.tests))


class CountLine(BaseModel):
    """The counts of one test in one scope as they stand in the file."""

    model_config = _CHECKED

    test: str = Field(min_length=1)
    parameters: str = ""
    scope: str = Field(min_length=1)
    statements: dict[str, Annotated[int, Field(ge=1)]]

    def entry(self) -> CountEntry:
        """Return what the line accepts."""
        return CountEntry.of(TestKey(self.test, self.parameters), self.scope, self.statements)


class AcceptedPlanLine(BaseModel):
    """One accepted plan as it stands in the file."""

    model_config = _CHECKED

    dialect: str = Field(min_length=1)
    shape: str = Field(min_length=1)
    tables: dict[str, Annotated[int, Field(ge=0)]]
    plan: list[str] = Field(min_length=1)
    cost: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    constants: str = ""

    def entry(self) -> PlanEntry:
        """Return what the line accepts."""
        key = PlanKey(self.dialect, self.shape)
        return PlanEntry(key, tuple(sorted(self.tables.items())), tuple(self.plan), self.cost, self.constants)


class PlannedWithLine(BaseModel):
    """What the plans of one dialect were made with, as it stands in the file."""

    model_config = _CHECKED

    version: str
    sizes: str
    statistics: str

    def basis(self) -> PlanBasis:
        """Return what the line says."""
        return PlanBasis(self.version, self.sizes, self.statistics)


class Document(BaseModel):
    """The whole file."""

    model_config = _CHECKED

    format: int
    findings: list[FindingLine]
    counts: list[CountLine] = []
    plans: list[AcceptedPlanLine] = []
    planned_with: dict[str, PlannedWithLine] = {}
    shapes: dict[str, str] = {}

    def baseline(self) -> Baseline:
        """Return what the file accepts."""
        texts = tuple(self.shapes.items())
        counts = Counts(tuple(line.entry() for line in self.counts), texts)
        made_with = {dialect: line.basis() for dialect, line in self.planned_with.items()}
        plans = Plans(tuple(line.entry() for line in self.plans), made_with, texts)
        return Baseline(tuple(line.entry() for line in self.findings), counts, plans)


def known_keys(location: tuple[int | str, ...]) -> Iterable[str]:
    """Return the keys that may stand where an unknown one was found."""
    if len(location) == 1:
        return Document.model_fields
    models: dict[str, type[BaseModel]] = {
        "counts": CountLine,
        "plans": AcceptedPlanLine,
        "planned_with": PlannedWithLine,
    }
    return models.get(str(location[0]), FindingLine).model_fields


def to_text(baseline: Baseline) -> str:
    """Return the content of the file: the same baseline gives the same bytes."""
    findings = _block("[]", map(finding_line, baseline.entries))
    counts = _block("[]", map(count_line, baseline.counts.entries))
    plans = _block("[]", map(plan_line, baseline.plans.entries))
    bases = baseline.plans.made_with.items()
    planned_with = _block("{}", (f"{_json(dialect)}: {_json(basis_json(basis))}" for dialect, basis in bases))
    texts = {**dict(baseline.plans.texts), **dict(baseline.counts.texts)}
    shapes = _block("{}", (f"{_json(shape)}: {_json(text)}" for shape, text in sorted(texts.items())))
    parts = {"findings": findings, "counts": counts, "plans": plans, "planned_with": planned_with, "shapes": shapes}
    body = "".join(f',\n  "{name}": {part}' for name, part in parts.items())
    return f'{{\n  "format": {FORMAT}{body}\n}}\n'


def finding_line(entry: Entry) -> str:
    """Return the line of an accepted finding, without the comma."""
    return _json(
        {
            "rule": entry.rule,
            "subject": entry.subject,
            "file": entry.file,
            "function": entry.function,
            "places": entry.places,
            "tests": list(entry.tests),
        }
    )


def count_line(entry: CountEntry) -> str:
    """Return the line of a test's counts, without the comma."""
    parameters = {"parameters": entry.key.parameters} if entry.key.parameters else {}
    return _json(
        {"test": entry.key.test, **parameters, "scope": entry.scope, "statements": dict(entry.statements)},
    )


def plan_line(entry: PlanEntry) -> str:
    """Return the line of an accepted plan, without the comma."""
    cost = {} if entry.cost is None else {"cost": entry.cost}
    constants = {"constants": entry.constants} if entry.constants else {}
    return _json(
        {
            "dialect": entry.key.dialect,
            "shape": entry.key.shape,
            "tables": dict(entry.tables),
            "plan": list(entry.plan),
            **cost,
            **constants,
        }
    )


def basis_json(basis: PlanBasis) -> dict[str, str]:
    """Return what plans were made with, as it stands in the file."""
    return {"version": basis.version, "sizes": basis.sizes, "statistics": basis.statistics}


def _block(brackets: str, entries: Iterable[str]) -> str:
    lines = ",\n".join(f"    {entry}" for entry in entries)
    return f"{brackets[0]}\n{lines}\n  {brackets[1]}" if lines else brackets


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
