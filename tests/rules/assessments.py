"""Builds assessments as the rules about indexes get them: a statement, what it wants, and what the planner said."""

from __future__ import annotations

from pytest_dbguard.core.findings import Shape, Site
from pytest_dbguard.planning.assessment import (
    AssessedStatement,
    Assessment,
    Basis,
    Obstacle,
    Purpose,
    Unusable,
    Verdict,
    Wanted,
)
from pytest_dbguard.planning.lab.base import IndexSize, IndexSpec, LabDescription, Rung
from pytest_dbguard.planning.plan import Access, Node, Plan
from pytest_dbguard.planning.statistics.model import Origin, Statistics, TableStatistics
from pytest_dbguard.planning.workload import Use, WorkloadStatement
from pytest_dbguard.rules.base import RuleOptions
from pytest_dbguard.schema.catalog import Catalog, Column, Dialect, ForeignKey, Index, IndexKey, Table
from pytest_dbguard.sql.facts.model import Scan, StatementFacts, Term, TermKind

SITE = Site("shop/orders.py", 12, function="by_city")
LAB = LabDescription("postgresql", "18.1", Rung.FORGED, "forged files")
CITY = Term("city", TermKind.EQUAL, expression="city")

ORDERS = Table(
    "public",
    "orders",
    columns=tuple(Column(name, "integer") for name in ("id", "city", "name", "customer_id")),
    primary_key=("id",),
    indexes=(
        Index("orders_pkey", (IndexKey("id"),), is_unique=True, is_primary=True, is_constraint=True),
        Index("ix_orders_name", (IndexKey("name"),)),
        Index("ix_orders_name_city", (IndexKey("name"), IndexKey("city"))),
    ),
    foreign_keys=(ForeignKey("fk", ("customer_id",), "public", "customer", ("id",), on_delete="CASCADE"),),
)
CUSTOMER = Table("public", "customer", columns=(Column("id", "integer"),), primary_key=("id",))


def spec(*columns, table="orders", schema="public"):
    return IndexSpec(schema, table, columns, columns)


def want(*columns, purpose=Purpose.FILTER, terms=(CITY,), **more):
    return Wanted(spec(*columns), purpose, "orders", terms=terms, **more)


def plan(access=Access.SEQUENTIAL, *, table="orders", cost=2137.0, above=()):
    """A plan that reads a table somehow, below nodes of these accesses."""
    found = (("Index Cond", "(id > 0)"),) if access is Access.INDEX else ()
    node = Node(access, f"{access} on {table}", table=table, alias=table, total_cost=cost, rows=50.0, condition=found)
    for each in above:
        node = Node(each, str(each), total_cost=cost, rows=50.0, children=(node,))
    return Plan(node, cost)


def verdict(before=None, *, helps=True, basis=Basis.MODELLED, **more):
    before = before or plan()
    after = plan(Access.INDEX, cost=8.5)
    size = IndexSize(271, 1)
    given = {"cost_before": before.cost, "cost_after": after.cost, "plan_before": before, "plan_after": after}
    return Verdict(helps, basis, **{**given, "size": size, "rows": 100_000.0, **more})


STATIC = Verdict(True, Basis.STATIC)


def unusable(obstacle=Obstacle.FUNCTION, expression="lower(city)", **more):
    kind = more.pop("kind", TermKind.EQUAL)
    term = Term("city", kind, expression=expression, other=more.pop("other", None))
    return Unusable(obstacle, "orders", 0, "orders", term, **more)


def use(site=SITE, *, count=1, tests=("t::a",), **more):
    return Use(site, count, tests, **more)


def statement(*wanted, unusable=(), scan=None, scans=(), uses=(use(),), shape="s1", written=(), joins=(), **more):
    """A statement that wants (wanted, verdict) pairs."""
    found = scans or (scan or Scan("orders", "orders"),)
    facts = StatementFacts(tuple(found), written=tuple(written), tables=tuple(each.table for each in found))
    of_workload = WorkloadStatement(Shape(shape, f"SELECT {shape}"), None, tuple(uses))
    return AssessedStatement(of_workload, facts, wanted=wanted, unusable=unusable, unused_joins=joins, **more)


def assessment(*statements, dialect=Dialect.POSTGRESQL, tables=(ORDERS, CUSTOMER), rows=None, **more):
    origin = more.pop("origin", Origin.DEFAULT)
    statistics = Statistics(
        tuple(
            TableStatistics(table.schema, table.name, (rows or {}).get(table.name, 100_000), origin=origin)
            for table in tables
        ),
        origin=origin,
        source=more.pop("source", "default"),
        taken_at=more.pop("taken_at", ""),
    )
    catalog = Catalog(dialect, tables=tuple(tables), search_path=("public",))
    return Assessment(catalog, statistics, statements, **{"lab": LAB, **more})


def judged(rule, *statements, **more):
    """What a rule says of an assessment."""
    return list(rule(RuleOptions()).judge(assessment(*statements, **more)))
