"""Finds the smallest set of indexes that makes a whole workload cheap, within a budget and a time limit."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from pytest_dbguard.planning.advice.answer import Found, advice_of
from pytest_dbguard.planning.advice.estimate import Estimator
from pytest_dbguard.planning.advice.explore import Explorer
from pytest_dbguard.planning.advice.index_bytes import PAGE
from pytest_dbguard.planning.advice.items import items_of
from pytest_dbguard.planning.advice.masks import bits
from pytest_dbguard.planning.advice.model import Advice, Ending, Step
from pytest_dbguard.planning.advice.plan_costs import costing_of
from pytest_dbguard.planning.advice.prices import Prices
from pytest_dbguard.planning.advice.proposals import beginning_with, proposals
from pytest_dbguard.planning.advice.search import Search
from pytest_dbguard.planning.advice.upkeep import Upkeep
from pytest_dbguard.planning.lab.base import Lab
from pytest_dbguard.planning.statistics.model import Statistics
from pytest_dbguard.planning.workload import Workload
from pytest_dbguard.schema.catalog import Catalog

DEADLINE_S = 30.0

LEAST_GAIN = 0.001
"""An index stays where leaving it out makes the workload dearer by this share, or a statement by `LEAST_OF_ONE`."""

LEAST_OF_ONE = 0.5
"""Share of one statement's cost that an index must save to stay though it matters little to the whole."""

LEAST_GAIN_BESIDE = 0.02
"""The same for one that an existing index begins with: only to be smaller than that must be worth much."""

SIZE_PRICE = 0.05
"""Without a budget: an index as large as all tables must save at least this share of the cost that all leave."""

ROUNDS = 40
"""Searches, each after the plans of the last one's set are known."""

PATIENCE = 3
"""Searches in a row that may find nothing better once plans are known."""

REFILLS = 3
"""Times that room is used anew which members leave that are not missed."""

NEAR = 1e-4
"""Share by which a set may cost more than was expected for the search to end."""

Progress = Callable[[str, float], None]
"""Told what is done ("plans", "search", "check") and which share of that is over, from 0 to 1."""


def _silent(_stage: str, _share: float) -> None:
    """Tell nobody."""


def _never() -> bool:
    """Let nobody stop it."""
    return False


def advise(
    workload: Workload,
    catalog: Catalog,
    statistics: Statistics,
    lab: Lab,
    *,
    budget_bytes: int | None = None,
    max_indexes: int | None = None,
    deadline_s: float = DEADLINE_S,
    progress: Progress = _silent,
    is_stopped: Callable[[], bool] = _never,
    clock: Callable[[], float] = time.monotonic,
) -> Advice:
    """Return the indexes to make and to drop, and what that changes for each statement.

    Candidates come from the facts of the statements. The lab makes all of them at once; plans with all, and with what
    is left when those that were used are hidden, tell which of them do anything for which statement. A search over
    sets estimates from these plans, has the set that it takes for the best planned, and searches again until what it
    found costs what it expected. In the end each member is left out in turn: one whose loss is not felt goes.

    Args:
        workload: What runs, and how often.
        catalog: Its schema.
        statistics: Completed.
        lab: Open, its candidates hidden; it stays open.
        budget_bytes: What all new indexes together may weigh; None without a limit.
        max_indexes: How many new ones there may be; None without a limit.
        deadline_s: Seconds after which the best set so far is the answer; so it is after KeyboardInterrupt.
        progress: Is told how far it is.
        is_stopped: Whether somebody wants the best set so far.
        clock: Gives seconds.
    """
    began = clock()

    def is_late() -> bool:
        return is_stopped() or clock() - began > deadline_s

    run = _Run(workload, catalog, statistics, lab, budget_bytes, max_indexes, is_late, is_stopped, progress)
    try:
        ending = run.go()
        return advice_of(run.found(ending), elapsed_s=lambda: clock() - began)
    finally:
        run.prices.hide_all()


@dataclass(slots=True)
class _Run:
    """One search; whenever it is stopped, `best` is the best set whose plans are known."""

    workload: Workload
    catalog: Catalog
    statistics: Statistics
    lab: Lab
    budget: int | None
    most: int | None
    is_late: Callable[[], bool]
    is_stopped: Callable[[], bool]
    progress: Progress
    is_interrupted: bool = False
    best: int = 0
    path: list[Step] = field(default_factory=list)
    prices: Prices = field(init=False)
    upkeep: Upkeep = field(init=False)
    skipped: dict[str, int] = field(init=False)
    _best_cost: float = float("inf")

    def __post_init__(self) -> None:
        items, skipped = items_of(self.workload, self.catalog, self.statistics, self.is_late)
        self.prices = Prices(self.lab, items, costing_of(self.catalog, self.statistics))
        self.skipped = dict(skipped)
        self.upkeep = Upkeep((), {}, self.catalog, self.statistics)

    def go(self) -> Ending:
        """Search until nothing is better, the time is over, or somebody stops it."""
        for step in (self._explore, self._search):
            try:
                step()
            except KeyboardInterrupt:
                # what is known by then is still searched, in a moment
                self.is_interrupted = True
        if self.is_interrupted or self.is_stopped():
            return Ending.INTERRUPTED
        return Ending.TIME if self.is_late() else Ending.COMPLETE

    def _is_over(self) -> bool:
        return self.is_interrupted or self.is_late()

    def _explore(self) -> None:
        self.prices.ask(self.prices.items, 0)
        self.upkeep = Upkeep(self.prices.items, self.prices.plans, self.catalog, self.statistics)
        own = [proposals(item) for item in self.prices.items]
        self.prices.add(spec for specs in own for spec in specs)
        explorer = Explorer(self.prices, self._is_over, lambda share: self.progress("plans", share))
        explorer.explore([self.prices.set_of(specs) for specs in own])

    def found(self, ending: Ending) -> Found:
        """Return what was found."""
        estimator = self._estimator()
        best = self._cleaned(estimator) if ending is Ending.COMPLETE else self.best
        return Found(
            self.prices, self.upkeep, self.catalog, self.statistics, best, self.budget, tuple(self.path), ending,
            self.skipped,
        )  # fmt: skip

    def _estimator(self) -> Estimator:
        sizes = zip(self.prices.specs, self.prices.sizes, strict=True)
        return Estimator(self.prices, [self.upkeep.of(spec, size) for spec, size in sizes])

    def _charge(self, estimator: Estimator) -> None:
        """Let space cost something where nobody has said how much there is."""
        stored = sum(table.pages for table in self.statistics.tables) * PAGE
        if self.budget is None and stored:
            # of what is left: one statement that is a thousand times as dear as all others must not hide them
            price = SIZE_PRICE * estimator.workload_cost(estimator.useful) / stored
            estimator.charge([price * size for size in self.prices.sizes])

    def _search(self) -> None:
        estimator = self._estimator()
        self._charge(estimator)
        search = self._searching(estimator)
        self._note(estimator, 0)
        chosen, waited = search.greedy(), 0
        for number in range(ROUNDS):
            expected, before = estimator.cost(chosen), self._best_cost
            self.prices.ask(self.prices.items, chosen)
            estimator.refresh()
            self._note(estimator, chosen)
            waited = 0 if self._best_cost < before else waited + 1
            is_as_expected = estimator.cost(chosen) <= expected * (1 + NEAR)
            if self._is_over() or waited > PATIENCE or (is_as_expected and number):
                return
            self.progress("search", number / ROUNDS)
            chosen = search.best(self.best, chosen) if number else search.best()

    def _note(self, estimator: Estimator, chosen: int) -> None:
        """Keep a set whose plans are known if it is the best so far."""
        cost = estimator.cost(chosen)
        if cost < self._best_cost:
            self.best, self._best_cost = chosen, cost
            self.path.append(Step(self.prices.size(chosen), estimator.workload_cost(chosen)))

    def _searching(self, estimator: Estimator) -> Search:
        return Search(self.prices, estimator, self.budget, self.most, self._is_over)

    def _cleaned(self, estimator: Estimator) -> int:
        """Return the best set without what is not missed; where room is limited, others have what that leaves."""
        gone, full = 0, self.best
        for _ in range(REFILLS):
            kept = self._without_needless(estimator, full)
            gone |= full & ~kept
            if kept == full or (self.budget is None and self.most is None) or self._is_over():
                return kept
            full = self._searching(estimator).refilled(kept, without=gone)
            self.prices.ask(self.prices.items, full)
            estimator.refresh()
            if estimator.cost(full) >= estimator.cost(kept):
                return kept
        return self._without_needless(estimator, full)

    def _without_needless(self, estimator: Estimator, chosen: int) -> int:
        """Leave out what nobody feels the loss of, the least useful first, planned each time."""
        for number in sorted(bits(chosen), key=lambda each: estimator.gain(chosen & ~(1 << each), 1 << each)):
            without = chosen & ~(1 << number)
            self.prices.ask(self.prices.items, without)
            estimator.refresh()
            gain = estimator.gain(without, 1 << number)
            least = LEAST_GAIN_BESIDE if self._is_beside(number) else LEAST_GAIN
            if gain < least * estimator.workload_cost(chosen) and not (
                least == LEAST_GAIN and self._is_felt(estimator, without, number)
            ):
                chosen = without
        return chosen

    def _is_beside(self, number: int) -> bool:
        spec = self.prices.specs[number]
        table = self.catalog.table(spec.table, spec.schema)
        return table is not None and any(beginning_with(spec, table)) and not spec.include

    def _is_felt(self, estimator: Estimator, without: int, number: int) -> bool:
        """Whether one statement loses much by it."""
        pairs = (
            (estimator.item(each, without), estimator.item(each, without | 1 << number)) for each in estimator.items
        )
        return any(after < before * (1 - LEAST_OF_ONE) for before, after in pairs)
