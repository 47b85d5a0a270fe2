"""DBG404: of the places that count, those are told which only ask whether there are any."""

from __future__ import annotations

from dataclasses import replace

from assessments import SITE, judged, statement, use

from pytest_dbguard.core.findings import Site
from pytest_dbguard.planning.workload import Call
from pytest_dbguard.rules.count_for_existence import CountForExistence
from pytest_dbguard.sql.lint.model import LintMark, MarkKind

RESULT = LintMark(
    MarkKind.COUNT_COMPARISON, "orders", "orders", alias="orders", rewrite="SELECT EXISTS (...)", detail="result"
)
TESTED = Call(("scalar",), "zero")


def told(mark, *uses):
    return [finding.site for finding in judged(CountForExistence, statement(uses=uses, marks=(mark,)))]


def test_only_places_that_test_the_number_are_told():
    other = Site("shop/orders.py", 40)
    assert told(RESULT, use(call=TESTED), use(other, call=Call(("scalar",)))) == [SITE]
    assert told(RESULT, use(), use(other, call=Call(("scalar",), "length"))) == []


def test_what_tests_assert_is_no_matter():
    assert told(RESULT, use(call=TESTED, in_test_code=True)) == []


def test_what_the_statement_compares_itself_is_told_at_each_place():
    other = Site("shop/orders.py", 40)
    assert told(replace(RESULT, detail="compared"), use(), use(other)) == [SITE, other]


def test_the_change_is_told_for_both_tools():
    (finding,) = judged(CountForExistence, statement(uses=(use(call=TESTED),), marks=(RESULT,)))
    assert {each.kind: each.code for each in finding.remedies} == {
        "sqlalchemy": "session.scalar(select(exists().where(...)))",
        "sql": "SELECT EXISTS (...)",
    }
