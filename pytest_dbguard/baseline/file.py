"""Reads and writes the baseline file: JSON with a version, sorted, one entry a line so that git can merge it.

An entry holds no line numbers, counts or times, so that moved lines, other data and other machines change nothing.

It names up to three tests that showed it ("tests"), for two reasons: people can see it again with
`pytest --dbguard TEST`, and an entry is called stale only when each of these tests ran, or is gone, and none showed it:
a test that is skipped on this machine holds its entries back. Names come without parameters, which may hold values.
They change only when none of them shows the finding any more while others do; the order of tests, new tests and
partial runs leave the line as it is. A list of all tests would be exact and would change all the time; no list at
all would let one skipped test hold every entry back. Entries are removed only in a run of the whole suite, and only
when asked: a partial run cannot know which other tests show an entry.

"counts" holds for each test and scope the statements by the id of their shape, "shapes" what the ids stand for, cut
to a readable length. A test with parameters has a line for each set of them, told apart by a hash, since the
parameters may hold values. A merge of two branches that leaves two lines for one test and scope is put right by the
larger one: it accepts what either branch ran, and the next update says what is true. Only tests that ran to their
end change their lines.

"plans" holds for each shape on each kind of database how its tables are read, the rows that the planner believed in,
and the cost; "planned_with" what all plans of that database were made with. "constants" is a hash of values and lengths
of lists that can change a plan, too short to tell them. A shape that runs on schemas that differ has a line for each
plan. Where a merge leaves lines of two branches, both plans are accepted until the next update.
A partial update with another planner takes the costs out of the lines that it does not renew: they cannot be compared.

Format history:
    1: "findings", each with "rule", "subject", "file", "function", "places", "tests".
    2: "counts", each with "test", "parameters" (where it has some), "scope", "statements"; "shapes". Files of format 1
       are read, and written in the newest format with the next change.
    3: "plans", each with "dialect", "shape", "tables", "plan", "cost" (where the planner tells one),
       "constants" (where the text has some); "planned_with", by dialect, each with "version", "sizes", "statistics".
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pytest_dbguard.baseline.counts import TestKey
from pytest_dbguard.baseline.document import FORMAT, READABLE, CountLine, Document, FindingLine, known_keys, to_text
from pytest_dbguard.baseline.model import Baseline, Identity
from pytest_dbguard.core.errors import BaselineError, nearest
from pytest_dbguard.core.files import write_atomically

_START_AGAIN = "delete the file and accept the findings again with --dbguard-update-baseline"
_CONFLICT_MARKERS = ("<<<<<<<", "=======", ">>>>>>>", "|||||||")
_MAX_PROBLEMS = 5


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
    return _checked(path, _parsed(path, text)).baseline()


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


def line_numbers(path: Path) -> dict[Identity | TestKey, int]:
    """Return where accepted findings and the counts of tests stand in the file, from 1.

    What a person wrote otherwise than one entry a line is left out, as is all where the file cannot be read.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return {}
    found: dict[Identity | TestKey, int] = {}
    for number, line in enumerate(text.split("\n"), 1):
        entry = _entry_in(line.strip().removesuffix(","))
        if entry is not None:
            found.setdefault(entry, number)
    return found


def _entry_in(line: str) -> Identity | TestKey | None:
    with suppress(ValidationError):
        return FindingLine.model_validate_json(line).entry().identity
    with suppress(ValidationError):
        return CountLine.model_validate_json(line).entry().key
    return None


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


def _checked(path: Path, value: Any) -> Document:
    if not isinstance(value, dict) or "format" not in value:
        raise BaselineError(f'{path}: not a baseline: the key "format" is missing', hint=_START_AGAIN)
    _refuse_other_format(path, value["format"])
    try:
        return Document.model_validate(value)
    except ValidationError as error:
        problems = error.errors(include_url=False)
        told = [f"{path}: {_problem(problem)}" for problem in problems[:_MAX_PROBLEMS]]
        if len(problems) > _MAX_PROBLEMS:
            told.append(f"{path}: and {len(problems) - _MAX_PROBLEMS} more problems")
        raise BaselineError("\n".join(told), hint=f"mend it, or {_START_AGAIN}") from error


def _refuse_other_format(path: Path, found: Any) -> None:
    if type(found) is int and found in READABLE:
        return
    if type(found) is int and found > FORMAT:
        step = f"it was written by a newer pytest-dbguard: update this one, or {_START_AGAIN}"
    else:
        step = _START_AGAIN
    raise BaselineError(f"{path}: format {found!r} is not supported, only formats {_listed(READABLE)} are", hint=step)


def _listed(values: Iterable[int]) -> str:
    *first, last = map(str, values)
    return f"{', '.join(first)} and {last}"


def _problem(problem: Any) -> str:
    """Return one problem as `findings[3].places: ..., not 0`; the value is quoted, cut to a readable length."""
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in problem["loc"]).lstrip(".")
    if problem["type"] == "extra_forbidden":
        match = nearest(str(problem["loc"][-1]), known_keys(problem["loc"]))
        return f"{place}: unknown key" + (f", did you mean {match!r}?" if match else "")
    if problem["type"] == "missing":
        return f"{place}: missing"
    message = problem["msg"][:1].lower() + problem["msg"][1:]
    return f"{place}: {message}, not {problem['input']!r:.60}"
