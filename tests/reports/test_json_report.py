"""The JSON report keeps to its schema and says the same on every machine."""

from __future__ import annotations

import json
from dataclasses import replace

import jsonschema
import pytest

from pytest_dbguard.core.findings import PlanLine, PlanMark, Remedy
from pytest_dbguard.core.serial import finding_from_json
from pytest_dbguard.core.verdict import RunTotals, Verdict
from pytest_dbguard.reports.json_report import FORMAT, JsonReporter, report_schema, to_json


@pytest.fixture
def validator():
    schema = report_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_the_schema_describes_every_report(make_verdict, validator):
    for verdict in (make_verdict(), Verdict(), replace(make_verdict(), fail_on=None, slow_ms=500.0)):
        validator.validate(json.loads(JsonReporter().render(verdict, None)))


def undescribed(value, schema, root, path=""):
    """Yield the keys of a document that its schema does not describe or does not require."""
    schema = root["$defs"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    for option in schema.get("oneOf", ()):
        schema = option if option.get("type") == "object" else schema
    if isinstance(value, dict):
        assert sorted(schema["required"]) == sorted(schema["properties"]), path
        for key, inner in value.items():
            if key not in schema["properties"]:
                yield f"{path}.{key}"
            else:
                yield from undescribed(inner, schema["properties"][key], root, f"{path}.{key}")
    elif isinstance(value, list):
        for inner in value:
            yield from undescribed(inner, schema["items"], root, f"{path}[]")


def test_the_schema_describes_every_key(make_verdict):
    schema = report_schema()
    assert list(undescribed(to_json(make_verdict()), schema, schema)) == []
    assert schema["properties"]["format"] == {"description": "Version of this format.", "const": FORMAT}


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ((), {"format": 2}),
        (("findings", 0), {"severity": "fatal"}),
        (("findings", 0), {"site": {"file": "a.py"}}),
        (("totals",), {"tests": -1}),
    ],
)
def test_the_schema_refuses_what_is_wrong(make_verdict, validator, part, change):
    document = json.loads(JsonReporter().render(make_verdict(), None))
    inner = document
    for key in part:
        inner = inner[key]
    inner.update(change)
    assert not validator.is_valid(document)


def test_findings_are_complete(make_verdict):
    document = json.loads(JsonReporter().render(make_verdict(), None))
    verdict = make_verdict()
    assert tuple(map(finding_from_json, document["findings"])) == (*verdict.findings, *verdict.test_findings)


PLANNED = {
    "basis": "modelled at 100,000 rows (default)",
    "plan": (PlanLine(0, "Sort"), PlanLine(1, "-> Seq Scan on orders", PlanMark.HOT)),
    "remedies": (Remedy("sql", "CREATE INDEX ..."), Remedy("alembic", "op.create_index(...)")),
}


def test_findings_with_plans_are_complete(make_verdict, validator):
    verdict = Verdict(findings=tuple(replace(finding, **PLANNED) for finding in make_verdict().findings))
    document = json.loads(JsonReporter().render(verdict, None))
    validator.validate(document)
    assert list(undescribed(document, report_schema(), report_schema())) == []
    assert document["findings"][0]["plan"][1] == {"depth": 1, "text": "-> Seq Scan on orders", "mark": "hot"}
    assert tuple(map(finding_from_json, document["findings"])) == verdict.findings


def test_what_else_is_said(make_verdict):
    document = json.loads(JsonReporter().render(make_verdict(), None))
    assert document["totals"] == {
        "tests": 142,
        "files": None,
        "statements": 1893,
        "shapes": 211,
        "migrations": 0,
        "tables": 0,
        "by_tests": 0,
        "findings": 4,
        "new": 3,
        "known": 1,
        "failing": 3,
        "ignored": 2,
        "about_tests": 1,
    }
    assert document["passed"] is False
    assert document["fail_on"] == "warning"
    assert document["baseline"] == {
        "path": "dbguard-baseline.json",
        "entries": 14,
        "stale": 1,
        "updated": False,
        "counted": 0,
        "improved": 0,
        "saved": 0,
    }
    assert document["timing"]["slowest"]["site"]["file"] == "shop/orders.py"


def test_only_timing_depends_on_the_clock(make_verdict):
    slow = to_json(make_verdict(totals=RunTotals(142, 1893, 211, 9.0)))
    fast = to_json(make_verdict())
    assert slow.pop("timing") != fast.pop("timing")
    assert slow == fast


def test_errors_of_drivers_with_values_in_them_are_cut(make_verdict):
    text = JsonReporter().render(make_verdict(), None)
    assert "TypeError: no flush" in text
    assert "secret" not in text


def test_text_is_readable_and_ends_with_a_line_end(make_verdict):
    text = JsonReporter().render(make_verdict(), None)
    assert "größe" in text
    assert text.endswith("}\n")
