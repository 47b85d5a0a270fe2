"""The example shop: each planted defect is found at its line, and nothing else is."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parent.parent / "example_project"
PLANTED = re.compile(r"planted: (DBG\d+) ([\w.]+)( at-origin)?")


def planted():
    """Yield (rule, subject, file, line, whether only the origin has a line) of every defect."""
    for path in sorted(EXAMPLE.rglob("*")):
        if path.suffix in (".py", ".html") and "tests" not in path.parts[-2:]:
            for number, line in enumerate(path.read_text().splitlines(), 1):
                for rule, subject, at_origin in PLANTED.findall(line):
                    yield rule, subject, path.relative_to(EXAMPLE).as_posix(), number, bool(at_origin)


def found(report):
    for finding in report["findings"]:
        if not finding["in_test_code"] and finding["severity"] != "note":
            place = finding["site"] or finding["origin"]
            yield finding["rule"], finding["subject"], place["file"], place["line"], finding["site"] is None


@pytest.fixture
def shop(tmp_path):
    ignored = shutil.ignore_patterns("__pycache__", ".dbguard", ".pytest_cache")
    shutil.copytree(EXAMPLE, tmp_path / "shop", ignore=ignored)
    return tmp_path / "shop"


def run(shop, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments],
        cwd=shop,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    "arguments",
    [("--dbguard-database=sqlite",), ("--dbguard-database=postgres-embedded",), ("-n2",)],
    ids=["sqlite", "postgres", "xdist"],
)
def test_exactly_what_is_planted_is_found(shop, arguments):
    result = run(shop, "--dbguard", "--dbguard-report=json:report.json", *arguments)
    assert result.returncode == 1, result.stdout
    assert "failed" not in result.stdout.splitlines()[-1]
    report = json.loads((shop / "report.json").read_text())
    assert sorted(found(report)) == sorted(planted())
    assert report["faults"] == []


def test_passes_without_dbguard(shop):
    result = run(shop)
    assert result.returncode == 0, result.stdout


def test_all_kinds_are_planted_and_as_many_innocents():
    defects = list(planted())
    innocents = sum(path.read_text().count("innocent:") for path in EXAMPLE.rglob("*.py"))
    assert {rule for rule, *_ in defects} >= {"DBG101", "DBG102", "DBG103", "DBG104"}
    assert len(defects) >= 12
    assert innocents >= len(defects)
