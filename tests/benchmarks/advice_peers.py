"""The peers by name, and the limits that each is asked with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from advice_peers_each import dexter, index_advisor
from advice_peers_exhaustive import anytime, autoadmin
from advice_peers_greedy import db2advis, extend
from advice_what_if import Problem, Set

MB = 1_000_000
BUDGETS = (5, 10, 20, 40, 80)
COUNTS = (2, 4, 8, 16)
NOTHING = 10**12
SLOW = ("AutoAdmin", "Anytime")
"""Peers that know from their second limit on what they asked for before, since they would take all day."""

Search = Callable[[Problem], Set]


def _by_budget(search: Callable[[Problem, float], Set], budgets: Sequence[float]) -> Iterator[tuple[str, Search]]:
    # HypoPG believes that indexes are up to three times as large: larger budgets fill the same real sizes
    for budget in (*budgets, *(budget * 3 for budget in budgets[-1:]), NOTHING):
        yield "" if budget == NOTHING else f"{budget / MB:g}", partial(_call, search, budget)


def _call(search: Callable[[Problem, float], Set], limit: float, problem: Problem) -> Set:
    return search(problem, limit)


PEERS = {
    "Extend": lambda budgets: _by_budget(extend, budgets),
    "DB2Advis": lambda budgets: _by_budget(db2advis, budgets),
    "AutoAdmin": lambda budgets: (
        (f"{count}", partial(_call, autoadmin, count)) for count in COUNTS[:: len(BUDGETS) // len(budgets)]
    ),
    "Anytime": lambda budgets: _by_budget(anytime, budgets[::2]),
    "dexter": lambda _budgets: (("", dexter),),
    "index_advisor": lambda _budgets: (("", index_advisor),),
}
"""Advisors by name: for budgets, what to call for each limit, with the limit's name."""
