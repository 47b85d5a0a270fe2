"""Reviews the scripts of `cases/migrations/*.toml`: each must show exactly the findings that its comments name."""

from __future__ import annotations

import re
import textwrap
import tomllib
from pathlib import Path

import pytest

from pytest_dbguard.linting.alembic_scripts import alembic_migration
from pytest_dbguard.linting.ddl_steps import sql_migration
from pytest_dbguard.rules.registry import load_rules

HEAD = """
import sqlalchemy as sa
from alembic import op

revision = "2f6a"
down_revision = "1c3e"

def upgrade():
"""
EXPECTED = re.compile(r"expect: (DBG\d+) (\S+)")
EXPECTED_ABOVE = re.compile(r"expect above: (DBG\d+) (\S+) (\d+)")
RULES = [rule(rule.options_model()) for rule in load_rules() if hasattr(rule, "review")]
ALL = "no_lock_timeout"
"""The file whose cases are judged by that rule too, which would have something to say of nearly every other."""
FILES = sorted((Path(__file__).parent / "cases" / "migrations").glob("*.toml"))
CASES = [
    pytest.param(case, path.stem, id=f"{path.stem}-{case['name']}")
    for path in FILES
    for case in tomllib.loads(path.read_text())["case"]
]


def text_of(case):
    if "upgrade" in case:
        return HEAD + textwrap.indent(case["upgrade"].lstrip("\n"), "    ")
    return case.get("script") or case["sql"]


def expected_in(case, text):
    """What comments expect: behind a statement, or `above: DBG811 subject line` where there can be none."""
    lines = enumerate(text.splitlines(), 1)
    found = {(code, subject, line) for line, said in lines for code, subject in EXPECTED.findall(said)}
    first = HEAD.count("\n") if "upgrade" in case else 0
    return found | {(code, subject, first + int(line)) for code, subject, line in EXPECTED_ABOVE.findall(text)}


@pytest.mark.parametrize(("case", "file"), CASES)
def test_scripts(case, file):
    text = text_of(case)
    migration = sql_migration(text, "a.sql") if "sql" in case else alembic_migration(text, "versions/2f6a.py")
    rules = [rule for rule in RULES if file == ALL or rule.name.replace("-", "_") != ALL]
    findings = [finding for rule in rules for finding in rule.review(migration)]
    found = {(f.rule, f.subject, f.site.line) for f in findings if f.rule not in case.get("also", ())}
    assert found == expected_in(case, text)
    if "says" in case:
        assert any(case["says"] in finding.message for finding in findings)
    if "fix" in case:
        assert any(case["fix"] in finding.fix.code for finding in findings)
    if "severity" in case:
        assert {str(finding.severity) for finding in findings} == {case["severity"]}
    for finding in findings:
        assert finding.fix is not None
        assert finding.fix.code
        assert "\n" not in finding.message


def test_each_rule_has_its_cases():
    assert {path.stem for path in FILES} == {type(rule).__module__.rpartition(".")[2] for rule in RULES}
    for path in FILES:
        cases = tomllib.loads(path.read_text())["case"]
        innocent = [case for case in cases if case["name"].startswith("innocent")]
        assert len(innocent) >= 6
        assert len(cases) - len(innocent) >= 4
        assert not any("expect" in text_of(case) for case in innocent)
