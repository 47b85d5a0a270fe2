"""Finds out which candidates do anything for which statement, by hiding what a plan used until nothing is used."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from pytest_dbguard.planning.advice.items import Item
from pytest_dbguard.planning.advice.masks import bits
from pytest_dbguard.planning.advice.prices import Answer, Prices

LONGEST = 14
"""Plans of one statement that are looked at, each without what all earlier ones used."""

LEAST_SHARE = 0.0002
"""Share of the workload's cost that a plan must save for worse ones to be looked for."""


@dataclass(frozen=True, slots=True)
class Explorer:
    """Asks for the plans that a search estimates from.

    Attributes:
        prices: Asked.
        is_late: Whether the time is over.
        progress: Is told which share is over.
    """

    prices: Prices
    is_late: Callable[[], bool]
    progress: Callable[[float], None]

    def explore(self, own: Sequence[int]) -> None:
        """Find out what candidates do for each item: first its own ones, then what turned out useful for others.

        `own` are the candidates that were made for each item, in the order of the items. Those that are in no plan once
        all better ones are hidden are useless alone: the planner had them and took none of them.
        """
        prices = self.prices
        ordered = sorted(prices.items, key=lambda each: (-self._base(each) * each.weight, each.number))
        least = LEAST_SHARE * sum(self._base(each) * each.weight for each in prices.items)
        for done, item in enumerate(ordered):
            self.progress(done / len(ordered) / 2)
            self._descend(item, own[item.number] & prices.relevant[item.number], least)
        self._singles(ordered)
        useful = self._useful()
        for done, item in enumerate(ordered):
            self.progress(0.5 + done / len(ordered) / 2)
            self._descend(item, useful & prices.relevant[item.number] & ~own[item.number], least)
        self._singles(ordered)

    def _base(self, item: Item) -> float:
        found = self.prices.known(item, 0)
        return found.cost if found is not None else 0.0

    def _useful(self) -> int:
        found = 0
        for item in self.prices.items:
            for answer in self.prices.answers(item):
                found |= answer.used
        return found

    def _descend(self, item: Item, shown: int, least: float) -> None:
        if not shown or item.number in self.prices.refused or self.is_late():
            return
        base = self._base(item)
        with self.prices.showing(shown):
            for _ in range(LONGEST):
                answer = self._answer(item, shown)
                if answer is None or not answer.used or self.is_late():
                    return
                if (base - answer.cost) * item.weight < min(least, base * item.weight / 10):
                    return
                shown &= ~answer.used
                if not shown:
                    return

    def _answer(self, item: Item, shown: int) -> Answer | None:
        known = self.prices.known(item, shown)
        if known is not None:
            return known
        with self.prices.showing(shown):
            return self.prices.explain(item)

    def _singles(self, items: Sequence[Item]) -> None:
        """Ask for each candidate that a plan used along with others what it does alone."""
        wanted: dict[int, list[Item]] = {}
        for item in items:
            for number in _together(self.prices.answers(item)):
                wanted.setdefault(number, []).append(item)
        for number, found in wanted.items():
            if self.is_late():
                return
            self.prices.ask(found, 1 << number)


def _together(answers: Iterable[Answer]) -> Iterable[int]:
    together = 0
    for answer in answers:
        if answer.used & (answer.used - 1):
            together |= answer.used
    return bits(together)
