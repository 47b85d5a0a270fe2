"""`dbguard baseline show|update|prune`."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from pytest_dbguard.baseline.counts import CountEntry, Counts, TestKey
from pytest_dbguard.baseline.file import read_baseline, write_baseline
from pytest_dbguard.baseline.model import Baseline, Entry
from pytest_dbguard.baseline.plans import PlanBasis, PlanEntry, PlanKey, Plans
from pytest_dbguard.cli.baseline import SHOWN_PLANS, SHOWN_TESTS

ENTRIES = (
    Entry("DBG101", "Order.lines", "shop/orders.py", "list_orders", 2, ("tests/test_orders.py::test_list",)),
    Entry("DBG103", "price", "shop/cart.py", "total"),
)
TEXTS = (("a", "SELECT … FROM price WHERE price.sku = ?"), ("b", "SELECT orders.id FROM orders"))


def count(test, scope="call", **statements):
    return CountEntry.of(TestKey.of(test), scope, statements)


COUNTS = Counts(
    (
        count("tests/test_cart.py::test_total[secret]", a=40, b=9),
        count("tests/test_orders.py::test_list", b=2),
        count("tests/test_orders.py::test_list", "GET /orders/{}", a=3, b=1, c=1, d=1),
    ),
    TEXTS,
)


@pytest.fixture
def accepted(tmp_path):
    write_baseline(tmp_path / "dbguard-baseline.json", Baseline(ENTRIES, COUNTS))


def test_show(dbguard, accepted):
    result = dbguard("baseline", "show")
    assert (result.status, result.err) == (0, "")
    key = TestKey.of("tests/test_cart.py::test_total[secret]").parameters
    assert result.out.splitlines() == [
        "dbguard-baseline.json: 2 findings, counts of 2 tests",
        "",
        "shop/cart.py",
        "  DBG103 price in total",
        "",
        "shop/orders.py",
        "  DBG101 Order.lines in list_orders (2 places)",
        "    tests/test_orders.py::test_list",
        "",
        f"49 queries: tests/test_cart.py::test_total (parameters {key})",
        "  40 x SELECT … FROM price WHERE price.sku = ?",
        "   9 x SELECT orders.id FROM orders",
        "",
        "6 queries: tests/test_orders.py::test_list, GET /orders/{}",
        "  3 x SELECT … FROM price WHERE price.sku = ?",
        "  1 x SELECT orders.id FROM orders",
        "  1 x shape c",
        "  and 1 other shape",
        "",
        "2 queries: tests/test_orders.py::test_list",
        "  2 x SELECT orders.id FROM orders",
    ]


def test_show_fits_80_columns(dbguard, tmp_path):
    long = "tests/" + "deep/" * 20 + "test_a.py::test_a"
    wide = Counts((count(long, a=1), count("t.py::t", a=2)), (("a", "SELECT " + "column, " * 30 + "x FROM t"),))
    write_baseline(tmp_path / "dbguard-baseline.json", Baseline(ENTRIES, wide))
    lines = dbguard("baseline", "show").out.splitlines()
    # names of tests are not broken
    assert max(len(line) for line in lines if long not in line) <= 80


def test_show_names_the_rest(dbguard, tmp_path):
    many = Counts(tuple(count(f"t.py::test_{number}", a=1) for number in range(SHOWN_TESTS + 2)))
    write_baseline(tmp_path / "dbguard-baseline.json", Baseline((), many))
    out = dbguard("baseline", "show").out
    assert out.count("1 query: ") == SHOWN_TESTS
    assert out.endswith("2 entries more: --format json lists all\n")


def test_show_as_json(dbguard, accepted):
    document = json.loads(dbguard("baseline", "show", "--format", "json").out)
    assert (document["format"], document["path"]) == (1, "dbguard-baseline.json")
    assert [finding["rule"] for finding in document["findings"]] == ["DBG103", "DBG101"]
    assert [(each["test"], each["scope"], each["total"]) for each in document["counts"]] == [
        ("tests/test_cart.py::test_total", "call", 49),
        ("tests/test_orders.py::test_list", "GET /orders/{}", 6),
        ("tests/test_orders.py::test_list", "call", 2),
    ]
    assert document["counts"][0]["statements"][0] == {"count": 40, "shape_id": "a", "shape": TEXTS[0][1]}


def test_show_without_a_file(dbguard, configured):
    result = dbguard("baseline", "show")
    assert (result.status, result.out) == (0, "no baseline yet; to accept what there is: dbguard baseline update\n")
    configured('[tool.dbguard]\nbaseline = "none"\n')
    assert dbguard("baseline", "show").out == "no baseline is used\n"


def test_show_another_file(dbguard, configured, tmp_path):
    configured('[tool.dbguard]\nbaseline = "ci/accepted.json"\n')
    write_baseline(tmp_path / "ci" / "accepted.json", Baseline(ENTRIES))
    assert dbguard("baseline", "show").out.startswith("ci/accepted.json: 2 findings, counts of 0 tests\n")


def test_check(dbguard, accepted, tmp_path):
    result = dbguard("baseline", "show", "--check")
    assert (result.status, result.out) == (0, "dbguard-baseline.json: 2 findings, counts of 2 tests\n")
    (tmp_path / "dbguard-baseline.json").write_text("<<<<<<< HEAD\n")
    result = dbguard("baseline", "show", "--check")
    assert result.status == 2
    assert "a merge conflict is not resolved" in result.err


def test_check_needs_a_file(dbguard):
    result = dbguard("baseline", "show", "--check")
    assert result.status == 2
    assert result.err.startswith("dbguard: there is no baseline ")
    assert result.err.endswith("  to accept what there is: dbguard baseline update\n")


@pytest.mark.parametrize("arguments", [(), ("shw",)])
def test_wrong_use(dbguard, arguments):
    result = dbguard("baseline", *arguments)
    assert result.status == 2
    assert result.err.endswith("see: dbguard baseline --help\n")


def test_help_lists_the_commands(dbguard):
    out = dbguard("baseline", "--help").out
    assert [word for word in ("show", "update", "prune") if f"\n  {word} " in out] == ["show", "update", "prune"]
    assert max(map(len, out.splitlines())) <= 80


TESTS = """
import sqlalchemy

engine = sqlalchemy.create_engine("sqlite://")


def test_one():
    with engine.connect() as connection:
        connection.execute(sqlalchemy.text("SELECT 1"))


def test_two():
    with engine.connect() as connection:
        connection.execute(sqlalchemy.text("SELECT 2"))
"""


def command(tmp_path, *arguments):
    """Run `dbguard` in a process of its own, as pytest writes to its file descriptors."""
    return subprocess.run(
        [sys.executable, "-m", "pytest_dbguard", "baseline", *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def project(tmp_path):
    (tmp_path / "pyproject.toml").write_text('[tool.pytest.ini_options]\naddopts = "-p no:cacheprovider"\n')
    (tmp_path / "test_some.py").write_text(TESTS)
    return tmp_path


def accepted_tests(project):
    return {key.test for key in read_baseline(project / "dbguard-baseline.json").counts.tests}


def test_update_passes_arguments_and_status_on(project):
    result = command(project, "update", "-k", "test_one", "-q")
    assert result.returncode == 0, result.stderr
    assert accepted_tests(project) == {"test_some.py::test_one"}
    result = command(project, "update", "-k", "nothing")
    assert result.returncode == pytest.ExitCode.NO_TESTS_COLLECTED
    assert command(project, "update", "missing.py").returncode == pytest.ExitCode.USAGE_ERROR


def test_prune_drops_what_is_gone(project):
    assert command(project, "update").returncode == 0
    (project / "test_some.py").write_text(TESTS.replace("def test_two", "def test_three"))
    assert command(project, "prune").returncode == 0
    assert accepted_tests(project) == {"test_some.py::test_one"}


def plan(shape, *lines, cost=8.45):
    return PlanEntry(PlanKey("postgresql", shape), (("orders", 100_000),), lines, cost)


PLANS = Plans(
    (
        plan("b", "index scan on orders using ix_city"),
        plan("a", "sort", "  sequential scan on orders", cost=18334.5),
        plan("c", "sequential scan on orders", cost=None),
    ),
    {"postgresql": PlanBasis("18", "forged", "dbguard-stats.json of 2026-11-01")},
    TEXTS,
)


def test_show_lists_plans_the_dearest_first(dbguard, tmp_path):
    write_baseline(tmp_path / "dbguard-baseline.json", Baseline(plans=PLANS))
    result = dbguard("baseline", "show")
    assert result.out.splitlines() == [
        "dbguard-baseline.json: 0 findings, counts of 0 tests, plans of 3 statements",
        "",
        "Plans of 3 statements",
        "  postgresql 18, sizes forged, statistics dbguard-stats.json of 2026-11-01",
        "",
        "  SELECT … FROM price WHERE price.sku = ?",
        "    cost 18,334.50, planned at 100,000 rows",
        "      sort",
        "        sequential scan on orders",
        "",
        "  SELECT orders.id FROM orders",
        "    cost 8.45, planned at 100,000 rows",
        "      index scan on orders using ix_city",
        "",
        "  shape c",
        "    planned at 100,000 rows",
        "      sequential scan on orders",
    ]


def test_show_names_the_rest_of_the_plans_and_fits(dbguard, tmp_path):
    many = Plans(tuple(plan(f"{number:03}", "x" * 100, cost=float(number)) for number in range(SHOWN_PLANS + 3)))
    write_baseline(tmp_path / "dbguard-baseline.json", Baseline(plans=many))
    lines = dbguard("baseline", "show").out.splitlines()
    assert lines[-1] == "3 plans more: --format json lists all"
    assert max(map(len, lines)) <= 80


def test_json_lists_all_plans(dbguard, tmp_path):
    write_baseline(tmp_path / "dbguard-baseline.json", Baseline(plans=PLANS))
    document = json.loads(dbguard("baseline", "show", "--format", "json").out)
    assert document["plans"][0] == {
        "dialect": "postgresql",
        "shape": "SELECT … FROM price WHERE price.sku = ?",
        "shape_id": "a",
        "tables": {"orders": 100_000},
        "plan": ["sort", "  sequential scan on orders"],
        "cost": 18334.5,
    }
    assert document["planned_with"] == {
        "postgresql": {"version": "18", "sizes": "forged", "statistics": "dbguard-stats.json of 2026-11-01"}
    }
