"""DBG401: columns that are wide by production's statistics, where many rows come back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from assessments import assessment, plan, statement, use

from pytest_dbguard.planning.plan import Plan
from pytest_dbguard.planning.statistics.model import ColumnStatistics, Origin
from pytest_dbguard.rules.wide_select import WideSelect, WideSelectOptions
from pytest_dbguard.sql.lint.model import LintMark, MarkKind

MARK = LintMark(MarkKind.WIDE_SELECT, "orders", "orders", "public", ("id", "name"), alias="orders", detail="columns")


def judged(rows=5_000.0, width=2_000, origin=Origin.PRODUCTION, mark=MARK):
    made = plan()
    given = assessment(
        statement(marks=(mark,), plan=Plan(replace(made.root, rows=rows), made.cost)), origin=origin, source="the file"
    )
    columns = (ColumnStatistics("id", average_width=4), ColumnStatistics("name", average_width=width))
    tables = tuple(replace(each, columns=columns) for each in given.statistics.tables)
    given = replace(given, statistics=replace(given.statistics, tables=tables))
    return list(WideSelect(WideSelectOptions()).judge(given))


def test_a_wide_column_of_many_rows():
    [finding] = judged()
    assert finding.subject == "orders.name"
    assert finding.message == "`orders.name`, 2.0 kB on average, is read for each of about 5,000 rows"
    assert finding.evidence == ("about 9.5 MB in all, by the file",)


@pytest.mark.parametrize("given", [{"rows": 40.0}, {"width": 80}, {"origin": Origin.DECLARED}])
def test_silent(given):
    assert judged(**given) == []


def test_silent_where_it_is_not_read():
    assert judged(mark=replace(MARK, columns=("id",))) == []


def test_who_is_handed_the_name_of_a_table_cannot_name_its_columns():
    star = replace(MARK, detail="*", expression="orders")
    given = [assessment(statement(marks=(star,), uses=(use(is_generic=generic),))) for generic in (False, True)]
    assert [len(list(WideSelect(WideSelectOptions()).judge(each))) for each in given] == [1, 0]
