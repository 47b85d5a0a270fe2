"""Which reports there are, and how `TYPE[:DEST]` is read."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint

import pytest

from pytest_dbguard.core.errors import ConfigError
from pytest_dbguard.reports import registry
from pytest_dbguard.reports.registry import REPORTS, ReportTarget, load_reporter, parse_report, report_names


@pytest.mark.parametrize("name", REPORTS)
def test_every_report_is_what_it_is_called(name):
    reporter = load_reporter(name)
    assert reporter.name == name
    assert reporter.title
    assert callable(reporter.render)


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("term", ReportTarget("term", None)),
        ("concise", ReportTarget("concise", None)),
        ("json", ReportTarget("json", ".dbguard/report.json")),
        ("json:out/r.json", ReportTarget("json", "out/r.json")),
        ("json:C:\\out\\r.json", ReportTarget("json", "C:\\out\\r.json")),
        ("json:-", ReportTarget("json", None)),
        ("term:report.txt", ReportTarget("term", "report.txt")),
        (" json ", ReportTarget("json", ".dbguard/report.json")),
    ],
)
def test_reading(text, target):
    assert parse_report(text) == target


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("jsn:a.json", "unknown report type 'jsn'\n  did you mean 'json'?"),
        ("sarif", "unknown report type 'sarif'\n  known: concise, json, term"),
        ("", "unknown report type ''\n  known: concise, json, term"),
        ("json:", "report 'json:' names no destination after the colon\n  write 'json:.dbguard/report.json'"),
        ("term: ", "report 'term:' names no destination after the colon\n  write 'term:report.txt'"),
    ],
)
def test_wrong_ones_are_refused(text, message):
    with pytest.raises(ConfigError) as caught:
        parse_report(text)
    assert str(caught.value) == message


class Theirs:
    """A report of another package."""

    name, title, default_destination = "theirs", "their", "their.txt"

    def render(self, verdict, context):
        return "theirs\n"


@pytest.fixture
def installed(monkeypatch):
    """Pretend that packages with these entry points are installed."""

    def install(**values):
        points = [EntryPoint(name, value, registry.GROUP) for name, value in values.items()]
        monkeypatch.setattr(registry, "entry_points", lambda group: points)

    return install


def test_reports_of_other_packages(installed):
    installed(theirs=f"{__name__}:Theirs", term=f"{__name__}:Theirs")
    assert report_names() == ("term", "concise", "json", "theirs")
    assert parse_report("theirs") == ReportTarget("theirs", "their.txt")
    assert load_reporter("term").name == "term"


@pytest.mark.parametrize("value", ["no_such_module:Theirs", f"{__name__}:Missing"])
def test_a_report_of_another_package_that_cannot_be_loaded(installed, value):
    installed(theirs=value)
    with pytest.raises(ConfigError, match="report type 'theirs' cannot be loaded from"):
        parse_report("theirs")


def test_a_report_that_is_not_used_is_not_imported(monkeypatch):
    for module in [name for name in sys.modules if name.startswith("pytest_dbguard.reports.json")]:
        monkeypatch.delitem(sys.modules, module)
    load_reporter("concise")
    assert "pytest_dbguard.reports.json_report" not in sys.modules
