"""What a plan costs: the planner's own figure, or for SQLite, which has none, a static model of the rows it reads."""

from __future__ import annotations

import math

from pytest_dbguard.planning.advice.items import Item
from pytest_dbguard.planning.advice.prices import Costing
from pytest_dbguard.planning.plan import Access, Node, Plan
from pytest_dbguard.planning.statistics.model import Statistics
from pytest_dbguard.planning.what_if import effort
from pytest_dbguard.schema.catalog import Catalog, Dialect


def costing_of(catalog: Catalog, statistics: Statistics) -> Costing:
    """Return what computes the cost of a plan on a schema."""
    if catalog.dialect is Dialect.POSTGRESQL:
        return lambda _item, plan: plan.cost or 0.0
    rows = {table.name.lower(): table.rows for table in statistics.tables}

    def cost(_item: Item, plan: Plan) -> float:
        return effort(plan, rows) + sum(_descent(node, rows) for node in plan.root.walk())

    return cost


def _descent(node: Node, rows: dict[str, float]) -> float:
    """Return what a search costs beside the rows that it finds: a step for each halving of the table."""
    if not node.table or node.access is Access.SEQUENTIAL:
        return 0.0
    return math.log2(max(rows.get(node.table.lower(), 2.0), 2.0))
