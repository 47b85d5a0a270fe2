"""`dbguard rules`."""

from __future__ import annotations

import json

from pytest_dbguard.rules.registry import load_rules

CODES = sorted(rule.code for rule in load_rules())


def test_table(dbguard):
    result = dbguard("rules")
    assert result.status == 0
    lines = result.out.splitlines()
    assert [line.split()[0] for line in lines if line.startswith("DBG")] == CODES
    assert max(map(len, lines)) <= 80
    assert "DBG101  n-plus-one" in result.out


def test_json(dbguard):
    result = dbguard("rules", "--output-format", "json")
    assert result.status == 0
    document = json.loads(result.out)
    assert document["format"] == 1
    assert [rule["code"] for rule in document["rules"]] == CODES
    for rule in document["rules"]:
        assert rule.keys() == {"code", "name", "severity", "stage", "summary", "options"}
        assert rule["summary"]
        assert "severity" in rule["options"]


def test_dots_in_code_end_no_sentence(dbguard):
    document = json.loads(dbguard("rules", "--output-format", "json").out)
    summaries = {rule["code"]: rule["summary"] for rule in document["rules"]}
    assert "are joined" in summaries["DBG413"]
