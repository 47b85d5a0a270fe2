"""What `dbguard advise` says of the same workloads: asked of a lab that has no rows."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from advice_real import Made
from advice_what_if import Question

from pytest_dbguard.core.findings import Shape
from pytest_dbguard.planning.advice.advise import advise
from pytest_dbguard.planning.advice.model import Advice
from pytest_dbguard.planning.candidates.spelling import ddl
from pytest_dbguard.planning.lab.base import IndexSpec, Lab
from pytest_dbguard.planning.workload import Exemplar, Use, Workload, WorkloadStatement
from pytest_dbguard.schema.catalog import Dialect


def asked(lab: Lab, questions: Iterable[Question], budget_bytes: int | None, deadline_s: float) -> Advice:
    """Return the advice for a workload, by the lab alone."""
    return advise(
        workload(questions),
        lab.catalog,
        lab.statistics,
        lab,
        budget_bytes=budget_bytes,
        deadline_s=deadline_s,
        progress=lambda *_told: None,
        clock=time.monotonic,
    )


def workload(questions: Iterable[Question]) -> Workload:
    """Return questions as a run would have recorded them."""
    return Workload(
        "public",
        tuple(
            WorkloadStatement(
                Shape(f"{each.number:08x}", each.text),
                Exemplar(each.text, "numeric_dollar"),
                (Use(None, round(each.weight), ()),),
            )
            for each in questions
        ),
    )


def made(advice: Advice) -> Sequence[Made]:
    """Return the indexes as they are made for real."""
    return [_made(each.spec) for each in advice.indexes]


def _made(spec: IndexSpec) -> Made:
    what = ddl(spec, Dialect.POSTGRESQL).partition(" ON ")[2]
    return Made(spec.table, spec.keys, f"ON {what}", not (spec.predicate or spec.include or None in spec.columns))
