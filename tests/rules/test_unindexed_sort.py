"""DBG204: what is said of a sort for the first rows."""

from __future__ import annotations

import pytest
from assessments import STATIC, judged, plan, statement, verdict, want

from pytest_dbguard.core.findings import PlanMark, Severity
from pytest_dbguard.planning.assessment import Basis, Purpose
from pytest_dbguard.planning.plan import Access
from pytest_dbguard.rules.unindexed_sort import UnindexedSort
from pytest_dbguard.sql.facts.model import Scan

SORT = want("city", purpose=Purpose.SORT, terms=(), is_range_only=True)
SCAN = Scan("orders", "orders", has_limit=True)


def found(given):
    return judged(UnindexedSort, statement((SORT, given), scan=SCAN))


def test_what_it_says():
    [finding] = found(verdict(plan(above=[Access.SORT])))
    assert (finding.rule, finding.subject, finding.severity) == ("DBG204", "orders.city", Severity.WARNING)
    assert finding.message == (
        "no index has the order of `orders.city`: each execution sorts all 100,000 rows to return the first"
    )


def test_the_sort_is_marked():
    [finding] = found(verdict(plan(above=[Access.SORT])))
    assert [line.text.split(" ")[0] for line in finding.plan if line.mark is PlanMark.HOT] == ["sort"]


@pytest.mark.parametrize("given", [verdict(plan(Access.INDEX, above=[Access.SORT])), STATIC])
def test_what_is_found_by_an_index_or_not_planned(given):
    [finding] = found(given)
    assert finding.message.endswith(": each execution sorts all that it finds to return the first")


def test_production_proves_it():
    [finding] = found(verdict(basis=Basis.PROVEN))
    assert finding.severity is Severity.ERROR


def test_what_does_not_help():
    assert found(verdict(helps=False)) == []
    assert judged(UnindexedSort, statement((want("city"), verdict()))) == []
