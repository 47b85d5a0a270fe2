"""Finds out which candidates do anything for which statement, by hiding what a plan used until nothing is used."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from pytest_dbguard.planning.advice.items import Item
from pytest_dbguard.planning.advice.masks import bits
from pytest_dbguard.planning.advice.prices import Answer, Prices

LONGEST = 14
"""Plans of one statement that are looked at, each without what all earlier ones used."""

LEAST_SHARE = 0.0002
"""Share of the workload's cost that a plan must save for worse ones to be looked for."""


def explore(prices: Prices, candidates: int, is_late: Callable[[], bool], progress: Callable[[float], None]) -> None:
    """Ask for the plans of all items without candidates, then with all, then with what is left when used ones go.

    Those that are in no plan then are useless alone: the planner had them and took none of them.
    """
    prices.ask(prices.items, 0)
    total = sum(_base(prices, each) * each.weight for each in prices.items)
    ordered = sorted(prices.items, key=lambda each: (-_base(prices, each) * each.weight, each.number))
    for done, item in enumerate(ordered):
        if is_late():
            return
        progress(done / len(ordered))
        if item.number not in prices.refused:
            _descend(prices, item, candidates & prices.relevant[item.number], LEAST_SHARE * total, is_late)
    _singles(prices, ordered, is_late)


def _base(prices: Prices, item: Item) -> float:
    found = prices.known(item, 0)
    return found.cost if found is not None else 0.0


def _descend(prices: Prices, item: Item, shown: int, least: float, is_late: Callable[[], bool]) -> None:
    base = _base(prices, item)
    with prices.showing(shown):
        for _ in range(LONGEST):
            answer = _explained(prices, item, shown)
            if answer is None or not answer.used or is_late():
                return
            if (base - answer.cost) * item.weight < min(least, base * item.weight / 10):
                return
            shown &= ~answer.used
            if not shown:
                return


def _explained(prices: Prices, item: Item, shown: int) -> Answer | None:
    known = prices.known(item, shown)
    if known is not None:
        return known
    with prices.showing(shown):
        return prices.explain(item)


def _singles(prices: Prices, items: Sequence[Item], is_late: Callable[[], bool]) -> None:
    """Ask for each candidate that a plan used along with others what it does alone."""
    wanted: dict[int, list[Item]] = {}
    for item in items:
        for number in _together(prices.answers(item)):
            wanted.setdefault(number, []).append(item)
    for number, found in wanted.items():
        if is_late():
            return
        prices.ask(found, 1 << number)


def _together(answers: Iterable[Answer]) -> Iterable[int]:
    together = 0
    for answer in answers:
        if answer.used & (answer.used - 1):
            together |= answer.used
    return bits(together)
