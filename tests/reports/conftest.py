"""A small shop with sources, and factories of findings and verdicts about it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_dbguard.core.findings import Certainty, Finding, Fix, Severity, Shape, Site, Status
from pytest_dbguard.core.verdict import BaselineState, Fault, RunTotals, SlowStatement, Verdict
from pytest_dbguard.reports.base import ReportContext

SOURCES = {
    "shop/orders.py": """\
from sqlalchemy import select


def open_orders(session):
    return session.scalars(
        select(Order)
        .where(Order.state == "open")
    )
""",
    "shop/views/orders.py": """\
def list_orders(session):
    total = 0
    for order in open_orders(session):
        # each of them
        total += sum(line.price for line in order.lines)
    return total


def größe(session, order):
\twidth = 3; name = "日本語"; place = find_place(session, order.customer.address.city.country.name, name)
""",
}
LINES_SHAPE = Shape(
    "3f2a",
    "SELECT order_line.id, order_line.order_id, order_line.product_id, order_line.price FROM order_line "
    "WHERE order_line.order_id = ? AND order_line.deleted_at IS NULL ORDER BY order_line.position",
)


def place(file, line, text="", function=""):
    """Return the site of `text` on a line of the shop, its columns in characters."""
    source = SOURCES[file].split("\n")[line - 1] if file in SOURCES else ""
    if not text:
        return Site(file, line, function=function)
    start = len(source[: source.index(text)]) + 1
    return Site(file, line, start, function, line, start + len(text))


def n_plus_one(**changes):
    """Return a finding with everything in it."""
    loop = place("shop/views/orders.py", 3, "for", "list_orders")
    origin = replace(place("shop/orders.py", 5, "session", "open_orders"), end_line=8, end_column=6)
    finding = Finding(
        rule="DBG101",
        name="n-plus-one",
        severity=Severity.ERROR,
        subject="Order.lines",
        message="`Order.lines` is loaded once for each `Order`",
        site=place("shop/views/orders.py", 5, "order.lines", "list_orders"),
        origin=origin,
        loop=loop,
        count=40,
        tests=(
            "tests/test_orders.py::test_list_orders",
            "tests/test_orders.py::test_totals",
            "tests/test_web.py::test_x",
        ),
        fix=Fix(
            "load `Order.lines` with the query that loads the parents",
            "select(Order).options(selectinload(Order.lines).selectinload(Line.product))",
            origin,
        ),
        shape=LINES_SHAPE,
        evidence=("40 loads for 40 of 40 Order",),
    )
    return replace(finding, **changes)


def in_loop(**changes):
    """Return a finding on a line with a tab and wide characters, its loop in a file that is not there."""
    finding = Finding(
        rule="DBG103",
        name="statement-in-loop",
        severity=Severity.WARNING,
        subject="country",
        message="`country` is queried once for each iteration of `for order in orders:`",
        site=place("shop/views/orders.py", 10, "order.customer.address.city.country", "größe"),
        loop=Site("shop/jobs/nächtlich.py", 31, 5, "run"),
        certainty=Certainty.LIKELY,
        count=7,
        tests=("tests/test_größe.py::test_größe[ü]",),
        shape=Shape("77b0", "SELECT country.id, country.name FROM country WHERE country.id = ?"),
        scope="GET /orders",
    )
    return replace(finding, **changes)


def over_budget(**changes):
    """Return a finding without a place."""
    finding = Finding(
        rule="DBG901",
        name="query-budget",
        severity=Severity.WARNING,
        subject="tests/test_web.py::test_x",
        message="9 queries, at most 5 are allowed",
        count=9,
        tests=("tests/test_web.py::test_x",),
    )
    return replace(finding, **changes)


def whole_verdict(**changes):
    """Return a verdict with something in every part."""
    slowest = SlowStatement(212.4, LINES_SHAPE, place("shop/orders.py", 5))
    verdict = Verdict(
        findings=(n_plus_one(), in_loop(), over_budget(), in_loop(subject="city", status=Status.KNOWN)),
        test_findings=(in_loop(severity=Severity.NOTE, in_test_code=True),),
        totals=RunTotals(142, 1893, 211, 4211.6, slowest),
        baseline=BaselineState("dbguard-baseline.json", 14, 1),
        ignored=2,
        faults=(Fault("rule DBG104", "TypeError: no flush\n[parameters: ('secret',)]"),),
    )
    return replace(verdict, **changes)


@pytest.fixture
def shop(tmp_path):
    """Write the sources and return their root directory."""
    for file, text in SOURCES.items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(text, encoding="utf-8")
    return tmp_path


@pytest.fixture
def context(shop):
    """Return a factory of contexts."""

    def make(width=80, verbosity=0, *, color=False):
        return ReportContext(shop, width, color, verbosity)

    return make


@pytest.fixture
def findings():
    """Return the factories of findings by name, and `place`."""

    class Factories:
        pass

    for factory in (n_plus_one, in_loop, over_budget, place):
        setattr(Factories, factory.__name__, staticmethod(factory))
    return Factories


@pytest.fixture
def make_verdict():
    """Return the factory of verdicts."""
    return whole_verdict
