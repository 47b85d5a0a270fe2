"""Runs the programs of `cases/*.toml`: each must show exactly the findings that its comments name."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from application import Base, empty, fill, run_as_application, sqlite_engine
from sqlalchemy import create_engine

from pytest_dbguard.databases.registry import load_provider

# SQLAlchemy warns of what DBG301's cases do on purpose
pytestmark = pytest.mark.filterwarnings("ignore:SELECT statement has a cartesian product")
CASES = [
    pytest.param(case, id=f"{path.stem}-{case['name']}")
    for path in sorted((Path(__file__).parent / "cases").glob("*.toml"))
    for case in tomllib.loads(path.read_text())["case"]
]


@pytest.fixture(scope="module")
def postgres():
    """An engine on a PostgreSQL that is started for this module."""
    database = load_provider("postgres-embedded").start()
    engine = create_engine(database.url)
    Base.metadata.create_all(engine)
    yield engine
    engine.dispose()
    database.close()


@pytest.mark.parametrize("case", CASES)
def test_on_sqlite(case, tmp_path):
    engine = sqlite_engine()
    judge(case, engine, tmp_path)
    engine.dispose()


@pytest.mark.parametrize("case", CASES)
def test_on_postgres(case, postgres, tmp_path):
    empty(postgres)
    fill(postgres)
    judge(case, postgres, tmp_path)


def judge(case, engine, directory):
    """Run a program and compare what is found with what its comments say."""
    outcome = run_as_application(case["code"], engine, directory)
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
