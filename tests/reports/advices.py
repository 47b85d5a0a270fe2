"""An advice for tests of its reports: one new index, one that it replaces, one to be reviewed."""

from __future__ import annotations

from pytest_dbguard.core.findings import Shape
from pytest_dbguard.planning.advice.drops import REVIEW
from pytest_dbguard.planning.advice.model import Advice, AdvisedIndex, DroppedIndex, Ending, StatementCost, Step
from pytest_dbguard.planning.assessment import Basis
from pytest_dbguard.planning.lab.base import IndexSpec, LabDescription, Rung
from pytest_dbguard.schema.catalog import Catalog, Column, Dialect, Index, IndexKey, Table

CITY = Index("ix_orders_city", (IndexKey("city"),))
NAME = Index("ix_orders_lower", (IndexKey(None, "lower(name)"), IndexKey("at", descending=True, nulls_first=True)))
SPEC = IndexSpec("public", "orders", ("city", "at DESC"), ("city", "at"), include=("total",))
WIDER = "ix_orders_city_at_desc begins with the same columns"
TEXT = "SELECT orders.total FROM orders WHERE orders.city = ? ORDER BY orders.at DESC"


def catalog(dialect=Dialect.POSTGRESQL, **more):
    columns = tuple(Column(name, "text") for name in ("id", "city", "name", "at", "total"))
    table = Table("public", "orders", columns=columns, primary_key=("id",), indexes=(CITY, NAME), **more)
    return Catalog(dialect, tables=(table,), search_path=("public",))


def advice(**more):
    index = AdvisedIndex(SPEC, 7_000_000, 0.42, 310.0, ("a",), ("ix_orders_city",))
    values = {
        "indexes": (index,),
        "drops": (
            DroppedIndex(
                "orders", "ix_orders_city", "ix_orders_city_at_desc begins with the same columns", 81_920, "public"
            ),
            DroppedIndex("orders", "ix_orders_lower", REVIEW, 0, "public"),
        ),
        "statements": (
            StatementCost(Shape("a", TEXT), 5, 1_000.0, 100.0, indexes=("ix_orders_city_at_desc",)),
            StatementCost(Shape("b", "SELECT orders.id FROM orders"), 1, 5_000.0, 5_000.0),
        ),
        "cost_before": 10_000.0,
        "cost_after": 5_500.0,
        "write_cost": 310.0,
        "size_bytes": 7_000_000,
        "budget_bytes": 10_000_000,
        "path": (Step(0, 10_000.0), Step(7_000_000, 5_500.0)),
        "not_analysed": (("the planner refused it", 2),),
        "explains": 12,
        "elapsed_s": 1.5,
        "ending": Ending.COMPLETE,
        "lab": LabDescription("postgresql", "18.1", Rung.FORGED, "made for a test"),
        "basis": Basis.PROVEN,
    }
    return Advice(**(values | more))
