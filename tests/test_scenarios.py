"""The rules against 700 small programs with known answers: findings, origins and loops, on both databases."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

import pytest

from pytest_dbguard.databases.registry import load_provider

HERE = Path(__file__).parent / "scenarios"
sys.path.insert(0, str(HERE))

from measure import PROJECTS, run  # noqa: E402
from truth import compare, scenarios  # noqa: E402

LIMITS = tomllib.loads((HERE / "limits.toml").read_text())


def differences(project, url=None):
    report = run(project, url=url)
    assert report["faults"] == []
    return {each.scenario.name: each for each in compare(report["findings"], scenarios(HERE / project))}


@pytest.mark.parametrize("project", PROJECTS)
def test_on_sqlite(project):
    found = differences(project)
    assert found.keys() == LIMITS[project].keys(), "\n".join(map(str, found.values()))


@pytest.mark.parametrize("project", PROJECTS)
def test_on_postgres(project):
    database = load_provider("postgres-embedded").start()
    try:
        found = differences(project, database.url.render_as_string(hide_password=False))
    finally:
        database.close()
    assert found.keys() == LIMITS[project].keys(), "\n".join(map(str, found.values()))


def test_half_are_innocent():
    every = [scenario for project in PROJECTS for scenario in scenarios(HERE / project)]
    innocent = [scenario for scenario in every if scenario.is_innocent]
    assert len(every) >= 700
    assert len(innocent) * 2 >= len(every)


def test_most_name_the_loop_and_the_origin():
    every = [scenario for project in PROJECTS for scenario in scenarios(HERE / project)]
    marks = [mark for scenario in every for mark in scenario.expected]
    for what, rules in (("origin", ("DBG101",)), ("loop", ("DBG101", "DBG103", "DBG104"))):
        sites = [mark for mark in marks if mark[0] == "expect" and mark[1] in rules]
        causes = [mark for mark in marks if mark[0] == what and mark[1] in rules]
        assert len(causes) >= 0.75 * len(sites)


def test_a_cold_session_shows_what_is_hidden():
    hidden = [scenario for scenario in scenarios(HERE / "orm") if scenario.cold]
    report = run("orm", flags=("--dbguard-cold", "test_shared.py"))
    shown = {
        (finding["rule"], finding["subject"], test.rpartition("::")[2])
        for finding in report["findings"]
        for test in finding["tests"]
    }
    assert report["faults"] == []
    assert len(hidden) >= 5
    missing = [mark for scenario in hidden for mark in scenario.cold if (*mark[1:3], scenario.name) not in shown]
    assert missing == []
