"""Adds to verdicts from how many rows their indexes pay, where a planner can be asked and time allows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from pytest_dbguard.planning.assessment import AssessedStatement, Purpose, Verdict, Wanted
from pytest_dbguard.planning.break_even import pays_from
from pytest_dbguard.planning.lab.base import IndexSpec
from pytest_dbguard.planning.statements import Prepared
from pytest_dbguard.planning.what_if import WhatIf

MAX_ASKED = 40
"""Indexes of one run for which it is asked: each costs a dozen plans."""


def with_sizes(
    statements: Sequence[AssessedStatement],
    prepared: Sequence[Prepared],
    what_if: WhatIf,
    is_late: Callable[[], bool],
) -> tuple[AssessedStatement, ...]:
    """Return the statements, the verdicts that help with `pays_from_rows`.

    Each index is asked for once, by the first statement that it helps; PostgreSQL only, since SQLite's planner uses
    an index at any size.
    """
    if what_if.lab.description.dialect != "postgresql":
        return tuple(statements)
    known: dict[IndexSpec, int | None] = {}
    for statement, source in zip(statements, prepared, strict=True):
        for wanted, verdict in statement.wanted:
            if _is_asked(wanted, verdict) and wanted.spec not in known and len(known) < MAX_ASKED and not is_late():
                known[wanted.spec] = _pays_from(wanted, verdict, source, what_if)
    return tuple(_with_sizes(statement, known) for statement in statements)


def _is_asked(wanted: Wanted, verdict: Verdict) -> bool:
    return verdict.helps and not verdict.is_assumed and not wanted.group and wanted.purpose is not Purpose.SORT


def _pays_from(wanted: Wanted, verdict: Verdict, prepared: Prepared, what_if: WhatIf) -> int | None:
    names = what_if.names([wanted.spec])
    for variant in prepared.variants:
        plan = what_if.plan(variant.sql, names).plan
        if plan is not None and names & plan.indexes:
            spec = wanted.spec
            rows = verdict.rows or 0.0
            return pays_from(what_if, variant.sql, names, table=spec.table, schema=spec.schema, rows=rows)
    return None


def _with_sizes(statement: AssessedStatement, known: dict[IndexSpec, int | None]) -> AssessedStatement:
    pairs = tuple((w, replace(v, pays_from_rows=known.get(w.spec)) if v.helps else v) for w, v in statement.wanted)
    return replace(statement, wanted=pairs)
