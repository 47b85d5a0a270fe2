"""What a plan costs: the planner's own figure, or for SQLite, which tells none, a static model of the rows it reads.

The model: tables of one query are read in the order of the plan, each once for every row that the ones before it leave.
A scan reads all rows, a search those that its terms leave (one of so many different values for each equality, a quarter
for each range) after a step for each halving of the table; a row that is only in an index counts a third. A temporary
costs each of its rows the steps that sorting takes. Where nothing is sorted, a query with a LIMIT ends after a page of
rows: it reads the share of its rows that this is.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator

from pytest_dbguard.planning.advice.items import Item
from pytest_dbguard.planning.advice.prices import Costing
from pytest_dbguard.planning.candidates.conditions import View
from pytest_dbguard.planning.plan import Access, Node
from pytest_dbguard.planning.statistics.model import Statistics, TableStatistics
from pytest_dbguard.schema.catalog import Catalog, Dialect
from pytest_dbguard.sql.facts.model import TermKind

_TERM = re.compile(r"(?:ANY\()?\"?(<expr>|[^\s\"()<>=]+)\"?\)?\s*(<=|>=|=|<|>)")
_EXPRESSION = "<expr>"
_EXPRESSION_DISTINCT = 200.0
"""Values of an expression that nobody knows anything of; PostgreSQL assumes as many."""
_PAGE_ROWS = 50.0
"""Rows that a LIMIT lets through: the number itself is a parameter mostly."""
_RANGE_SHARE = 0.25
_COVERING = 1 / 3
_READS = (Access.SEQUENTIAL, Access.INDEX, Access.INDEX_ONLY, Access.AUTOMATIC_INDEX, Access.BITMAP)
_TEMPORARIES = (Access.SORT, Access.TEMPORARY)


def costing_of(catalog: Catalog, statistics: Statistics) -> Costing:
    """Return what computes the cost of a plan on a schema."""
    if catalog.dialect is Dialect.POSTGRESQL:
        return lambda _item, plan: plan.cost or 0.0
    model = _Model(statistics)
    return lambda item, plan: model.cost(item, plan.root)


class _Model:
    """Counts the rows that plans of SQLite read."""

    def __init__(self, statistics: Statistics) -> None:
        self._tables = {table.name.lower(): table for table in statistics.tables}
        self._default = statistics.default_rows

    def cost(self, item: Item, node: Node) -> float:
        """Return the cost of what stands below a node: one query."""
        total, loops, steps, below, is_limited = 0.0, 1.0, 0, 0.0, False
        for child in node.children:
            if child.table and child.access in _READS:
                total += loops * self._read(child)
                loops = max(loops * self._left(item, child), 1.0)
                is_limited = is_limited or any(each.scan.has_limit for each in _views(item, child))
            elif child.access in _TEMPORARIES:
                steps += 1
            below += self.cost(item, child)
        if is_limited and not steps:
            total *= min(_PAGE_ROWS / loops, 1.0)
        return total + below + steps * loops * math.log2(loops + 1)

    def _rows(self, node: Node) -> float:
        known = self._tables.get(node.table.lower())
        return max(known.rows if known is not None else self._default, 1.0)

    def _read(self, node: Node) -> float:
        """Return what one execution of a node costs."""
        rows = self._rows(node)
        each = _COVERING if node.access is Access.INDEX_ONLY else 1.0
        if node.access is Access.AUTOMATIC_INDEX:
            # it is built anew for each execution of the query, so that it costs more than to read the table
            return 2 * rows
        if node.is_whole:
            return rows * each
        found = rows * self._share(node.table, _terms(node))
        return math.log2(rows + 1) + max(found, 1.0) * each

    def _left(self, item: Item, node: Node) -> float:
        """Return how many rows of a table are left by all that is asked of it: found by a search or not."""
        terms = list(_terms(node))
        named = {column for column, _ in terms}
        terms += [each for view in _views(item, node) for each in _constants(view) if each[0] not in named]
        return self._rows(node) * self._share(node.table, terms)

    def _share(self, name: str, terms: Iterable[tuple[str, bool]]) -> float:
        """Return the share of a table's rows that terms leave."""
        table = self._tables.get(name.lower())
        share = 1.0
        for column, is_equal in dict.fromkeys(terms):
            share *= 1 / self._distinct(table, column) if is_equal else _RANGE_SHARE
        return share

    def _distinct(self, table: TableStatistics | None, column: str) -> float:
        if column == _EXPRESSION:
            return min(_EXPRESSION_DISTINCT, table.rows if table is not None else self._default)
        if table is None or column.lower() == "rowid":
            return table.rows if table is not None else self._default
        known = next((each for each in table.columns if each.name.lower() == column.lower()), None)
        return max(known.distinct(table.rows), 1.0) if known is not None else 1.0


def _views(item: Item, node: Node) -> list[View]:
    """Return the scans that a node may be."""
    return [each for each in item.views if node.alias in (each.scan.alias, each.scan.table)]


def _terms(node: Node) -> Iterator[tuple[str, bool]]:
    """Yield (column, whether it is an equality) of what a search looks for."""
    for name, text in node.condition:
        if name == "Index Cond":
            yield from ((column, operator == "=") for column, operator in _TERM.findall(text))


def _constants(view: View) -> Iterator[tuple[str, bool]]:
    for each in view.constants:
        if each.term.kind in (TermKind.EQUAL, TermKind.LIST, TermKind.NULL):
            yield each.column.name, True
        elif each.term.kind in (TermKind.RANGE, TermKind.PREFIX):
            yield each.column.name, False
