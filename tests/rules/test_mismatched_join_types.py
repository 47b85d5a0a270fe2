"""DBG304: what is said of joined columns whose types differ."""

from __future__ import annotations

from assessments import judged, statement, unusable, verdict

from pytest_dbguard.core.findings import Severity
from pytest_dbguard.planning.assessment import Obstacle
from pytest_dbguard.rules.mismatched_join_types import MismatchedJoinTypes
from pytest_dbguard.sql.facts.model import Scan, TermKind

SCANS = (Scan("orders", "orders"), Scan("c", "customer"))


def found(given, said=None, scans=SCANS):
    return judged(MismatchedJoinTypes, statement(unusable=((given, said or verdict()),), scans=scans))


def test_what_it_says():
    [finding] = found(unusable(Obstacle.TYPE, "city", kind=TermKind.JOIN, other=("c", "id")))
    assert (finding.rule, finding.subject, finding.severity) == ("DBG304", "orders.city", Severity.WARNING)
    assert finding.message == (
        "`orders.city` (integer) is joined with `customer.id` (integer): each execution reads all 100,000 rows"
    )
    assert finding.fix.title == "give both columns the same type"


def test_the_other_side_is_not_always_a_column():
    [finding] = found(unusable(Obstacle.TYPE, "city", kind=TermKind.JOIN, other=("x", "id")))
    assert finding.message.startswith("`orders.city` (integer) is joined with `id`: ")
    [finding] = found(unusable(Obstacle.TYPE, "city", kind=TermKind.JOIN))
    assert finding.message.startswith("`orders.city` is joined with another type: ")


def test_silent_of_values_and_where_it_does_not_matter():
    assert found(unusable(Obstacle.TYPE, "city")) == []
    assert found(unusable(Obstacle.TYPE, "city", kind=TermKind.JOIN), verdict(helps=False)) == []
