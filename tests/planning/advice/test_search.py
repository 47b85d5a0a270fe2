"""What the search finds, beside the best of all sets, on planners whose every plan is known."""

from __future__ import annotations

import itertools
import random

import pytest

from pytest_dbguard.planning.advice.estimate import Estimator
from pytest_dbguard.planning.advice.explore import Explorer
from pytest_dbguard.planning.advice.items import items_of
from pytest_dbguard.planning.advice.masks import bits
from pytest_dbguard.planning.advice.prices import Prices
from pytest_dbguard.planning.advice.search import Search
from pytest_dbguard.planning.lab.base import IndexSize
from pytest_dbguard.schema.catalog import Catalog, Column, Dialect, Table
from tests.planning.advice.workloads import workload
from tests.planning.scripted_lab import ScriptedLab, index_on, plan_of, scan_of, sizes

COLUMNS = ("a", "b", "c", "d", "e", "f", "g")
TEXTS = [
    "SELECT id FROM t WHERE a = $1 AND b = $2 AND c = $3",
    "SELECT id FROM t WHERE c = $1 AND d = $2 AND e = $3",
    "SELECT id FROM t WHERE e = $1 AND f = $2 AND g = $3 AND a = $4",
    "SELECT id FROM t WHERE b = $1 AND d = $2 AND f = $3",
]


class KnownPlans(ScriptedLab):
    """A planner that has for each text some plans: the indexes that each needs, and its cost."""

    def __init__(self, seed):
        table = Table("", "t", columns=tuple(Column(name, "integer") for name in ("id", *COLUMNS)), primary_key=("id",))
        super().__init__(self.planned, catalog=Catalog(Dialect.POSTGRESQL, tables=(table,)))
        self.statistics = sizes(t=100_000)
        chance = random.Random(seed)
        self.plans, self.pages = {}, {f"t({name})": chance.randint(5, 60) for name in COLUMNS}
        for text in TEXTS:
            named = [name for name in COLUMNS if f"{name} = " in text]
            single = [((name,), chance.randint(10, 900)) for name in named]
            pairs = [
                (pair, chance.randint(5, 500)) for pair in itertools.combinations(named, 2) if chance.random() < 0.5
            ]
            self.plans[text] = [((), 1_000), *single, *pairs]

    def planned(self, sql, shown, _rows):
        possible = [(cost, need) for need, cost in self.plans[sql] if {f"t({name})" for name in need} <= shown]
        cost, need = min(possible)
        reads = [scan_of("t", float(cost), index=f"t({name})") for name in need] or [scan_of("t", float(cost))]
        return plan_of(*reads, cost=float(cost))

    def show(self, names):
        self._shown = frozenset(names)

    def size_of(self, name):
        return IndexSize(self.pages[name], 1)


def explored(seed):
    lab = KnownPlans(seed)
    items, _ = items_of(workload(*TEXTS), lab.catalog, lab.statistics, lambda: False)
    prices = Prices(lab, items, lambda _item, plan: plan.cost)
    everything = prices.add(index_on("t", name) for name in COLUMNS)
    prices.ask(items, 0)
    Explorer(prices, lambda: False, lambda _share: None).explore([everything] * len(items))
    return lab, prices, items


def true_cost(lab, prices, chosen):
    shown = frozenset(prices.names[number] for number in bits(chosen))
    return sum(lab.planned(text, shown, 0).cost for text in TEXTS)


def found(lab, prices, items, budget):
    """Search and plan in turn, as advice does."""
    estimator = Estimator(prices, [0.0] * len(COLUMNS))
    search = Search(prices, estimator, budget, None, lambda: False)
    best = chosen = 0
    for _ in range(12):
        chosen = search.best(*({best, chosen} - {0}))
        prices.ask(items, chosen)
        estimator.refresh()
        best = min(best, chosen, key=lambda each: true_cost(lab, prices, each))
    return best


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("share", [0.2, 0.5, None])
def test_as_good_as_the_best_of_all_sets(seed, share):
    lab, prices, items = explored(seed)
    whole = prices.size((1 << len(COLUMNS)) - 1)
    budget = None if share is None else int(whole * share)
    fitting = [each for each in range(1 << len(COLUMNS)) if budget is None or prices.size(each) <= budget]
    best = min(true_cost(lab, prices, each) for each in fitting)
    chosen = found(lab, prices, items, budget)
    assert chosen in fitting
    assert true_cost(lab, prices, chosen) <= best * 1.02


def test_estimates_are_never_below_what_all_together_cost():
    lab, prices, items = explored(3)
    estimator = Estimator(prices, [0.0] * len(COLUMNS))
    everything = (1 << len(COLUMNS)) - 1
    for chosen in range(everything + 1):
        assert estimator.cost(everything) <= estimator.cost(chosen) <= estimator.cost(0)
        for number in range(len(COLUMNS)):
            single = 1 << number
            assert estimator.cost(single) == true_cost(lab, prices, single)


def test_no_more_than_so_many():
    _, prices, _ = explored(1)
    search = Search(prices, Estimator(prices, [0.0] * len(COLUMNS)), None, 2, lambda: False)
    assert search.best().bit_count() <= 2


def test_what_writes_pay_keeps_an_index_out():
    _, prices, _ = explored(1)
    assert Search(prices, Estimator(prices, [1e6] * len(COLUMNS)), None, None, lambda: False).best() == 0


def test_room_that_is_left_goes_to_others():
    _, prices, items = explored(5)
    estimator = Estimator(prices, [0.0] * len(COLUMNS))
    budget = sum(prices.sizes) // 2
    search = Search(prices, estimator, budget, None, lambda: False)
    best = search.best()
    kept = best & -best
    full = search.refilled(kept, without=best & ~kept)
    assert full & best == kept and full != kept
    assert prices.size(full) <= budget and estimator.cost(full) < estimator.cost(kept)
