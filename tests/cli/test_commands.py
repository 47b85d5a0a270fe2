"""The `dbguard` command, run as users run it."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from pytest_dbguard.rules.registry import load_rules


@pytest.fixture
def dbguard(tmp_path):
    def run(*arguments, **environ):
        return subprocess.run(
            [sys.executable, "-m", "pytest_dbguard", *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "COLUMNS": "80", "NO_COLOR": "1", **environ},
        )

    run.path = tmp_path
    return run


@pytest.mark.parametrize("rule", load_rules(), ids=lambda rule: rule.code)
@pytest.mark.parametrize("by", ["code", "name"])
def test_explain(dbguard, rule, by):
    result = dbguard("explain", getattr(rule, by))
    assert result.returncode == 0
    assert result.stdout.startswith(f"{rule.name} ({rule.code})")
    for heading in ("What it does", "Why is this bad?", "Example", "Use instead", "Options"):
        assert f"\n{heading}\n" in result.stdout


def test_explain_unknown(dbguard):
    result = dbguard("explain", "n-plus-on")
    assert result.returncode == 2
    assert "unknown rule 'n-plus-on'" in result.stderr
    assert "did you mean 'n-plus-one'?" in result.stderr
    assert "Traceback" not in result.stderr


def test_rules(dbguard):
    listed = dbguard("rules").stdout
    rules = json.loads(dbguard("rules", "--output-format", "json").stdout)
    assert [rule["code"] for rule in rules] == sorted(rule.code for rule in load_rules())
    assert all(rule["code"] in listed and rule["summary"] for rule in rules)


def test_doctor_is_content(dbguard):
    result = dbguard("doctor")
    assert result.returncode == 0, result.stdout
    assert "no problems" in result.stdout
    assert "database sqlite can start here" in result.stdout


def test_doctor_names_what_is_wrong(dbguard):
    (dbguard.path / "pyproject.toml").write_text("[tool.dbguard]\nfail-onn = 'error'\n")
    (dbguard.path / "dbguard-baseline.json").write_text("{")
    result = dbguard("doctor")
    assert result.returncode == 1
    assert "unknown key 'fail-onn'" in result.stdout
    assert "Traceback" not in result.stdout + result.stderr


def test_config(dbguard):
    (dbguard.path / "pyproject.toml").write_text("[tool.dbguard]\nmax-queries = 7\n")
    result = dbguard("config", DBGUARD_FAIL_ON="error")
    lines = {line.split()[0]: line for line in result.stdout.splitlines()}
    assert lines["max-queries"].endswith("pyproject.toml")
    assert lines["fail-on"].endswith("environment variable DBGUARD_FAIL_ON")
    assert lines["slow-ms"].endswith("default")


def test_config_schema(dbguard):
    schema = json.loads(dbguard("config", "--schema").stdout)
    assert "max-queries" in schema["properties"]


def test_config_wrong(dbguard):
    (dbguard.path / "pyproject.toml").write_text("[tool.dbguard]\nmax-queries = 'x'\n")
    result = dbguard("config")
    assert result.returncode == 2
    assert "max-queries = 'x'" in result.stderr


def test_version_and_help(dbguard):
    assert dbguard("version").stdout.startswith("pytest-dbguard 0.")
    assert "explain" in dbguard("--help").stdout
    assert dbguard("nonsense").returncode == 2
