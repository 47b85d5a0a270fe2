"""`dbguard explain`."""

from __future__ import annotations

import pytest

from pytest_dbguard.rules.documentation import HEADINGS
from pytest_dbguard.rules.registry import load_rules

RULES = load_rules()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_every_rule(dbguard, rule):
    result = dbguard("explain", rule.code)
    assert result.status == 0
    assert result.out.startswith(f"{rule.name} ({rule.code})\nseverity {rule.severity}, {rule.stage}\n\n")
    for heading in HEADINGS:
        assert f"\n{heading}\n" in result.out
    assert f"[tool.dbguard.rules.{rule.name}]" in result.out
    assert f"# dbguard: ignore[{rule.code}]" in result.out
    prose = [line for line in result.out.splitlines() if not line.startswith("    ")]
    assert max(map(len, prose)) <= 80
    assert "\033" not in result.out
    assert "```" not in result.out


@pytest.mark.parametrize("word", ["dbg101", "N-Plus-One", "n-plus-one"])
def test_a_rule_is_found_by_code_or_name_in_any_case(dbguard, word):
    assert dbguard("explain", word).out == dbguard("explain", "DBG101").out


def test_markdown(dbguard):
    out = dbguard("explain", "DBG101", "--output-format", "markdown").out
    assert out.startswith("# n-plus-one (DBG101)\n\n## What it does\n")
    assert "```python\n" in out


@pytest.mark.parametrize(
    ("word", "near"), [("n-plus-on", "n-plus-one"), ("slow-querry", "slow-query"), ("DBG1O1", "DBG101")]
)
def test_unknown(dbguard, word, near):
    result = dbguard("explain", word)
    assert result.status == 2
    assert result.err.startswith(f"dbguard: unknown rule '{word}'\n  did you mean '{near}'?")
    assert result.out == ""
