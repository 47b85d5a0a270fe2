"""The baseline is never damaged: by partial runs, reordering, workers, failures, reruns, or CI."""

from __future__ import annotations

import json
import sys

import pytest

FILE = "dbguard-baseline.json"
ACCEPT = "--dbguard-update-baseline"
PRUNE = "--dbguard-prune-baseline"

SHOP = """
from sqlalchemy import create_engine, text
from sqlalchemy.pool import StaticPool

engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
with engine.begin() as connection:
    connection.execute(text("CREATE TABLE price (sku INTEGER PRIMARY KEY)"))


def page(times=1):
    with engine.connect() as connection:
        for sku in range(times):
            connection.execute(text("SELECT sku FROM price WHERE sku = :sku"), {"sku": sku})
"""
TESTS = """
import os
import pytest
from shop import page

ROUND = int(os.environ.get("ROUND", 1))


def test_first():
    page(2 * ROUND)
    assert "FAIL" not in os.environ


@pytest.mark.parametrize("name", ["b", "a", "secret"])
def test_each(name):
    page(2)


def test_last():
    page(2)
"""
OTHER = "from shop import page\n\n\ndef test_other():\n    page(3)\n"


@pytest.fixture
def accepted(project):
    """A project with counts and one accepted finding, in two files of tests."""
    (project.path / "test_shop.py").unlink()
    project.write("shop.py", SHOP)
    project.write("test_page.py", TESTS)
    project.write("test_other.py", OTHER)
    assert project.run("--dbguard", ACCEPT).ret == 0
    (entry,) = json.loads(text(project))["findings"]
    assert entry["rule"] == "DBG103"
    return project


def text(project):
    return (project.path / FILE).read_text()


def totals(project):
    """Return the totals in the file by test; parametrised ones add up."""
    found = {}
    for line in json.loads(text(project))["counts"]:
        name = line["test"].rpartition("::")[2]
        found[name] = found.get(name, 0) + sum(line["statements"].values())
    return found


WHOLE = {"test_first": 2, "test_each": 6, "test_last": 2, "test_other": 3}


@pytest.mark.parametrize(
    "arguments",
    [
        ("-k", "test_first"),
        ("test_page.py::test_last",),
        ("test_page.py::test_each[a]",),
        ("test_other.py",),
        ("--deselect", "test_page.py::test_first"),
        ("--ignore=test_page.py",),
        ("--ignore", "test_page.py"),
        ("-n2", "-k", "test_first"),
        ("-n2",),
        ("-x",),
    ],
    ids=" ".join,
)
def test_no_run_changes_a_byte(accepted, arguments):
    before = text(accepted)
    assert accepted.run("--dbguard", ACCEPT, PRUNE, *arguments).ret == 0
    assert text(accepted) == before


def test_order_changes_no_byte(accepted):
    before = text(accepted)
    accepted.write("conftest.py", "def pytest_collection_modifyitems(items):\n    items.reverse()\n")
    (accepted.path / FILE).unlink()
    assert accepted.run("--dbguard", ACCEPT).ret == 0
    assert text(accepted) == before


def test_a_partial_update_changes_only_what_ran(accepted, monkeypatch):
    monkeypatch.setenv("ROUND", "2")
    assert accepted.run("--dbguard", ACCEPT, "-k", "test_first or test_last").ret == 0
    assert totals(accepted) == WHOLE | {"test_first": 4}


def test_last_failed_prunes_nothing(accepted, monkeypatch):
    settings = (accepted.path / "pyproject.toml").read_text()
    accepted.write("pyproject.toml", settings.replace("-p no:cacheprovider", ""))
    monkeypatch.setenv("FAIL", "1")
    assert accepted.run("--dbguard").ret == 1
    monkeypatch.delenv("FAIL")
    before = text(accepted)
    result = accepted.run("--dbguard", "--lf", ACCEPT, PRUNE)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["dbguard: nothing is pruned, since only some of the tests ran"])
    assert text(accepted) == before


@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["one process", "xdist"])
def test_a_failed_test_keeps_its_counts(accepted, monkeypatch, workers):
    before = text(accepted)
    monkeypatch.setenv("FAIL", "1")
    monkeypatch.setenv("ROUND", "2")
    accepted.run("--dbguard", ACCEPT, PRUNE, *workers)
    assert text(accepted) == before


def test_tests_after_the_first_failure_keep_their_counts(accepted, monkeypatch):
    before = text(accepted)
    monkeypatch.setenv("FAIL", "1")
    accepted.run("--dbguard", "-x", ACCEPT, PRUNE)
    assert text(accepted) == before


@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["one process", "xdist"])
@pytest.mark.parametrize(
    "first",
    ["import missing_module", "import pytest\npytest.skip('here', allow_module_level=True)"],
    ids=["broken", "skipped"],
)
def test_files_that_cannot_be_collected_here_are_not_gone(accepted, first, workers):
    before = text(accepted)
    accepted.write("test_other.py", f"{first}\n{OTHER}")
    result = accepted.run("--dbguard", ACCEPT, PRUNE, "--continue-on-collection-errors", *workers)
    result.stdout.no_fnmatch_line("*DBG912*")
    assert text(accepted) == before


@pytest.mark.parametrize(
    ("argument", "testpaths", "is_whole"),
    [
        (".", None, True),
        (".", ".", True),
        (".", "checks", True),
        ("checks", "checks", True),
        ("checks", "chec*", True),
        ("checks", "checks more", False),
        ("checks", None, False),
        ("test_page.py", None, False),
        ("test_page.py::test_last", None, False),
    ],
    ids=str,
)
def test_a_run_that_names_all_there_is_is_a_full_run(accepted, argument, testpaths, is_whole):
    accepted.write("checks/test_more.py", OTHER.replace("test_other", "test_more"))
    accepted.write("more/test_most.py", OTHER.replace("test_other", "test_most"))
    options = ("-o", f"testpaths={testpaths}") if testpaths else ()
    result = accepted.run("--dbguard", PRUNE, argument, *options)
    assert result.ret == 0
    assert ("only some of the tests ran" in result.stdout.str()) != is_whole


def test_a_run_in_a_directory_is_partial(accepted):
    accepted.write(
        "checks/test_inner.py", OTHER.replace("from shop", "import sys\nsys.path.insert(0, '..')\nfrom shop")
    )
    before = text(accepted)
    result = accepted.pytester.run("sh", "-c", f"cd checks && {sys.executable} -m pytest --dbguard {PRUNE}")
    result.stdout.fnmatch_lines(["*1 passed*"])
    assert text(accepted) == before


RERUN = """
import pytest

from _pytest.runner import runtestprotocol


def pytest_runtest_protocol(item, nextitem):
    # as plugins do that run failed tests again
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for attempt in (1, 2):
        item._initrequest()
        reports = runtestprotocol(item, nextitem=nextitem, log=False)
        failed = any(report.failed for report in reports)
        for report in reports:
            if report.failed and attempt == 1:
                report.outcome = "rerun"
            item.ihook.pytest_runtest_logreport(report=report)
        if not failed:
            break
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def pytest_report_teststatus(report):
    if report.outcome == "rerun":
        return "rerun", "R", "RERUN"
"""


FLAKY = """

ATTEMPTS = []


def test_flaky():
    ATTEMPTS.append(1)
    page(2 if len(ATTEMPTS) > 1 else 9)
    assert len(ATTEMPTS) > 1
"""


def test_a_rerun_counts_once_as_it_ended(accepted):
    flaky = (
        "\n\nATTEMPTS = []\n\n\ndef test_flaky():\n    ATTEMPTS.append(1)\n    page(2 if len(ATTEMPTS) > 1 else 9)\n"
    )
    accepted.write("test_other.py", OTHER + flaky + "    assert len(ATTEMPTS) > 1\n")
    accepted.write("conftest.py", RERUN)
    assert accepted.run("--dbguard", ACCEPT).ret == 0
    assert totals(accepted) == WHOLE | {"test_flaky": 2}
    assert accepted.run("--dbguard").ret == 0


@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["one process", "xdist"])
def test_what_is_gone_is_told_and_pruned_by_a_full_run(accepted, workers):
    accepted.write("test_page.py", TESTS.replace("def test_last", "def test_end").replace('"b", ', ""))
    before = text(accepted)
    accepted.run("--dbguard", "--dbguard-report=json:report.json", *workers)
    report = json.loads((accepted.path / "report.json").read_text())
    stale = {f["message"]: f["site"] for f in report["findings"] if f["rule"] == "DBG912"}
    assert stale.keys() == {
        "counts of test_page.py::test_last, which is gone",
        "counts of 1 parameter set of test_page.py::test_each, which is gone",
    }
    lines = before.split("\n")
    for message, site in stale.items():
        assert site["file"] == FILE
        assert message.partition("test_page.py::")[2].partition(",")[0] in lines[site["line"] - 1]
    assert (report["passed"], report["baseline"]["stale"]) == (True, 2)
    assert text(accepted) == before
    result = accepted.run("--dbguard", PRUNE, *workers)
    result.stdout.no_fnmatch_line("*DBG912*")
    assert totals(accepted) == {"test_first": 2, "test_each": 4, "test_other": 3}


def test_a_stale_entry_fails_the_run_where_its_severity_is_raised(accepted):
    settings = (accepted.path / "pyproject.toml").read_text()
    accepted.write("pyproject.toml", f'{settings}\n[tool.dbguard.rules.stale-baseline-entry]\nseverity = "error"\n')
    assert accepted.run("--dbguard").ret == 0
    (accepted.path / "test_other.py").unlink()
    result = accepted.run("--dbguard")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["error[[]DBG912] stale-baseline-entry: counts of*", f"*--> {FILE}:*"])
    result = accepted.run("--dbguard", "-k", "test")
    assert result.ret == 1
    assert accepted.run("--dbguard", "test_page.py").ret == 0


@pytest.mark.parametrize("source", ["addopts", "PYTEST_ADDOPTS"])
@pytest.mark.parametrize("flag", [ACCEPT, PRUNE])
def test_ci_refuses_flags_that_nobody_gave(accepted, monkeypatch, source, flag):
    settings = (accepted.path / "pyproject.toml").read_text()
    if source == "addopts":
        accepted.write("pyproject.toml", settings.replace('addopts = "', f'addopts = "{flag} '))
    else:
        monkeypatch.setenv(source, flag)
    monkeypatch.setenv("ROUND", "2")
    before = text(accepted)
    monkeypatch.setenv("CI", "true")
    result = accepted.run("--dbguard")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*dbguard: {flag} comes from addopts, and CI=true is set*"])
    assert text(accepted) == before


@pytest.mark.parametrize(("ci", "arguments"), [("true", (ACCEPT,)), ("0", ()), ("false", ()), ("", ())])
def test_ci_writes_where_it_is_asked(accepted, monkeypatch, ci, arguments):
    settings = (accepted.path / "pyproject.toml").read_text()
    accepted.write("pyproject.toml", settings.replace('addopts = "', f'addopts = "{ACCEPT} '))
    monkeypatch.setenv("CI", ci)
    monkeypatch.setenv("ROUND", "2")
    assert accepted.run("--dbguard", *arguments).ret == 0
    assert totals(accepted) == WHOLE | {"test_first": 4}


def test_a_file_of_format_1_is_read_and_gets_counts_with_the_next_update(accepted):
    document = json.loads(text(accepted))
    old = {"format": 1, "findings": document["findings"]}
    accepted.write(FILE, json.dumps(old))
    assert accepted.run("--dbguard").ret == 0
    assert json.loads(text(accepted)) == old
    assert accepted.run("--dbguard", ACCEPT).ret == 0
    assert json.loads(text(accepted)) == document
