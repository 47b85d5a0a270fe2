"""Assessments for tests: statements with the plans that they are given, on a small schema."""

from __future__ import annotations

from types import MappingProxyType

from pytest_dbguard.core.findings import Shape, Site
from pytest_dbguard.planning.assessment import AssessedStatement, Assessment
from pytest_dbguard.planning.lab.base import LabDescription, Rung
from pytest_dbguard.planning.statistics.model import Origin, Statistics, TableStatistics
from pytest_dbguard.planning.workload import Exemplar, Use, WorkloadStatement
from pytest_dbguard.schema.catalog import Catalog, Dialect, Index, IndexKey, Table
from pytest_dbguard.sql.facts.model import Scan, StatementFacts

SITE = Site("shop/orders.py", 12, 5, "in_city")


def use(site=SITE, *tests, count=1, in_test_code=False):
    """Return a place that runs a statement."""
    return Use(site, count, tests or ("tests/test_a.py::test_a",), in_test_code)


def statement(plan, *uses, shape="a", text="SELECT city FROM orders WHERE city = ?", facts=None, wanted=(), planned=""):
    """Return a statement with its plan; `planned` is the text that was planned where that is not its shape."""
    run = WorkloadStatement(Shape(shape, text), Exemplar(text, "qmark"), uses or (use(),))
    facts = facts or StatementFacts(scans=(Scan("orders", "orders"),))
    return AssessedStatement(run, facts, plan, wanted=wanted, planned_text=planned or text)


def assessment(*statements, dialect=Dialect.POSTGRESQL, **others):
    """Return an assessment of statements.

    `others`: rows (by table), origin, source, version and rung of the lab, indexes (of orders), settings.
    """
    rows = {"orders": 100_000, "customers": 100_000} | others.get("rows", {})
    origin = others.get("origin", Origin.DEFAULT)
    tables = tuple(TableStatistics("", name, number, origin=origin) for name, number in rows.items())
    indexes = tuple(Index(name, (IndexKey("city"),)) for name in others.get("indexes", ("ix",)))
    return Assessment(
        Catalog(dialect, tables=(Table("", "customers"), Table("", "orders", indexes=indexes))),
        Statistics(
            tables,
            origin,
            others.get("source", "default"),
            taken_at=others.get("taken_at", ""),
            settings=MappingProxyType(others.get("settings", {})),
        ),
        statements,
        LabDescription(
            dialect.value, others.get("version", "18.1"), others.get("rung", Rung.FORGED), "made for a test"
        ),
    )
