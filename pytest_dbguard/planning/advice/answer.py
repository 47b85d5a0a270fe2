"""Makes the advice out of the set that a search has chosen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from pytest_dbguard.planning.advice.drops import drops
from pytest_dbguard.planning.advice.items import Item
from pytest_dbguard.planning.advice.masks import bits
from pytest_dbguard.planning.advice.model import Advice, AdvisedIndex, DroppedIndex, Ending, StatementCost, Step
from pytest_dbguard.planning.advice.prices import Prices
from pytest_dbguard.planning.advice.proposals import beginning_with
from pytest_dbguard.planning.advice.upkeep import Upkeep
from pytest_dbguard.planning.assessment import Basis
from pytest_dbguard.planning.candidates.specs import extended, named
from pytest_dbguard.planning.candidates.spelling import name_of
from pytest_dbguard.planning.lab.base import IndexSpec
from pytest_dbguard.planning.plan import Plan
from pytest_dbguard.planning.statistics.model import Origin, Statistics
from pytest_dbguard.schema.catalog import Catalog


@dataclass(frozen=True, slots=True)
class Found:
    """What a search has found; see `Advice` for the words."""

    prices: Prices
    upkeep: Upkeep
    catalog: Catalog
    statistics: Statistics
    chosen: int
    budget_bytes: int | None
    path: tuple[Step, ...]
    ending: Ending
    skipped: Mapping[str, int]


def advice_of(found: Found, *, elapsed_s: Callable[[], float]) -> Advice:
    """Return the advice, with plans before and after of each statement."""
    prices, chosen = found.prices, found.chosen
    after = _plans(prices, chosen)
    specs = {number: _named(prices.specs[number], found.catalog) for number in bits(chosen)}
    names = {prices.names[number]: name_of(spec) for number, spec in specs.items()}
    costs = _statements(prices, chosen, after, names)
    indexes = tuple(sorted((_index(found, number, spec) for number, spec in specs.items()), key=_usefulness))
    kept = frozenset(name for plan in after.values() for name in plan.indexes)
    dropped = drops(found.catalog, prices, chosen, indexes, kept) if found.ending is Ending.COMPLETE else ()
    reasons = dict(found.skipped)
    for reason in prices.refused.values():
        reasons[reason] = reasons.get(reason, 0) + 1
    return Advice(
        indexes=indexes,
        drops=dropped,
        statements=costs,
        cost_before=sum(each.weight * each.before for each in costs),
        cost_after=sum(each.weight * each.after for each in costs),
        write_cost=sum(each.write_cost for each in indexes) - _saved(found, dropped),
        size_bytes=prices.size(chosen),
        budget_bytes=found.budget_bytes,
        path=found.path,
        not_analysed=tuple(sorted(reasons.items())),
        explains=prices.asked,
        elapsed_s=elapsed_s(),
        ending=found.ending,
        lab=prices.lab.description,
        basis=_basis(found.statistics),
        told=_told(found),
    )


def _basis(statistics: Statistics) -> Basis:
    return Basis.PROVEN if statistics.origin is Origin.PRODUCTION else Basis.MODELLED


def _usefulness(index: AdvisedIndex) -> tuple[float, str]:
    return -index.benefit, name_of(index.spec)


def _named(spec: IndexSpec, catalog: Catalog) -> IndexSpec:
    table = catalog.table(spec.table, spec.schema)
    return spec if table is None else named(table, spec)


def _plans(prices: Prices, chosen: int) -> dict[int, Plan]:
    """Return the plans of all items with a set."""
    found: dict[int, Plan] = {}
    with prices.showing(chosen):
        for item in prices.items:
            plan = prices.plan(item) if item.number not in prices.refused else None
            if plan is not None:
                found[item.number] = plan
    return found


def _statements(
    prices: Prices, chosen: int, after: Mapping[int, Plan], names: Mapping[str, str]
) -> tuple[StatementCost, ...]:
    """Return each statement, its texts taken together, dearest first."""
    by_shape: dict[str, list[StatementCost]] = {}
    for item in prices.items:
        if item.number in after and item.number in prices.plans:
            by_shape.setdefault(item.statement.shape.id, []).append(_cost(prices, item, after[item.number], names))
    merged = (_merged(found) for found in by_shape.values())
    return tuple(sorted(merged, key=lambda each: (-each.weight * each.before, each.shape.id)))


def _cost(prices: Prices, item: Item, after: Plan, names: Mapping[str, str]) -> StatementCost:
    before = prices.plans[item.number]
    used = tuple(sorted({names[index] for index in after.indexes if index in names}))
    costs = prices.costing(item, before), prices.costing(item, after)
    return StatementCost(item.statement.shape, item.weight, *costs, before, after, used)


def _merged(found: list[StatementCost]) -> StatementCost:
    weight = sum(each.weight for each in found)
    before = sum(each.weight * each.before for each in found) / weight
    after = sum(each.weight * each.after for each in found) / weight
    used = sorted({name for each in found for name in each.indexes})
    return replace(found[0], weight=weight, before=before, after=after, indexes=tuple(used))


def _index(found: Found, number: int, spec: IndexSpec) -> AdvisedIndex:
    prices, without = found.prices, found.chosen & ~(1 << number)
    prices.ask(prices.items, without)
    lost, total, serves = 0.0, 0.0, []
    for item in prices.items:
        one, other, base = (prices.known(item, each) for each in (found.chosen, without, 0))
        if one is not None and other is not None and base is not None:
            lost += (other.cost - one.cost) * item.weight
            total += base.cost * item.weight
            serves += [item.statement.shape.id] if one.used & (1 << number) else []
    table = found.catalog.table(spec.table, spec.schema)
    replaced = extended(table, spec) if table is not None else ""
    return AdvisedIndex(
        spec,
        prices.sizes[number],
        benefit=max(lost, 0.0) / total if total else 0.0,
        write_cost=found.upkeep.of(spec, prices.sizes[number]),
        serves=tuple(dict.fromkeys(serves)),
        replaces=(replaced,) if replaced else (),
        beside=next((index.name for index in beginning_with(spec, table)), "") if table is not None else "",
    )


def _saved(found: Found, dropped: tuple[DroppedIndex, ...]) -> float:
    """Return what writes no longer pay for indexes that go."""
    total = 0.0
    for each in dropped:
        table = found.catalog.table(each.table.rpartition(".")[2], each.schema)
        index = next((one for one in table.indexes if one.name == each.name), None) if table is not None else None
        if table is not None and index is not None:
            spec = IndexSpec(table.schema, table.name, (), index.columns, include=index.include)
            total += found.upkeep.of(spec, each.size_bytes)
    return total


def _told(found: Found) -> tuple[str, ...]:
    if found.prices.lab.description.dialect == "sqlite":
        return ("SQLite tells no costs: they are modelled from plans as rows that are read, and sizes are modelled",)
    return ()
