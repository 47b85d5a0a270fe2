"""Peers that compare sets: AutoAdmin and the anytime algorithm of DTA, from their papers."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations

from advice_what_if import Index, Problem, Question, Set

NAIVE = 2
"""AutoAdmin tries all sets of so many indexes before it goes on one by one."""


def autoadmin(problem: Problem, most: int) -> Set:
    """Choose so many indexes at most: the best for each question, then of these the best for all; wider each round.

    Chaudhuri and Narasayya, VLDB 1997.
    """
    share = problem.seconds / (2 * problem.width)
    candidates, best = frozenset(problem.singles), frozenset[Index]()
    for width in range(1, problem.width + 1):
        until = time.perf_counter() + share
        found = frozenset[Index]().union(
            *(_best(problem, _of(problem, each, candidates), most, (each,), until) for each in problem.questions)
        )
        best = _best(problem, found | best, most, problem.questions, time.perf_counter() + share)
        if width == problem.width:
            break
        candidates = best | found | frozenset(_wider(problem, best | found))
    return best


def _of(problem: Problem, question: Question, candidates: Iterable[Index]) -> Set:
    return frozenset(index for index in candidates if question.number in problem.touches(index))


def _wider(problem: Problem, indexes: Iterable[Index]) -> Iterator[Index]:
    for index in indexes:
        for single in problem.singles:
            if single.table == index.table and single.columns[0] not in index.columns:
                yield Index(index.table, (*index.columns, *single.columns))


def _best(problem: Problem, candidates: Set, most: int, questions: Sequence[Question], until: float) -> Set:
    """Return the cheapest set: of the first few by trying all, of the others by adding the best one."""
    empty, ordered = frozenset[Index](), sorted(candidates)
    best, gained = empty, 0.0
    for chosen in _few(problem, ordered, most):
        gain = problem.gain(empty, chosen, questions)
        if gain > gained:
            best, gained = chosen, gain
        if len(chosen) > 1 and time.perf_counter() > until:
            break
    while len(best) < most and time.perf_counter() < until:
        others = (index for index in ordered if index not in best)
        gain, index = max(
            ((problem.gain(best, best | {each}, questions), each) for each in others), default=(0.0, None)
        )
        if index is None or gain <= 0:
            break
        best = best | {index}
    return best


def _few(problem: Problem, ordered: Sequence[Index], most: int) -> Iterator[Set]:
    """Yield all small sets; of those whose members no question brings together the sum is known."""
    yield from (frozenset({index}) for index in ordered)
    if most >= NAIVE:
        for one, other in combinations(ordered, NAIVE):
            if problem.touches(one) & problem.touches(other):
                yield frozenset({one, other})


def anytime(problem: Problem, budget: float) -> Set:
    """Choose for each question, merge pairs, then grow from each candidate as a seed while time lasts.

    Chaudhuri and Narasayya, "Anytime Algorithm of Database Tuning Advisor", 2020.
    """
    until = time.perf_counter() + problem.seconds
    found = frozenset[Index]()
    for question in problem.questions:
        if time.perf_counter() > until:
            break
        candidates = problem.permutations(question, min(problem.width, 2))
        used = problem.planner.plan(question, candidates)[1]
        found |= used | _best(problem, used | problem.permutations(question, 1), 3, (question,), until)
    found |= frozenset(_merges(problem, found))
    found = frozenset(index for index in found if problem.planner.size(index) <= budget)
    best, cost = frozenset[Index](), problem.cost(frozenset())
    for by_size in (True, False):
        for seed in (frozenset[Index](), *(frozenset({index}) for index in sorted(found))):
            if time.perf_counter() > until:
                return best
            grown = _grown(problem, seed, found, budget, until, by_size=by_size)
            if (total := problem.cost(grown)) < cost:
                best, cost = grown, total
    return best


def _merges(problem: Problem, indexes: Set) -> Iterator[Index]:
    """Yield the columns of one followed by those of another."""
    for one in indexes:
        for other in indexes:
            columns = tuple(dict.fromkeys((*one.columns, *other.columns)))
            if one.table == other.table and len(one.columns) < len(columns) <= problem.width:
                yield Index(one.table, columns)


def _grown(problem: Problem, seed: Set, candidates: Set, budget: float, until: float, *, by_size: bool) -> Set:
    chosen, size = seed, problem.size(seed)
    while time.perf_counter() < until:
        best, most = None, 0.0
        for index in sorted(candidates - chosen):
            weight = problem.planner.size(index)
            if size + weight > budget:
                continue
            gain = problem.gain(chosen, chosen | {index}) / (weight if by_size else 1)
            if gain > most:
                best, most = index, gain
        if best is None:
            break
        chosen, size = chosen | {best}, size + problem.planner.size(best)
    return chosen
