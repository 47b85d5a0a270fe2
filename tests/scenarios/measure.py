"""Runs a directory of scenarios under pytest and tells recall, precision and exactness, rule by rule."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from truth import Difference, Scenario, compare, scenarios  # noqa: E402

HERE = Path(__file__).parent
PROJECTS = ("orm", "world")
LABELLED_ELSEWHERE = ("DBG2", "DBG302", "DBG303", "DBG304", "DBG305", "DBG4", "DBG7", "DBG8", "DBG903")
"""Rules about indexes, plans, texts and schemas, which have truths of their own (`tests/planning/corpus`,
`tests/rules/lint_corpus`): nobody labelled them here, and few keys of these schemas have an index."""


def run(
    project: str, python: str = sys.executable, url: str | None = None, flags: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Run a project's tests on a database and return the JSON report.

    Raises:
        RuntimeError: When a scenario fails: what it shows would mean nothing.
    """
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("DBGUARD_", "PYTEST_", "COVERAGE_"))
    }
    if url is not None:
        environment["SCENARIOS_URL"] = url
    with tempfile.TemporaryDirectory() as directory:
        report = Path(directory) / "report.json"
        command = [
            python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--dbguard", "--dbguard-test-code=report",
            "--dbguard-baseline=none", "--dbguard-fail-on=never", f"--dbguard-report=json:{report}",
            f"--dbguard-ignore={','.join(LABELLED_ELSEWHERE)}", *flags,
        ]  # fmt: skip
        ran = subprocess.run(command, cwd=HERE / project, env=environment, capture_output=True, text=True, check=False)
        if ran.returncode != 0:
            raise RuntimeError(f"the scenarios of {project} failed:\n{ran.stdout[-8000:]}{ran.stderr[-2000:]}")
        result: dict[str, Any] = json.loads(report.read_text())
        return result


def table(wanted: list[Scenario], differences: list[Difference]) -> str:
    """Return the figures: for each rule what was expected, found and found beside the truth."""
    expected = Counter(mark[1] for each in wanted for mark in each.expected if mark[0] == "expect")
    missing = Counter(mark[1] for each in differences for mark in each.missing if mark[0] == "expect")
    extra = Counter(mark[1] for each in differences for mark in each.extra if mark[0] == "expect")
    causes = Counter(mark[1] for each in wanted for mark in each.expected if mark[0] != "expect")
    wrong = Counter(mark[1] for each in differences for mark in each.missing if mark[0] != "expect")
    lines = ["| rule | expected | recall | precision | origin and loop lines exact |", "|---|---|---|---|---|"]
    for rule in [*sorted(expected | extra), None]:
        counts = [sum(c.values()) if rule is None else c[rule] for c in (expected, missing, extra, causes, wrong)]
        wants, misses, extras, names, wrongs = counts
        found = wants - misses
        lines.append(
            f"| {rule or 'all'} | {wants} | {_percent(found, wants)} | {_percent(found, found + extras)} "
            f"| {_percent(names - wrongs, names)} |"
        )
    innocent = [each for each in wanted if each.is_innocent]
    flagged = sum(each.scenario.is_innocent for each in differences)
    lines.append(f"\n{len(wanted)} scenarios, {len(innocent)} innocent, {flagged} of these flagged")
    return "\n".join(lines)


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "-"


def main() -> None:
    """Print the figures of all scenarios on SQLite or on the given database."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("projects", nargs="*", default=PROJECTS)
    parser.add_argument("--url", help="a PostgreSQL database instead of SQLite in memory")
    parser.add_argument("--python", default=sys.executable, help="the interpreter to run the scenarios with")
    parser.add_argument("--differences", action="store_true", help="tell each difference from the truth")
    options = parser.parse_args()
    wanted, differences = [], []
    for project in options.projects:
        there = scenarios(HERE / project)
        wanted += there
        differences += compare(run(project, options.python, options.url)["findings"], there)
    print(table(wanted, differences))
    if options.differences:
        print(*differences, sep="\n")


if __name__ == "__main__":
    main()
