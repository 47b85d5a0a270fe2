"""Reads from the comments of a directory of scenarios what each of them must show, and compares it with a report."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_COMMENT = re.compile(r"# (expect|origin|loop|cold): (DBG\d+) ([^\s@}]+)((?: @\w+)*)")
_SUFFIXES = frozenset({".py", ".html", ".txt", ".j2"})

_LOOPS = frozenset({"DBG103", "DBG104", "DBG502"})
"""Rules that never weigh as a note but for what arranges data."""

Mark = tuple[str, str, str, str]
"""What ("expect", "origin", "loop"), rule, subject, place as `shop/orders.py:12`."""


@dataclass(frozen=True)
class Scenario:
    """One scenario: its test's file and name, and what it must show; nothing for an innocent one."""

    file: str
    name: str
    expected: frozenset[Mark]
    cold: frozenset[Mark]

    @property
    def is_innocent(self) -> bool:
        """Whether nothing may be reported."""
        return not self.expected and not self.cold


@dataclass(frozen=True)
class Difference:
    """What a scenario was to show and did not, and what it showed besides."""

    scenario: Scenario
    missing: frozenset[Mark]
    extra: frozenset[Mark]

    def __str__(self) -> str:
        lines = [f"{self.scenario.file}::{self.scenario.name}"]
        lines += [f"    missing {' '.join(mark)}" for mark in sorted(self.missing)]
        lines += [f"    extra   {' '.join(mark)}" for mark in sorted(self.extra)]
        return "\n".join(lines)


def scenarios(root: Path) -> list[Scenario]:
    """Return the scenarios of a directory.

    Raises:
        ValueError: For a scenario without a docstring, with contradicting comments, or none; and for names of no test.
    """
    marks: dict[str, set[Mark]] = defaultdict(set)
    tests: dict[str, tuple[str, str]] = {}
    for path in sorted(each for each in root.rglob("*") if each.suffix in _SUFFIXES):
        text, file = path.read_text(), path.relative_to(root).as_posix()
        functions = list(_tests(text)) if path.name.startswith("test_") else []
        for function in functions:
            if function.name in tests:
                raise ValueError(f"{file}: two scenarios are named {function.name}")
            tests[function.name] = (file, ast.get_docstring(function) or "")
        for name, mark in _marks(text, file, functions):
            marks[name].add(mark)
    unknown = set(marks) - set(tests)
    if unknown:
        raise ValueError(f"{root}: comments name tests that are none: {sorted(unknown)}")
    return [_scenario(name, file, text, marks[name]) for name, (file, text) in tests.items()]


def compare(found: Iterable[Mapping[str, Any]], wanted: Iterable[Scenario]) -> list[Difference]:
    """Return where a report's findings differ from what the scenarios say.

    Origin and loop of a finding are compared where the scenario names them.
    """
    shown: dict[str, set[Mark]] = defaultdict(set)
    for finding in found:
        is_arranging = finding["scope"] in ("setup", "teardown") or finding["rule"] in _LOOPS
        if finding["in_test_code"] and finding["severity"] == "note" and is_arranging:
            # what fixtures and factories do to arrange data is the tests' own business
            continue
        for test in finding["tests"]:
            shown[test.rpartition("::")[2].partition("[")[0]].update(_shown(finding))
    differences = []
    for scenario in wanted:
        asked = {mark[:3] for mark in scenario.expected}
        found_here = {m for m in shown[scenario.name] if m[0] == "expect" or m[:3] in asked}
        missing, extra = scenario.expected - found_here, found_here - scenario.expected
        if missing or extra:
            differences.append(Difference(scenario, frozenset(missing), frozenset(extra)))
    return differences


def _scenario(name: str, file: str, text: str, marks: set[Mark]) -> Scenario:
    if not text:
        raise ValueError(f"{file}::{name}: a docstring says what the scenario is about")
    cold = {mark for mark in marks if mark[0] == "cold"}
    if ("# expect: none" in text) == bool(marks - cold) and not cold:
        raise ValueError(f"{file}::{name}: either '# expect: none' in the docstring or comments that expect something")
    return Scenario(file, name, frozenset(marks - cold), frozenset(cold))


def _tests(text: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            yield node


def _marks(text: str, file: str, functions: list[Any]) -> Iterator[tuple[str, Mark]]:
    for number, line in enumerate(text.splitlines(), 1):
        for match in _COMMENT.finditer(line):
            what, rule, subject, names = match.groups()
            around = [each.name for each in functions if each.lineno <= number <= (each.end_lineno or 0)]
            chosen = [word.lstrip("@") for word in names.split()] or around
            if not chosen:
                raise ValueError(f"{file}:{number}: a comment outside of a test names its tests with @")
            for name in chosen:
                yield name, (what, rule, subject, f"{file}:{number}")


def _shown(finding: Mapping[str, Any]) -> Iterator[Mark]:
    for what, place in (
        ("expect", finding["site"] or finding["origin"]),
        ("origin", finding["origin"]),
        ("loop", finding["loop"]),
    ):
        if place is not None:
            yield (what, finding["rule"], finding["subject"], f"{place['file']}:{place['line']}")
