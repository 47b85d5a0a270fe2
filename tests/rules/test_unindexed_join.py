"""DBG302: what is said of a join that no index serves."""

from __future__ import annotations

from assessments import SITE, judged, statement, verdict, want

from pytest_dbguard.core.findings import Severity
from pytest_dbguard.planning.assessment import Basis, Purpose
from pytest_dbguard.rules.unindexed_join import UnindexedJoin
from pytest_dbguard.sql.facts.model import Scan, Term, TermKind

SCANS = (Scan("orders", "orders"), Scan("c", "customer"))
JOIN = want("customer_id", purpose=Purpose.JOIN, terms=(Term("customer_id", TermKind.JOIN, other=("c", "id")),))


def test_what_it_says():
    [finding] = judged(UnindexedJoin, statement((JOIN, verdict()), scans=SCANS))
    assert (finding.rule, finding.subject, finding.site) == ("DBG302", "orders.customer_id", SITE)
    assert finding.message == (
        "no index serves `orders.customer_id`, which joins `customer`: each execution reads all 100,000 rows"
    )
    assert finding.severity is Severity.ERROR


def test_the_other_side_is_not_always_a_table():
    [finding] = judged(UnindexedJoin, statement((JOIN, verdict()), scans=SCANS[:1]))
    assert finding.message == "no index serves `orders.customer_id`: each execution reads all 100,000 rows"


def test_not_planned():
    [finding] = judged(UnindexedJoin, statement((JOIN, verdict(basis=Basis.STATIC)), scans=SCANS))
    assert finding.severity is Severity.WARNING


def test_filters_and_what_does_not_help():
    assert judged(UnindexedJoin, statement((want("city"), verdict()), (JOIN, verdict(helps=False)))) == []
