"""Peers that look at one statement after the other: dexter's method and index_advisor's, as their sources have them."""

from __future__ import annotations

from advice_what_if import Index, Problem, Question, Set

LEAST_COST = 100.0
SHARE = 0.5


def index_advisor(problem: Problem) -> Set:
    """Pretend an index of each column of each table that a question names; take what its plan uses.

    Supabase's index_advisor 0.2.0, with values in place of its parameters.
    """
    found = frozenset[Index]()
    for question in problem.questions:
        found |= problem.planner.plan(question, _singles(problem, question))[1]
    return found


def _singles(problem: Problem, question: Question) -> Set:
    tables = problem.columns[question.number]
    return frozenset(
        Index(table.name, (column.name,))
        for table in problem.planner.source.catalog.tables
        if table.name in tables
        for column in table.columns
    )


def dexter(problem: Problem) -> Set:
    """Take for a question the one index that halves its cost; of two columns only where these halve it once more.

    ankane's dexter, with its default limits; statements that cost less than 100 are passed over.
    """
    found = frozenset[Index]()
    for question in problem.questions:
        found |= _chosen(problem, question)
    return frozenset(index for index in found if not _is_there(problem, index))


def _chosen(problem: Problem, question: Question) -> Set:
    start, _ = problem.planner.plan(question, frozenset())
    if start < LEAST_COST:
        return frozenset()
    one, singles = problem.planner.plan(question, problem.permutations(question, 1))
    found = frozenset(singles)
    cost = one
    if one > LEAST_COST:
        two, pairs = problem.planner.plan(question, problem.permutations(question, 2))
        if two < SHARE * one:
            found, cost = frozenset(pairs), two
    if cost >= SHARE * start:
        return frozenset()
    alone = {index: problem.planner.plan(question, frozenset({index}))[0] for index in sorted(found)}
    best = min(alone, key=lambda index: (alone[index], index), default=None)
    return frozenset({best}) if best is not None and alone[best] < SHARE * start else frozenset()


def _is_there(problem: Problem, index: Index) -> bool:
    """Whether an index of the schema begins with these columns."""
    table = problem.planner.source.catalog.table(index.table)
    return table is not None and any(
        tuple(key.column for key in each.keys)[: len(index.columns)] == index.columns for each in table.indexes
    )
