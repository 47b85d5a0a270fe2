"""Peers that grow one set by benefit for its size: Extend and DB2Advis, from their papers."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from random import Random

from advice_what_if import Index, Problem, Set

LEAST = 0.003
"""Extend stops where a step saves less than this share of the cost."""

VARIATIONS = 10.0
"""Seconds that DB2Advis tries exchanges for at most."""


def extend(problem: Problem, budget: float) -> Set:
    """Add an index of one column or append a column to one that is there, whichever gains most for its size.

    Schlosser, Kossmann and Boissier, ICDE 2019.
    """
    chosen: Set = frozenset()
    cost, size = problem.cost(chosen), 0
    until = time.perf_counter() + problem.seconds
    while time.perf_counter() < until:
        best: tuple[float, Set, int] | None = None
        for after in _steps(problem, chosen):
            weight = problem.size(after)
            gain = problem.gain(chosen, after) if weight <= budget else 0.0
            if gain < LEAST * cost:
                continue
            ratio = gain / max(weight - size, 1)
            if best is None or ratio > best[0]:
                best = (ratio, after, weight)
        if best is None:
            break
        cost -= problem.gain(chosen, best[1])
        _, chosen, size = best
    return chosen


def _steps(problem: Problem, chosen: Set) -> Iterator[Set]:
    for single in problem.singles:
        if single not in chosen:
            yield chosen | {single}
        for index in sorted(chosen):
            column = single.columns[0]
            if index.table == single.table and column not in index.columns and len(index.columns) < problem.width:
                yield (chosen - {index}) | {Index(index.table, (*index.columns, column))}


def db2advis(problem: Problem, budget: float) -> Set:
    """Ask each question once with all permutations of its columns; keep what is used, by benefit for its size.

    Valentin, Zuliani, Zilio, Lohman and Skelley, ICDE 2000; the exchanges at the end are random with a fixed seed.
    """
    benefit: Counter[Index] = Counter()
    for question in problem.questions:
        before, _ = problem.planner.plan(question, frozenset())
        after, used = problem.planner.plan(question, problem.permutations(question, min(problem.width, 2)))
        for index in used:
            benefit[index] += question.weight * (before - after)
    ranked = _merged(problem, benefit)
    chosen, rest, size = set[Index](), [], 0
    for index in ranked:
        weight = problem.planner.size(index)
        if size + weight <= budget:
            chosen.add(index)
            size += weight
        else:
            rest.append(index)
    return _varied(problem, frozenset(chosen), rest, budget)


def _merged(problem: Problem, benefit: Counter[Index]) -> list[Index]:
    """Return indexes by benefit for their size; what begins another one gives it its benefit and goes."""
    for index in sorted(benefit, key=lambda each: len(each.columns)):
        longer = [other for other in benefit if other != index and index.begins(other)]
        if longer:
            benefit[max(longer, key=lambda each: (benefit[each], each))] += benefit.pop(index)
    return sorted(benefit, key=lambda index: (-benefit[index] / problem.planner.size(index), index))


def _varied(problem: Problem, chosen: Set, rest: list[Index], budget: float) -> Set:
    random, until = Random(7), time.perf_counter() + min(VARIATIONS, problem.seconds)
    for _ in range(300 if rest and chosen else 0):
        if time.perf_counter() > until:
            break
        count = random.randint(1, min(4, len(chosen), len(rest)))
        out = set(random.sample(sorted(chosen), count))
        pool = [index for index in rest if index not in chosen]
        if len(pool) < count:
            continue
        other = (chosen - out) | set(random.sample(pool, count))
        if problem.size(other) <= budget and problem.gain(chosen, other) > 0:
            rest, chosen = [*rest, *out], other
    return chosen
