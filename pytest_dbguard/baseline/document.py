"""What stands in the baseline file, line by line: checked when it is read, and the same bytes when it is written."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field

from pytest_dbguard.baseline.counts import CountEntry, Counts, TestKey
from pytest_dbguard.baseline.model import Baseline, Entry

FORMAT: Final = 2
READABLE: Final = (1, 2)

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


class Document(BaseModel):
    """The whole file."""

    model_config = _CHECKED

    format: int
    findings: list[FindingLine]
    counts: list[CountLine] = []
    shapes: dict[str, str] = {}

    def baseline(self) -> Baseline:
        """Return what the file accepts."""
        counts = Counts(tuple(line.entry() for line in self.counts), tuple(self.shapes.items()))
        return Baseline(tuple(line.entry() for line in self.findings), counts)


def known_keys(location: tuple[int | str, ...]) -> Iterable[str]:
    """Return the keys that may stand where an unknown one was found."""
    if len(location) == 1:
        return Document.model_fields
    return (CountLine if location[0] == "counts" else FindingLine).model_fields


def to_text(baseline: Baseline) -> str:
    """Return the content of the file: the same baseline gives the same bytes."""
    findings = _block("[]", map(finding_line, baseline.entries))
    counts = _block("[]", map(count_line, baseline.counts.entries))
    shapes = _block("{}", (f"{_json(shape)}: {_json(text)}" for shape, text in baseline.counts.texts))
    return f'{{\n  "format": {FORMAT},\n  "findings": {findings},\n  "counts": {counts},\n  "shapes": {shapes}\n}}\n'


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


def _block(brackets: str, entries: Iterable[str]) -> str:
    lines = ",\n".join(f"    {entry}" for entry in entries)
    return f"{brackets[0]}\n{lines}\n  {brackets[1]}" if lines else brackets


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
