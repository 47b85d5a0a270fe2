"""Estimates what statements cost with sets of candidates from the plans that are known, without asking."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from pytest_dbguard.planning.advice.items import Item
from pytest_dbguard.planning.advice.masks import bits
from pytest_dbguard.planning.advice.prices import Answer, Prices

ALIKE = 0.995
"""A smaller candidate that saves this share of what another one saves is taken in its place."""


@dataclass(slots=True)
class _Known:
    """What is known of one item, in the form in which it is asked for."""

    base: float
    useful: int
    answers: Sequence[Answer]
    single: list[tuple[int, float, int]]
    """(used, saving, number of the table) of plans that use candidates of one table."""
    joint: list[tuple[int, float, int]]
    """(used, cost, set of tables) of plans that use candidates of several."""
    costs: dict[int, float] = field(default_factory=dict)


class Estimator:
    """Estimates, optimistically: what candidates of different tables save adds up until a plan shows otherwise.

    So a search that has what it takes for the best planned in the end, and searches again, misses nothing that its
    moves can reach.
    """

    def __init__(self, prices: Prices, upkeep: Sequence[float]) -> None:
        """`upkeep` is what writes pay for each candidate, in the planner's units."""
        self._prices = prices
        self._upkeep = list(upkeep)
        tables = list(dict.fromkeys((spec.schema, spec.table) for spec in prices.specs))
        self._table = [tables.index((spec.schema, spec.table)) for spec in prices.specs]
        self.items = [each for each in prices.items if each.number not in prices.refused and prices.answers(each)]
        self._known = {each.number: self._of(each) for each in self.items}
        self._used_by: dict[int, Sequence[Item]] = {}

    def workload_cost(self, chosen: int) -> float:
        """Return what the statements cost with a set, by themselves."""
        return sum(self._item(each, chosen) * each.weight for each in self.items)

    def charge(self, prices: Sequence[float]) -> None:
        """Add something to the cost of each candidate."""
        self._upkeep = [own + more for own, more in zip(self._upkeep, prices, strict=True)]

    @property
    def useful(self) -> int:
        """The candidates that any plan uses."""
        found = 0
        for each in self._known.values():
            found |= each.useful
        return found

    def units(self) -> tuple[int, ...]:
        """Return the sets that plans use: what is worth adding at once."""
        useful = self.useful
        kept = useful & ~sum(1 << number for number in self._dominated(useful))
        found = {1 << number for number in bits(kept)}
        for item in self.items:
            found |= {answer.used for answer in self._prices.answers(item) if answer.used & (answer.used - 1)}
        return tuple(sorted(found))

    def _dominated(self, useful: int) -> Iterator[int]:
        """Yield candidates in whose place a smaller one saves at least as much for each statement."""
        sizes = self._prices.sizes
        savings = {number: self._savings(number) for number in bits(useful)}
        for number, own in savings.items():
            for other, others in savings.items():
                rank = (sizes[other], other) < (sizes[number], number)
                if rank and all(others.get(item, 0.0) >= saving * ALIKE for item, saving in own.items()):
                    yield number
                    break

    def _savings(self, number: int) -> dict[int, float]:
        """Return what a candidate saves alone, by item."""
        found = {}
        for item in self._users(1 << number):
            saving = self._known[item.number].base - self._item(item, 1 << number)
            if saving > 0:
                found[item.number] = saving
        return found

    def refresh(self) -> None:
        """Take in the plans that were asked for since."""
        for item in self.items:
            if len(self._prices.answers(item)) != len(self._known[item.number].answers):
                self._known[item.number] = self._of(item)
                self._used_by = {}

    def cost(self, chosen: int) -> float:
        """Return the workload's cost with a set, writes included."""
        return self.workload_cost(chosen) + sum(self._upkeep[number] for number in bits(chosen))

    def gain(self, chosen: int, unit: int) -> float:
        """Return what adding a unit to a set saves."""
        more = unit & ~chosen
        saved = 0.0
        for item in self._users(more):
            saved += (self._item(item, chosen) - self._item(item, chosen | unit)) * item.weight
        return saved - sum(self._upkeep[number] for number in bits(more))

    def touched(self, chosen: int) -> int:
        """Return the items, as a set, that any of these candidates does something for."""
        return sum(1 << item.number for item in self._users(chosen))

    def _users(self, chosen: int) -> Sequence[Item]:
        """Return the items that any of these candidates does something for."""
        found = self._used_by.get(chosen)
        if found is None:
            found = [item for item in self.items if self._known[item.number].useful & chosen]
            self._used_by[chosen] = found
        return found

    def item(self, item: Item, chosen: int) -> float:
        """Return what one execution of an item costs with a set."""
        return self._item(item, chosen)

    def _of(self, item: Item) -> _Known:
        answers = tuple(self._prices.answers(item))
        found = self._prices.known(item, 0)
        base = found.cost if found is not None else max(each.cost for each in answers)
        useful, single, joint = 0, [], []
        for answer in {each.used: each for each in answers if each.used}.values():
            useful |= answer.used
            tables = {self._table[number] for number in bits(answer.used)}
            if len(tables) == 1:
                single.append((answer.used, base - answer.cost, tables.pop()))
            else:
                joint.append((answer.used, answer.cost, sum(1 << each for each in tables)))
        single.sort(key=lambda each: -each[1])
        return _Known(base, useful, answers, single, joint)

    def _item(self, item: Item, chosen: int) -> float:
        known = self._known[item.number]
        chosen &= known.useful
        cost = known.costs.get(chosen)
        if cost is None:
            cost = known.costs[chosen] = _estimated(known, chosen)
        return cost


def _estimated(known: _Known, chosen: int) -> float:
    if not chosen:
        return known.base
    least, most = 0.0, known.base
    for answer in known.answers:
        covers = not chosen & ~answer.shown
        if not answer.used & ~chosen:
            if covers:
                return answer.cost
            most = min(most, answer.cost)
        elif covers:
            least = max(least, answer.cost)
    savings: dict[int, float] = {}
    for used, saving, table in known.single:
        if not used & ~chosen and table not in savings:
            savings[table] = saving
    best = known.base - sum(savings.values())
    for used, cost, tables in known.joint:
        if not used & ~chosen:
            best = min(best, cost - sum(saving for table, saving in savings.items() if not tables >> table & 1))
    return min(max(best, least), most)
