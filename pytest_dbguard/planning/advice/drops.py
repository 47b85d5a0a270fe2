"""Which existing indexes can go: those that others replace, and those that no plan of the workload needs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from pytest_dbguard.planning.advice.index_bytes import PAGE
from pytest_dbguard.planning.advice.model import AdvisedIndex, DroppedIndex
from pytest_dbguard.planning.advice.prices import Prices
from pytest_dbguard.planning.candidates.redundant import redundant
from pytest_dbguard.planning.candidates.spelling import name_of
from pytest_dbguard.planning.lab.base import LabError
from pytest_dbguard.schema.catalog import Catalog, Index, RelationKind, Table

WORSE = 1.001
"""A statement that becomes dearer than this without an index needs it."""

REVIEW = "no plan of this workload uses it: to review"
_STORED = (RelationKind.TABLE, RelationKind.PARTITIONED, RelationKind.MATERIALIZED)


def drops(
    catalog: Catalog, prices: Prices, chosen: int, advised: Sequence[AdvisedIndex], used: frozenset[str]
) -> tuple[DroppedIndex, ...]:
    """Return what can be dropped, by table and name; what plans use was hidden, and none of them became dearer.

    Args:
        catalog: The schema.
        prices: With the plans.
        chosen: The candidates that are advised.
        advised: The same as indexes.
        used: Names of the existing indexes that any plan uses once the advised ones are there.
    """
    found = {(each.table, each.name): each for each in _found(catalog, advised, used)}
    # what no plan uses is not missed; what plans use has another one in its place only if they are as cheap with that
    doubtful = {key: each for key, each in found.items() if each.name in used}
    free = {key: each for key, each in doubtful.items() if not _hurts(prices, chosen, [each])}
    if free and _hurts(prices, chosen, free.values()):
        free = {}
    going = {key: each for key, each in found.items() if key not in doubtful or key in free}
    return tuple(_sized(prices, going[key]) for key in sorted(going))


def _found(catalog: Catalog, advised: Sequence[AdvisedIndex], used: frozenset[str]) -> Iterator[DroppedIndex]:
    """Yield proposals, the best reason of an index last."""
    doubled = redundant(catalog)
    # what stands in for one that goes stays, whether plans have it now or not
    needed = used | {each.by.name for each in doubled if each.index.name in used}
    for table, index in _unused(catalog, needed):
        yield DroppedIndex(table.label, index.name, REVIEW, 0, table.schema)
    for each in doubled:
        how = "is equal" if each.reason == "equal" else "begins with the same columns"
        yield DroppedIndex(each.table.label, each.index.name, f"{each.by.name} {how}", 0, each.table.schema)
    for new in advised:
        table_of = catalog.table(new.spec.table, new.spec.schema)
        for name in new.replaces:
            if table_of is not None:
                reason = f"{name_of(new.spec)} begins with the same columns"
                yield DroppedIndex(table_of.label, name, reason, 0, table_of.schema)


def _unused(catalog: Catalog, used: frozenset[str]) -> Iterator[tuple[Table, Index]]:
    for table in catalog.tables:
        if table.kind in _STORED and table.partition_of is None:
            for index in table.indexes:
                if _is_free(index) and index.name not in used and not _serves_key(index, table):
                    yield table, index


def _is_free(index: Index) -> bool:
    return bool(index.name) and not (index.is_unique or index.is_primary or index.is_constraint) and index.is_valid


def _serves_key(index: Index, table: Table) -> bool:
    """Whether the database itself looks by it for rows that refer to another one, which no recorded statement shows."""
    return any(set(index.columns[: len(key.columns)]) == set(key.columns) for key in table.foreign_keys)


def _hurts(prices: Prices, chosen: int, dropped: Iterable[DroppedIndex]) -> bool:
    """Whether any statement on these tables becomes dearer without these indexes, or the lab cannot hide them."""
    going = list(dropped)
    tables = {(each.schema, each.table.rpartition(".")[2]) for each in going}
    names = [f"{each.schema}.{each.name}" if each.schema else each.name for each in going]
    items = [
        item
        for item in prices.items
        if item.number not in prices.refused
        and any((view.table.schema, view.table.name) in tables for view in item.views)
    ]
    try:
        with prices.showing(chosen), prices.lab.visible(hidden=names):
            for item in items:
                before, plan = prices.known(item, chosen), prices.plan(item)
                if before is None or plan is None or prices.costing(item, plan) > before.cost * WORSE:
                    return True
    except LabError:
        return True
    return False


def _sized(prices: Prices, dropped: DroppedIndex) -> DroppedIndex:
    name = f"{dropped.schema}.{dropped.name}" if dropped.schema else dropped.name
    try:
        pages = prices.lab.size_of(name).pages
    except LabError:
        pages = 0
    return DroppedIndex(dropped.table, dropped.name, dropped.reason, pages * PAGE, dropped.schema)
