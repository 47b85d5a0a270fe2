"""Chooses the set of candidates: greedily by several measures, then by taking members out and filling up again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush

from pytest_dbguard.planning.advice.estimate import Estimator
from pytest_dbguard.planning.advice.masks import bits
from pytest_dbguard.planning.advice.prices import Prices

EXPONENTS = (0.0, 0.5, 1.0)
"""How much size counts where the next candidate is chosen: not at all, or as much as what it saves."""

STARTS = 2
"""The best sets of the greedy choices whose members are exchanged."""

LEAST_STEP = 1e-5
"""Share of the cost by which an exchange must make it less."""


@dataclass(slots=True)
class Search:
    """Searches by estimates.

    Attributes:
        prices: Sizes of candidates.
        estimator: Costs of sets.
        budget: Bytes; None without a limit.
        most: Indexes; None without a limit.
        is_late: Whether the time is over.
    """

    prices: Prices
    estimator: Estimator
    budget: int | None
    most: int | None
    is_late: Callable[[], bool]
    least: float = 0.0
    _units: tuple[int, ...] = field(default=())
    _touched: dict[int, int] = field(default_factory=dict)
    _first: dict[int, float] = field(default_factory=dict)

    def greedy(self) -> int:
        """Return the cheapest set that greedy choices make."""
        self._look()
        return min(self._greedy(), key=self._rank)

    def _greedy(self) -> list[int]:
        return [self._filled(0, exponent) for exponent in EXPONENTS]

    def _look(self) -> None:
        """Take in what is known by now."""
        self._units = self.estimator.units()
        self._touched = {unit: self.estimator.touched(unit) for unit in self._units}
        self._first = {unit: self.estimator.gain(0, unit) for unit in self._units}

    def best(self, *starts: int) -> int:
        """Return the cheapest set that is found from these sets; without any, from greedy choices."""
        self._look()
        found = sorted(set(starts or self._greedy()), key=self._rank)
        improved: list[int] = [self._improved(each) for each in found[:STARTS]]
        return min([*improved, *found], key=self._rank)

    def refilled(self, chosen: int, *, without: int) -> int:
        """Return a set with what else fits, but for some candidates that are not to come back."""
        self._look()
        pool = [unit for unit in self._units if not unit & without]
        return min((self._filled(chosen, exponent, pool) for exponent in EXPONENTS), key=self._rank)

    def _rank(self, chosen: int) -> tuple[float, int]:
        return self.estimator.cost(chosen) + self.least * chosen.bit_count(), self.prices.size(chosen)

    def _fits(self, chosen: int) -> bool:
        if self.most is not None and chosen.bit_count() > self.most:
            return False
        return self.budget is None or self.prices.size(chosen) <= self.budget

    def _filled(self, chosen: int, exponent: float, pool: Iterable[int] | None = None) -> int:
        """Add units while they save anything and fit, those that save most for their size first."""
        size, first = self.prices.size, self._first
        units = (unit for unit in (self._units if pool is None else pool) if unit & ~chosen and first[unit] > 0)
        order = [(-first[unit] / max(size(unit & ~chosen), 1) ** exponent, unit) for unit in units]
        heapify(order)
        # what a unit saves becomes less as others are added: only those that may be the best are computed anew
        while order:
            _, unit = heappop(order)
            if not unit & ~chosen or not self._fits(chosen | unit):
                continue
            score = self._score(chosen, unit, exponent)
            if score <= 0:
                continue
            if not order or -score <= order[0][0]:
                chosen |= unit
            else:
                heappush(order, (-score, unit))
        return self._thinned(chosen)

    def _score(self, chosen: int, unit: int, exponent: float) -> float:
        more = unit & ~chosen
        gain = self.estimator.gain(chosen, unit) - self.least * more.bit_count()
        if gain <= 0:
            return 0.0
        weight: float = max(self.prices.size(more), 1) ** exponent
        return gain / weight

    def _thinned(self, chosen: int) -> int:
        """Take out what nothing is lost by, the largest first."""
        for number in sorted(bits(chosen), key=lambda each: -self.prices.sizes[each]):
            without = chosen & ~(1 << number)
            if self.estimator.gain(without, 1 << number) <= self.least:
                chosen = without
        return chosen

    def _improved(self, chosen: int) -> int:
        """Exchange members while that makes the set better: each move in turn, until none of them does."""
        best, rank = chosen, self._rank(chosen)
        moves = list(dict.fromkeys([*self._units, *(1 << number for number in bits(chosen))]))
        open_units = self._open(best)
        idle, place = 0, 0
        while idle < len(moves) and not self.is_late():
            found = min(self._moved(best, moves[place], open_units), key=self._rank, default=best)
            if self._rank(found)[0] < rank[0] * (1 - LEAST_STEP):
                best, rank, idle = found, self._rank(found), 0
                open_units = self._open(best)
            else:
                idle += 1
            place = (place + 1) % len(moves)
        return best

    def _open(self, chosen: int) -> AbstractSet[int]:
        """Return the units that would make a set better if there were room."""
        return {unit for unit in self._units if unit & ~chosen and self.estimator.gain(chosen, unit) > 0}

    def _moved(self, chosen: int, unit: int, open_units: AbstractSet[int]) -> Iterator[int]:
        """Yield sets without a unit, filled up again; or with it, made to fit and filled up again."""
        if not unit & ~chosen:
            pool = [other for other in self._near(unit, open_units) if not other & unit]
            yield from (self._filled(chosen & ~unit, exponent, pool) for exponent in (0.0, 1.0))
        elif self._fits(unit):
            fitting = self._made_to_fit(chosen, unit)
            yield self._filled(fitting, 1.0, self._near(unit | chosen & ~fitting, open_units))

    def _near(self, changed: int, open_units: AbstractSet[int]) -> list[int]:
        """Return the units whose worth may change when these candidates come or go, and those that have one."""
        touched = self.estimator.touched(changed)
        return [unit for unit in self._units if self._touched[unit] & touched or unit in open_units]

    def _made_to_fit(self, chosen: int, unit: int) -> int:
        """Add a unit, and take out what loses least for its size until all fits."""
        chosen |= unit
        while not self._fits(chosen):
            members = list(bits(chosen & ~unit))
            if not members:
                return chosen
            chosen &= ~(1 << min(members, key=lambda each: self._worth(chosen, each)))
        return self._thinned(chosen)

    def _worth(self, chosen: int, number: int) -> float:
        without = chosen & ~(1 << number)
        return self.estimator.gain(without, 1 << number) / max(self.prices.sizes[number], 1)
