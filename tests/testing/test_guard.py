"""The fixture `dbguard`, with and without `--dbguard`."""

from __future__ import annotations

import pytest

TESTS = """
import pytest
from test_shop import session
from shop import names, one_name


def test_counts(session, dbguard):
    one_name(session, 1)
    assert dbguard.count == 2
    assert [query.sql.split()[0] for query in dbguard.queries] == ["SELECT", "SELECT"]
    assert dbguard.queries[0].tables == ("orders",)
    assert dbguard.queries[0].site.label.startswith("shop.py:")


def test_expect(session, dbguard):
    with dbguard.expect(max_queries=2, tables={"orders": 1, "customer": 1}):
        one_name(session, 1)
    with dbguard.expect(exact=1):
        one_name(session, 2)
    with dbguard.expect(tables={"customer": 0, "of_sql_text_only": 0}):
        session.rollback()


def test_paused(session, dbguard):
    with dbguard.paused():
        names(session)
    assert dbguard.count == 0


def test_ignored(session, dbguard):
    with dbguard.ignore("DBG101", reason="three rows"):
        names(session)
"""

BROKEN = """
from test_shop import session
from shop import names


def test_too_many(session, dbguard):
    with dbguard.expect(max_queries=2):
        names(session)


def test_wrong_table(session, dbguard):
    with dbguard.expect(tables={"customer": 1}):
        names(session)


def test_misspelt_table(session, dbguard):
    with dbguard.expect(tables={"custmer": 1}):
        names(session)


def test_exception_goes_through(session, dbguard):
    with dbguard.expect(max_queries=0):
        raise KeyError("mine")
"""


@pytest.mark.parametrize("flags", [(), ("--dbguard",), ("-n2",), ("--dbguard", "-n2")], ids=str)
def test_guard(project, flags):
    project.write("test_guard.py", TESTS)
    result = project.run("test_guard.py", "-k", "not test_expect", *flags)
    assert result.ret == 0
    project.write(
        "test_guard.py", TESTS.replace("one_name(session, 2)", "session.get(type(session.new), 1) if 0 else None")
    )


@pytest.mark.parametrize("flags", [(), ("--dbguard-fail-on=never", "--dbguard")], ids=str)
def test_expectations(project, flags):
    project.write("test_guard.py", TESTS.replace("exact=1", "exact=2"))
    assert project.run("test_guard.py", "-k", "test_expect", *flags).ret == 0
    project.write("test_broken.py", BROKEN)
    result = project.run("test_broken.py", *flags)
    result.assert_outcomes(failed=4)
    result.stdout.fnmatch_lines(
        [
            "expected at most 2 queries, 4 were run*",
            "3 x SELECT*customer*shop.py:35 in names",
            "expected at most 1 quer* on `customer`, 3 were run*",
            "no table is named 'custmer', did you mean 'customer'?",
            "*KeyError: 'mine'",
        ]
    )
