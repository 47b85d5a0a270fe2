"""Adds to verdicts from how many rows their indexes pay, where a planner can be asked and time allows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from pytest_dbguard.planning.assessment import AssessedStatement, Purpose, Verdict, Wanted
from pytest_dbguard.planning.break_even import Question, pays_from
from pytest_dbguard.planning.lab.base import IndexSpec
from pytest_dbguard.planning.statements import Prepared
from pytest_dbguard.planning.what_if import WhatIf

MAX_TABLES = 4
"""Tables of one run whose sizes are pretended: each takes some tenths of a second."""

_Asked = dict[IndexSpec, tuple[Question, float]]


def with_sizes(
    statements: Sequence[AssessedStatement],
    prepared: Sequence[Prepared],
    what_if: WhatIf,
    is_late: Callable[[], bool],
) -> tuple[AssessedStatement, ...]:
    """Return the statements, the verdicts that help with `pays_from_rows`.

    Each index is asked for once, by the first statement that it helps; PostgreSQL only, since SQLite's planner uses
    an index at any size. Tables with most indexes come first.
    """
    if what_if.lab.description.dialect != "postgresql":
        return tuple(statements)
    tables: dict[tuple[str, str], _Asked] = {}
    for spec, asked in _asked(statements, prepared, what_if):
        tables.setdefault((spec.schema, spec.table), {}).setdefault(spec, asked)
    known: dict[IndexSpec, int] = {}
    for schema, table in sorted(tables, key=lambda key: (-len(tables[key]), key))[:MAX_TABLES]:
        if not is_late():
            known |= _of_table(tables[schema, table], what_if, table, schema)
    return tuple(_with_sizes(statement, known) for statement in statements)


def _asked(
    statements: Sequence[AssessedStatement], prepared: Sequence[Prepared], what_if: WhatIf
) -> Iterable[tuple[IndexSpec, tuple[Question, float]]]:
    for statement, source in zip(statements, prepared, strict=True):
        for wanted, verdict in statement.wanted:
            question = _question(wanted, source, what_if) if _is_asked(wanted, verdict) else None
            if question is not None:
                yield wanted.spec, (question, verdict.rows or 0.0)


def _is_asked(wanted: Wanted, verdict: Verdict) -> bool:
    return verdict.helps and not verdict.is_assumed and not wanted.group and wanted.purpose is not Purpose.SORT


def _question(wanted: Wanted, prepared: Prepared, what_if: WhatIf) -> Question | None:
    """Return the first text whose plan uses the index when it has no other."""
    names = what_if.names([wanted.spec])
    for variant in prepared.variants:
        plan = what_if.plan(variant.sql, names).plan
        if plan is not None and names & plan.indexes:
            return Question(variant.sql, names)
    return None


def _of_table(asked: _Asked, what_if: WhatIf, table: str, schema: str) -> dict[IndexSpec, int]:
    questions = list(dict.fromkeys(question for question, _ in asked.values()))
    rows = max(number for _, number in asked.values())
    found = pays_from(what_if.lab, questions, table=table, schema=schema, rows=rows)
    return {spec: found[question] for spec, (question, _) in asked.items() if question in found}


def _with_sizes(statement: AssessedStatement, known: dict[IndexSpec, int]) -> AssessedStatement:
    pairs = tuple((w, replace(v, pays_from_rows=known.get(w.spec)) if v.helps else v) for w, v in statement.wanted)
    return replace(statement, wanted=pairs)
