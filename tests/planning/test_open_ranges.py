"""The other bound of ranges that are open at one end."""

from __future__ import annotations

import pytest

from pytest_dbguard.planning.open_ranges import closed
from pytest_dbguard.sql.facts.model import Term, TermKind

TOTAL = (Term("total", TermKind.RANGE),)


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT 1 FROM o WHERE o.total > $1", "SELECT 1 FROM o WHERE (o.total > $1 AND o.total < $1)"),
        ("SELECT 1 FROM o WHERE total <= $1", "SELECT 1 FROM o WHERE (total <= $1 AND total >= $1)"),
        ("SELECT 1 FROM o WHERE total > 3 AND b < $1", "SELECT 1 FROM o WHERE (total > 3 AND total < 3) AND b < $1"),
    ],
)
def test_a_second_bound(sql, expected):
    assert closed(sql, TOTAL, "o") == expected


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1 FROM o WHERE o.total = $1",
        "SELECT 1 FROM o WHERE p.total > $1",
        "SELECT 1 FROM o JOIN p ON o.total > p.total",
        "SELECT 1 FROM o WHERE",
    ],
)
def test_nothing_to_close(sql):
    assert closed(sql, TOTAL, "o") is None


def test_only_ranges():
    assert closed("SELECT 1 FROM o WHERE o.total > $1", (Term("total", TermKind.EQUAL),), "o") is None
