"""What writes pay for an index, in the planner's units, since no planner counts that.

The model: each row that enters an index makes a write walk down its levels (an eighth of a unit each, as a read pays),
compare its way (a 400th a comparison), and change a leaf page (one unit, a page read in order; twice for an update,
which leaves the old entry behind). Entries that fill a page split it: their share of a page is added. An INSERT writes
its rows into all indexes of its table, a DELETE has them removed from all, an UPDATE writes into those that hold a
column that it sets. Where production told how many rows are written for one read, at least so many are counted.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from pytest_dbguard.planning.advice.items import Item
from pytest_dbguard.planning.lab.base import IndexSpec
from pytest_dbguard.planning.plan import Plan
from pytest_dbguard.planning.statistics.model import Statistics
from pytest_dbguard.schema.catalog import Catalog

_LEVEL, _COMPARISON, _LEAF = 0.125, 0.0025, 1.0
_FAN_OUT = 250

MOST_WRITES_PER_READ = 10.0
"""What production's counters tell above this is of how a table was filled, not of how it is used."""

Table = tuple[str, str]


class Upkeep:
    """The rows that a workload writes, and what they cost in an index."""

    def __init__(
        self, items: Sequence[Item], plans: Mapping[int, Plan], catalog: Catalog, statistics: Statistics
    ) -> None:
        """`plans` are those of items as the schema is, by number."""
        self._statistics = statistics
        self._whole: dict[Table, float] = {}
        """Rows that are inserted or deleted, for the whole workload."""
        self._updated: list[tuple[Table, frozenset[str], float]] = []
        reads: dict[Table, float] = {}
        for item in items:
            self._count(item, plans.get(item.number), catalog)
            for key in {(view.table.schema, view.table.name) for view in item.views}:
                reads[key] = reads.get(key, 0.0) + item.weight
        for key, number in reads.items():
            known = statistics.table(key[1], key[0])
            if known is not None and known.writes_per_read is not None:
                told = min(known.writes_per_read, MOST_WRITES_PER_READ) * number
                self._whole[key] = max(self._whole.get(key, 0.0), told)

    def _count(self, item: Item, plan: Plan | None, catalog: Catalog) -> None:
        for written in item.variant.facts.written:
            table = catalog.table(written.table, written.schema)
            if table is None:
                continue
            key = (table.schema, table.name)
            rows = item.weight * (1.0 if written.verb == "INSERT" else _rows(plan))
            if written.verb == "UPDATE":
                self._updated.append((key, written.columns, rows))
            else:
                self._whole[key] = self._whole.get(key, 0.0) + rows

    def of(self, spec: IndexSpec, size_bytes: int) -> float:
        """Return what the workload's writes pay for an index of that size."""
        key = (spec.schema, spec.table)
        known = self._statistics.table(spec.table, spec.schema)
        rows = max(known.rows if known is not None else self._statistics.default_rows, 2.0)
        pages = max(size_bytes / 8192, 1.0)
        levels = math.ceil(math.log(pages, _FAN_OUT)) + 1 if pages > 1 else 1
        each = _LEVEL * levels + _COMPARISON * math.log2(rows) + _LEAF + pages / rows
        written = self._whole.get(key, 0.0)
        held = {*spec.columns, *spec.include}
        written += sum(2 * count for table, columns, count in self._updated if table == key and held & columns)
        return written * each


def _rows(plan: Plan | None) -> float:
    """Return the rows that a write finds: of the first node below it that tells."""
    if plan is None:
        return 1.0
    found: Iterable[float | None] = (node.rows for node in plan.root.walk())
    return max(next((rows for rows in found if rows), 1.0), 1.0)
