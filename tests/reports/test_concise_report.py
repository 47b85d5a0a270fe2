"""One line a finding."""

from __future__ import annotations

import pytest

from pytest_dbguard.core.findings import Site
from pytest_dbguard.core.verdict import Fault, Verdict
from pytest_dbguard.reports.concise import ConciseReporter


@pytest.fixture
def lines(context):
    """Return the lines of a verdict."""
    return lambda verdict, **options: ConciseReporter().render(verdict, context(**options)).split("\n")


def test_one_line_each(make_verdict, lines):
    assert lines(make_verdict(faults=())) == [
        "shop/views/orders.py:5:45: DBG101 n-plus-one: `Order.lines` is loaded once for each `Order`",
        "shop/views/orders.py:10:55: DBG103 statement-in-loop (likely): `country` is queried once for each iteration "
        "of `for order in orders:`",
        "tests/test_web.py::test_x: DBG901 query-budget: 9 queries, at most 5 are allowed",
        "",
    ]


def test_what_is_known_with_more_verbosity(make_verdict, lines):
    assert len(lines(make_verdict(), verbosity=1)) == len(lines(make_verdict())) + 1


def test_places_without_a_column_or_at_all(findings, lines):
    no_column = findings.n_plus_one(site=Site("templates/ü.html", 3))
    nowhere = findings.over_budget(tests=(), subject="orders")
    assert lines(Verdict((no_column, nowhere)))[:2] == [
        "templates/ü.html:3: DBG101 n-plus-one: `Order.lines` is loaded once for each `Order`",
        "orders: DBG901 query-budget: 9 queries, at most 5 are allowed",
    ]


def test_nothing_to_say(context):
    assert ConciseReporter().render(Verdict(), context()) == ""


def test_faults(lines):
    assert lines(Verdict(faults=(Fault("rule DBG103", "TypeError: x"),))) == [
        "dbguard itself failed once: rule DBG103: TypeError: x (the results of your tests are not affected)",
        "",
    ]


def test_colour(findings, lines):
    line = lines(Verdict((findings.over_budget(),)), color=True)[0]
    assert line == (
        "\033[1mtests/test_web.py::test_x:\033[0m \033[1;33mDBG901\033[0m query-budget: "
        "9 queries, at most 5 are allowed"
    )
