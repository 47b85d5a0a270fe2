"""Reads and writes the baseline file: JSON with a version, sorted, one entry a line so that git can merge it.

An entry holds no line numbers, counts or times, so that moved lines, other data and other machines change nothing.

It names up to three tests that showed it ("tests"), for two reasons: people can see it again with
`pytest --dbguard TEST`, and an entry is called stale only when each of these tests ran, or is gone, and none showed it:
a test that is skipped on this machine holds its entries back. Names come without parameters, which may hold values.
They change only when none of them shows the finding any more while others do; the order of tests, new tests and
partial runs leave the line as it is. A list of all tests would be exact and would change all the time; no list at
all would let one skipped test hold every entry back. Entries are removed only in a run of the whole suite, and only
when asked: a partial run cannot know which other tests show an entry.

Format history:
    1: "rule", "subject", "file", "function", "places", "tests".
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pytest_dbguard.baseline.model import Baseline, Entry
from pytest_dbguard.core.errors import BaselineError, nearest
from pytest_dbguard.core.files import write_atomically

FORMAT: Final = 1
_START_AGAIN = "delete the file and accept the findings again with --dbguard-update-baseline"
_CONFLICT_MARKERS = ("<<<<<<<", "=======", ">>>>>>>", "|||||||")
_MAX_PROBLEMS = 5


class _EntryLine(BaseModel):
    """One entry as it stands in the file."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    rule: str = Field(min_length=1)
    subject: str
    file: str
    function: str
    places: int = Field(default=1, ge=1)
    tests: list[str] = []

    def entry(self) -> Entry:
        return Entry(self.rule, self.subject, self.file, self.function, self.places, tuple(self.tests))


class _Document(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    format: int
    findings: list[_EntryLine]


def read_baseline(path: Path) -> Baseline:
    """Return what the file accepts; a missing file accepts nothing.

    Raises:
        BaselineError: When the file cannot be read or understood; names the place in it and the next step.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        return Baseline()
    except OSError as error:
        raise BaselineError(f"cannot read the baseline {path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise BaselineError(f"{path}: not UTF-8 text (byte {error.start})", hint=_START_AGAIN) from error
    _refuse_conflict(path, text)
    document = _checked(path, _parsed(path, text))
    return Baseline(tuple(line.entry() for line in document.findings))


def write_baseline(path: Path, baseline: Baseline) -> None:
    """Write the file atomically; a file that says the same already is not touched.

    Raises:
        BaselineError: When the file cannot be written.
    """
    try:
        write_atomically(path, to_text(baseline))
    except OSError as error:
        message = f"cannot write the baseline {path}: {error.strerror or error}"
        raise BaselineError(message, hint="choose another place with --dbguard-baseline PATH") from error


def to_text(baseline: Baseline) -> str:
    """Return the content of the file: the same baseline gives the same bytes."""
    lines = ",\n".join(f"    {_to_line(entry)}" for entry in baseline.entries)
    findings = f"[\n{lines}\n  ]" if lines else "[]"
    return f'{{\n  "format": {FORMAT},\n  "findings": {findings}\n}}\n'


def _to_line(entry: Entry) -> str:
    values = {
        "rule": entry.rule,
        "subject": entry.subject,
        "file": entry.file,
        "function": entry.function,
        "places": entry.places,
        "tests": list(entry.tests),
    }
    return json.dumps(values, ensure_ascii=False)


def _refuse_conflict(path: Path, text: str) -> None:
    # a line of our own never starts with a marker, since entries are indented and strings hold no line breaks
    for number, line in enumerate(text.split("\n"), 1):
        if line.startswith(_CONFLICT_MARKERS):
            raise BaselineError(
                f"{path}:{number}: a merge conflict is not resolved: {line[:40].rstrip()!r}",
                hint="keep the entries of both sides, one a line with commas between them, and delete the markers; "
                "order and duplicates do not matter, --dbguard-update-baseline puts them right",
            )


def _parsed(path: Path, text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        place = f"{path}:{error.lineno}:{error.colno}"
        raise BaselineError(f"{place}: not valid JSON: {error.msg}", hint=f"mend it, or {_START_AGAIN}") from error
    except RecursionError as error:
        raise BaselineError(f"{path}: JSON nested too deeply to be a baseline", hint=_START_AGAIN) from error


def _checked(path: Path, value: Any) -> _Document:
    if not isinstance(value, dict) or "format" not in value:
        raise BaselineError(f'{path}: not a baseline: the key "format" is missing', hint=_START_AGAIN)
    _refuse_other_format(path, value["format"])
    try:
        return _Document.model_validate(value)
    except ValidationError as error:
        problems = error.errors(include_url=False)
        told = [f"{path}: {_problem(problem)}" for problem in problems[:_MAX_PROBLEMS]]
        if len(problems) > _MAX_PROBLEMS:
            told.append(f"{path}: and {len(problems) - _MAX_PROBLEMS} more problems")
        raise BaselineError("\n".join(told), hint=f"mend it, or {_START_AGAIN}") from error


def _refuse_other_format(path: Path, found: Any) -> None:
    if type(found) is int and found == FORMAT:
        return
    if type(found) is int and found > FORMAT:
        step = f"it was written by a newer pytest-dbguard: update this one, or {_START_AGAIN}"
    else:
        step = _START_AGAIN
    raise BaselineError(f"{path}: format {found!r} is not supported, only format {FORMAT} is", hint=step)


def _problem(problem: Any) -> str:
    """Return one problem as `findings[3].places: ..., not 0`; the value is quoted, cut to a readable length."""
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in problem["loc"]).lstrip(".")
    if problem["type"] == "extra_forbidden":
        known = _EntryLine.model_fields if len(problem["loc"]) > 1 else _Document.model_fields
        match = nearest(str(problem["loc"][-1]), known)
        return f"{place}: unknown key" + (f", did you mean {match!r}?" if match else "")
    if problem["type"] == "missing":
        return f"{place}: missing"
    message = problem["msg"][:1].lower() + problem["msg"][1:]
    return f"{place}: {message}, not {problem['input']!r:.60}"
