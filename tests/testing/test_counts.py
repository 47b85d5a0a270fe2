"""Counts as a gate: a test that runs more statements than the baseline says fails the run."""

from __future__ import annotations

import json

import pytest

FILE = "dbguard-baseline.json"
WORKERS = pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["one process", "xdist"])

SHOP = """
from sqlalchemy import create_engine, text

engine = create_engine("sqlite://")


def ask(connection, question):
    return connection.execute(text(question)).scalar()


def page(times=1, more=0):
    with engine.connect() as connection:
        for _ in range(1):
            ask(connection, "SELECT 1")
        run(connection, times)
        run_more(connection, more)


def run(connection, times):
    if times > 0:
        connection.execute(text("SELECT 1, 2"))
        run(connection, times - 1)


def run_more(connection, more):
    if more > 0:
        connection.execute(text("SELECT 1, 2, 3"))
        run_more(connection, more - 1)
"""

TESTS = """
import os

import pytest
from shop import page

TIMES, MORE = int(os.environ.get("TIMES", 1)), int(os.environ.get("MORE", 0))


def test_first():
    page(TIMES, MORE)


@pytest.mark.parametrize("name", ["secret-1", "secret-2"])
def test_each(name):
    page(TIMES if name == "secret-2" else 1)


def test_other():
    page(1)


def test_no_query():
    pass
"""
ONLY = ("--dbguard", "--dbguard-select=DBG902,DBG912")


@pytest.fixture
def shop(project):
    (project.path / "test_shop.py").unlink()
    project.write("shop.py", SHOP)
    project.write("test_page.py", TESTS)
    return project


@pytest.fixture
def accepted(shop):
    """The same project after its counts were accepted."""
    assert shop.run(*ONLY, "--dbguard-update-baseline").ret == 0
    return shop


def text(project):
    return (project.path / FILE).read_text()


def counts(project):
    """Return the total of each test and scope in the file."""
    lines = json.loads(text(project))["counts"]
    return sorted((line["test"].rpartition("::")[2], line["scope"], sum(line["statements"].values())) for line in lines)


def judged(project, *arguments):
    """Return message and status of the findings of a run, and its exit status."""
    result = project.run(*ONLY, "--dbguard-report=json:report.json", *arguments)
    findings = json.loads((project.path / "report.json").read_text())["findings"]
    return [finding["message"] for finding in findings], result.ret


def test_the_file_holds_what_each_test_runs(accepted):
    assert counts(accepted) == [
        ("test_each", "call", 2),
        ("test_each", "call", 2),
        ("test_first", "call", 2),
        ("test_other", "call", 2),
    ]
    document = json.loads(text(accepted))
    assert set(document["shapes"].values()) == {"SELECT ?", "SELECT ?, ?"}
    assert "secret" not in text(accepted)
    assert judged(accepted) == ([], 0)


@WORKERS
def test_a_test_that_runs_more_fails_the_run(accepted, monkeypatch, workers):
    before = text(accepted)
    monkeypatch.setenv("TIMES", "41")
    result = accepted.run(*ONLY, "--dbguard-report=json:report.json", *workers)
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "error[[]DBG902] query-count-regression: 2 -> 42 queries in test_each *NEW",
            "*more",
            "*--> shop.py:*in run",
            "*= note: *+40 shop.py:* in run",
            "*= note: *2 -> 42 queries in test_first",
        ]
    )
    (finding,) = json.loads((accepted.path / "report.json").read_text())["findings"]
    assert [test.partition("[")[0] for test in finding["tests"]] == [
        "test_page.py::test_each",
        "test_page.py::test_first",
    ]
    assert {finding["count"], finding["site"]["file"], finding["status"]} == {40, "shop.py", "new"}
    assert text(accepted) == before


def test_shapes_and_lines_explain_the_growth(accepted, monkeypatch):
    monkeypatch.setenv("TIMES", "3")
    monkeypatch.setenv("MORE", "5")
    accepted.run(*ONLY, "--dbguard-report=json:report.json", "-k", "test_first")
    (finding,) = json.loads((accepted.path / "report.json").read_text())["findings"]
    lines = SHOP.split("\n")
    more, run = (
        lines.index(f"        connection.execute(text({text!r}))".replace("'", '"')) + 1
        for text in ("SELECT 1, 2, 3", "SELECT 1, 2")
    )
    assert finding["message"] == "2 -> 9 queries in test_first"
    assert finding["evidence"] == [
        f"+5 shop.py:{more} in run_more: SELECT ?, ?, ?",
        f"+2 shop.py:{run} in run: SELECT ?, ?",
    ]
    assert (finding["site"]["line"], finding["shape"]) == (more, "SELECT ?, ?, ?")


def test_another_shape_in_place_of_one_is_no_regression(accepted, monkeypatch):
    monkeypatch.setenv("TIMES", "0")
    monkeypatch.setenv("MORE", "1")
    assert judged(accepted, "-k", "test_first") == ([], 0)


@WORKERS
def test_improvements_are_told_and_taken_in(accepted, monkeypatch, workers):
    monkeypatch.setenv("TIMES", "0")
    result = accepted.run(*ONLY, *workers)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["2 tests run fewer queries than the baseline says (-2): run with*"])
    assert accepted.run(*ONLY, "--dbguard-update-baseline", *workers).ret == 0
    assert [total for *_, total in counts(accepted)] == [1, 2, 1, 2]
    monkeypatch.setenv("TIMES", "1")
    assert judged(accepted, *workers)[0] == ["1 -> 2 queries in test_each and in 1 more"]


def test_an_update_accepts_a_regression(accepted, monkeypatch):
    monkeypatch.setenv("TIMES", "3")
    result = accepted.run(*ONLY, "--dbguard-update-baseline")
    assert result.ret == 0
    result.stdout.no_fnmatch_line("error*")
    assert json.loads(text(accepted))["findings"] == []
    assert judged(accepted) == ([], 0)


@pytest.mark.parametrize(
    ("options", "fails"),
    [
        ("tolerance = 2", False),
        ("tolerance = 1", True),
        ('tolerances = {"test_page.py" = 2}', False),
        ('tolerances = {"*" = 2, "test_page.py::test_f*" = 1}', True),
        ('tolerances = {"*::test_first" = 2, "test_p*" = 0}\ntolerance = 0', False),
        ('severity = "note"', False),
    ],
)
def test_options(accepted, monkeypatch, options, fails):
    settings = (accepted.path / "pyproject.toml").read_text()
    accepted.write("pyproject.toml", f"{settings}\n[tool.dbguard.rules.query-count-regression]\n{options}\n")
    monkeypatch.setenv("TIMES", "3")
    assert judged(accepted, "-k", "test_first")[1] == fails


@pytest.mark.parametrize(
    ("marker", "fails"),
    [("query_tolerance=2", False), ("query_tolerance=1", True), ("off=True", False), ("ignore='DBG902'", False)],
)
def test_markers(accepted, monkeypatch, marker, fails):
    accepted.write("test_page.py", TESTS.replace("def test_first", f"@pytest.mark.dbguard({marker})\ndef test_first"))
    monkeypatch.setenv("TIMES", "3")
    assert judged(accepted, "-k", "test_first")[1] == fails


def test_a_wrong_tolerance_is_told(accepted):
    accepted.write("test_page.py", TESTS.replace("def test_o", "@pytest.mark.dbguard(query_tolerance=-1)\ndef test_o"))
    result = accepted.run(*ONLY)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*marker dbguard: query_tolerance must be a number of statements, not -1"])


def test_a_comment_on_the_line_silences_it(accepted, monkeypatch):
    line = 'connection.execute(text("SELECT 1, 2"))'
    accepted.write("shop.py", SHOP.replace(line, f"{line}  # dbguard: ignore[DBG902] as many as it takes"))
    monkeypatch.setenv("TIMES", "3")
    assert judged(accepted, "-k", "test_first") == ([], 0)


def test_counts_can_be_left_out(shop, monkeypatch):
    settings = (shop.path / "pyproject.toml").read_text()
    shop.write("pyproject.toml", f"{settings}\n[tool.dbguard]\ncounts = false\n")
    shop.run(*ONLY, "--dbguard-update-baseline")
    assert not (shop.path / FILE).exists()
    shop.write("pyproject.toml", settings)
    shop.run(*ONLY, "--dbguard-update-baseline")
    before = text(shop)
    shop.write("pyproject.toml", f"{settings}\n[tool.dbguard]\ncounts = false\n")
    monkeypatch.setenv("TIMES", "3")
    assert judged(shop, "--dbguard-update-baseline") == ([], 0)
    assert text(shop) == before


def test_new_tests_and_failed_tests_are_not_judged(accepted, monkeypatch):
    new = "\n\ndef test_new():\n    page(9)\n"
    failing = TESTS.replace("    page(TIMES, MORE)", "    page(TIMES, MORE)\n    assert TIMES == 1")
    skipping = failing.replace(
        "def test_other():\n    page(1)", "def test_other():\n    page(TIMES)\n    pytest.skip()"
    )
    accepted.write("test_page.py", skipping + new)
    before = counts(accepted)
    monkeypatch.setenv("TIMES", "3")
    messages, status = judged(accepted)
    assert (messages, status) == (["2 -> 4 queries in test_each"], 1)
    accepted.run(*ONLY, "--dbguard-update-baseline")
    after = counts(accepted)
    assert [each for each in after if each[0] in ("test_first", "test_other")] == [
        each for each in before if each[0] in ("test_first", "test_other")
    ]
    assert ("test_new", "call", 10) in after


def test_fixtures_are_not_counted(shop):
    fixtures = """
import pytest
from shop import page


@pytest.fixture(scope="session")
def shared():
    page(5)
    yield
    page(5)


@pytest.fixture
def own():
    page(5)
    yield
    page(5)


def test_fixtures(shared, own):
    page(1)


def test_late(request):
    request.getfixturevalue("own")
    request.getfixturevalue("shared")
    page(1)
"""
    shop.write("test_page.py", fixtures)
    shop.run(*ONLY, "--dbguard-update-baseline")
    whole = counts(shop)
    assert ("test_fixtures", "call", 2) in whole
    (shop.path / FILE).unlink()
    # alone, each test is the first to need the shared fixture
    for test in ("test_late", "test_fixtures"):
        shop.run(*ONLY, "--dbguard-update-baseline", f"test_page.py::{test}")
    assert counts(shop) == whole


def test_hypothesis_tests_are_not_counted(shop):
    shop.write(
        "test_page.py",
        "from hypothesis import given, strategies as st\nfrom shop import page\n\n\n"
        "@given(st.integers(0, 30))\ndef test_any(times):\n    page(times)\n\n\ndef test_one():\n    page(1)\n",
    )
    shop.run(*ONLY, "--dbguard-update-baseline")
    assert counts(shop) == [("test_one", "call", 2)]


def test_more_statements_than_are_kept_are_counted(shop, monkeypatch):
    shop.write(
        "shop.py",
        SHOP + "\n\ndef many(times):\n    with engine.connect() as connection:\n"
        '        for _ in range(times):\n            connection.execute(text("SELECT 1, 2, 3, 4"))\n',
    )
    shop.write(
        "test_page.py",
        'import os\nfrom shop import many\n\n\ndef test_many():\n    many(int(os.environ.get("TIMES", 10_050)))\n',
    )
    shop.run(*ONLY, "--dbguard-update-baseline")
    assert counts(shop) == [("test_many", "call", 10_050)]
    monkeypatch.setenv("TIMES", "10090")
    assert judged(shop) == (["10050 -> 10090 queries in test_many"], 1)


WEB = """
import flask
from shop import page

app = flask.Flask(__name__)


@app.get("/orders/<key>")
def order(key):
    page(1 if key.isdigit() else 3)
    return "ok"


@app.get("/orders")
def orders():
    page(1)
    return "ok"
"""
WEB_TESTS = """
import os
from web import app

KEY = os.environ.get("KEY", "17")


def test_requests():
    client = app.test_client()
    for path in ("/orders", f"/orders/{KEY}", "/orders/18?token=secret", "/orders"):
        assert client.get(path).text == "ok"
"""


@WORKERS
def test_requests_are_counted_by_path(shop, monkeypatch, workers):
    (shop.path / "test_page.py").unlink()
    shop.write("web.py", WEB)
    shop.write("test_web.py", WEB_TESTS)
    shop.run(*ONLY, "--dbguard-update-baseline", *workers)
    assert counts(shop) == [("test_requests", "GET /orders", 4), ("test_requests", "GET /orders/{}", 4)]
    monkeypatch.setenv("KEY", "ada@example.com")
    assert judged(shop, *workers) == (["4 -> 6 queries in GET /orders/{} of test_requests"], 1)
    assert "ada@" not in (shop.path / "report.json").read_text()
