"""Whether indexes that exist serve what a scan asks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pytest_dbguard.planning.assessment import Obstacle
from pytest_dbguard.planning.candidates.conditions import Condition, View
from pytest_dbguard.planning.candidates.expressions import canonical
from pytest_dbguard.planning.candidates.predicates import implied
from pytest_dbguard.planning.candidates.selectivity import MANY_ROWS, rows_for_each
from pytest_dbguard.schema.catalog import Catalog, Column, Dialect, Index, IndexKey
from pytest_dbguard.sql.facts.model import SortKey, TermKind

_ORDERED = frozenset({"btree"})
_POINTS = (TermKind.EQUAL, TermKind.LIST, TermKind.JOIN)


@dataclass(frozen=True, slots=True)
class Coverage:
    """Answers for the statement with the text `sql`, which may be "" (see `predicates.implied`)."""

    sql: str = ""

    def index_for(self, view: View, conditions: Sequence[Condition]) -> Index | None:
        """Return an index by which these conditions find few rows; None where there is none."""
        for index in usable(view.table):
            matched = matched_by(view, index, conditions)
            if any(not each.is_weak for each in matched) and self.holds(view, index) and not finds_many(view, matched):
                return index
        return None

    def holds(self, view: View, index: Index) -> bool:
        """Whether an index holds all rows that the scan asks for."""
        if not index.predicate:
            return True
        terms = [each.term for each in (*view.constants, *view.joins)]
        return implied(index.predicate, terms, self.sql, view.dialect)

    def sorts(self, view: View, order: Sequence[SortKey]) -> bool:
        """Whether an index yields rows in the order that is asked for, by its first key at least.

        Both databases sort the rest of the keys group by group.
        """
        return any(
            self.holds(view, index) and _yields_order(view, index, order)
            for index in usable(view.table)
            if index.method == "btree"
        )


def usable(table_or_view: object) -> Iterator[Index]:
    """Yield the valid indexes of a table."""
    yield from (index for index in getattr(table_or_view, "indexes", ()) if index.is_valid and index.keys)


def matched_by(view: View, index: Index, conditions: Sequence[Condition]) -> tuple[Condition, ...]:
    """Return the conditions that an index uses: by its keys in order, up to the first range or gap."""
    if index.method not in _ORDERED:
        return _matched_by_other(view, index, conditions)
    found: list[Condition] = []
    for key in index.keys:
        fitting = [each for each in conditions if fits(view, key, each)]
        if not fitting:
            break
        best = min(fitting, key=lambda each: (each.term.kind in (TermKind.RANGE, TermKind.PREFIX), each.is_weak))
        found.append(best)
        if best.term.kind in (TermKind.RANGE, TermKind.PREFIX):
            break
    return tuple(found)


def _matched_by_other(view: View, index: Index, conditions: Sequence[Condition]) -> tuple[Condition, ...]:
    """Of hash: equality with the key. Of others, whose operators are not known: whatever names one of their columns."""
    if index.method == "hash":
        return tuple(each for each in conditions if each.term.kind in _POINTS and fits(view, index.keys[0], each))
    columns = {name for key in index.keys for name in (key.column, key.expression) if name}
    return tuple(
        each
        for each in conditions
        if each.column.name in columns or any(each.column.name in expression for expression in columns)
    )


def fits(view: View, key: IndexKey, condition: Condition) -> bool:
    """Whether a key of a B-tree or hash index is what a condition compares, in the same collation and class."""
    if key.column is None:
        if not condition.expression or canonical(key.expression, view.dialect) != condition.expression:
            return False
        is_pattern = condition.term.kind is TermKind.PREFIX or condition.term.pattern == "leading"
        return not is_pattern or serves_prefix(key, condition.column, view.catalog)
    if key.column != condition.column.name:
        return False
    if condition.obstacle is Obstacle.COLLATION:
        return bool(key.collation) and condition.term.expression.lower().endswith(key.collation.lower().strip('"'))
    if condition.obstacle is not None or condition.expression:
        return False
    if condition.term.kind is TermKind.PREFIX and condition.term.operator != "GLOB":
        return serves_prefix(key, condition.column, view.catalog)
    is_own = key.collation.lower() in ("", condition.column.collation.lower())
    return is_own and (not key.operator_class.endswith("pattern_ops") or condition.term.kind is not TermKind.RANGE)


def serves_prefix(key: IndexKey, column: Column, catalog: Catalog) -> bool:
    """Whether a key of a B-tree serves LIKE 'abc%'."""
    collation = key.collation or column.collation
    if catalog.dialect is Dialect.SQLITE:
        return key.column is not None and collation.upper() == "NOCASE"
    if key.operator_class.endswith("pattern_ops") or collation.strip('"').upper() in ("C", "POSIX"):
        return True
    # of a schema without a database nobody knows the collation
    return not collation and (catalog.collation.is_c or not catalog.collation.locale)


def finds_many(view: View, matched: Sequence[Condition]) -> bool:
    """Whether an index finds so much by equality, as production counted, that the scan reads on."""
    if not all(each.term.kind is TermKind.EQUAL for each in matched):
        return False
    rows = [rows_for_each(each.column, view.statistics) for each in matched]
    total = view.statistics.rows if view.statistics is not None else 0.0
    return bool(rows) and bool(total) and all(rows) and min(rows) > max(MANY_ROWS, total / 10)


def _yields_order(view: View, index: Index, order: Sequence[SortKey]) -> bool:
    keys = list(index.keys)
    single = {each.column.name for each in view.constants if each.is_single and each.obstacle is None}
    wanted = [each for each in order if each.column not in single]
    if not wanted:
        return True
    while keys and keys[0].column in single and keys[0].column != wanted[0].column:
        keys.pop(0)
    return bool(keys) and keys[0].column == wanted[0].column and _has_same_nulls(view, keys[0], wanted[0])


def _has_same_nulls(view: View, key: IndexKey, wanted: SortKey) -> bool:
    """Whether a key read forwards or backwards puts NULLs where they are asked for."""
    if wanted.nulls_first is None:
        asked = wanted.descending if view.dialect is Dialect.POSTGRESQL else not wanted.descending
    else:
        asked = wanted.nulls_first
    column = view.table.column(key.column or "")
    if view.dialect is Dialect.SQLITE:
        is_default = asked is not wanted.descending
        return is_default or (column is not None and not column.nullable)
    return (key.descending == wanted.descending) == (key.nulls_first == asked)
