"""Runs the programs of `cases/*.toml`: each must show exactly the findings that its comments name."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from application import run_as_application, sqlite_engine

CASES = [
    pytest.param(case, id=f"{path.stem}-{case['name']}")
    for path in sorted((Path(__file__).parent / "cases").glob("*.toml"))
    for case in tomllib.loads(path.read_text())["case"]
]


@pytest.mark.parametrize("case", CASES)
def test_case(case, tmp_path):
    engine = sqlite_engine()
    outcome = run_as_application(case["code"], engine, tmp_path)
    engine.dispose()
    assert outcome.faults == ()
    allowed = set(case.get("also", ()))
    if "expect" in case:
        found = sorted([f.rule, f.subject] for f in outcome.findings if f.rule not in allowed)
        assert found == sorted(case["expect"])
        return
    found = {each for each in outcome.found if each[1] not in allowed}
    assert found == outcome.expected
    if "says" in case:
        assert any(case["says"] in finding.message for finding in outcome.findings)
    if "certainty" in case:
        assert {str(f.certainty) for f in outcome.findings} == {case["certainty"]}
