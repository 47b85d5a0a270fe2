"""DBG303: what is said of a join that changes nothing."""

from __future__ import annotations

from assessments import SITE, judged, statement

from pytest_dbguard.core.findings import Severity
from pytest_dbguard.planning.candidates.unused_joins import UnusedJoin as Found
from pytest_dbguard.rules.unused_join import UnusedJoin


def test_what_it_says():
    join = Found("c", "customer", "left", ("id",), "at most one row of it fits")
    [finding] = judged(UnusedJoin, statement(joins=(join,)))
    assert (finding.rule, finding.subject, finding.site) == ("DBG303", "customer", SITE)
    assert finding.severity is Severity.WARNING
    assert finding.message == "`customer` is joined and nothing of it is read: at most one row of it fits"


def test_silent_without_one():
    assert judged(UnusedJoin, statement()) == []
