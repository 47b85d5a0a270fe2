"""Leaves out of a workload what only tests run: no index is to be made for a test's own look at the database."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from types import MappingProxyType

from pytest_dbguard.planning.weights import loose_key
from pytest_dbguard.planning.workload import Workload, WorkloadStatement

ONLY_TESTS = "run by test code only"


def of_application(workload: Workload, production: Workload | None = None) -> Workload:
    """Return a workload with the uses in application code; statements without any are counted as skipped.

    Statements that nobody knows the places of stay, and so do those that production runs.
    """
    known = {loose_key(each) for each in production.statements} if production is not None else set()
    found = [each if loose_key(each) in known else _of_application(each) for each in workload.statements]
    kept = tuple(each for each in found if each is not None)
    skipped = Counter(workload.skipped)
    skipped[ONLY_TESTS] += len(found) - len(kept)
    return Workload(workload.schema_id, kept, MappingProxyType(dict(+skipped)))


def _of_application(statement: WorkloadStatement) -> WorkloadStatement | None:
    uses = tuple(use for use in statement.uses if not use.in_test_code)
    return replace(statement, uses=uses) if uses or not statement.uses else None
