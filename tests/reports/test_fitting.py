"""Text in a number of cells: wrapped, cut, elided, and statements that keep their table and condition."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_dbguard.reports.fitting import cells, cut, elide_middle, fit_query, head, one_line, tail, wrap

TEXTS = st.text(st.sampled_from("abc (),.=?'日é\u0301\t\n"), max_size=120)
SELECT = "SELECT order_line.id, order_line.order_id, order_line.price FROM order_line WHERE order_line.order_id = ?"


@given(TEXTS, st.integers(2, 60), st.none() | st.integers(2, 60))
def test_wrapped_lines_fit_and_lose_nothing(text, width, first):
    lines = wrap(text, width, first=first)
    assert all(cells(line) <= (first if first is not None and not n else width) for n, line in enumerate(lines))
    assert "".join("".join(lines).split()) == "".join(text.split())


@given(TEXTS, st.integers(1, 60))
def test_unbroken_words_stay_whole(text, width):
    assert " ".join(wrap(text, width, break_words=False)) == " ".join(text.split())


@given(TEXTS, st.integers(8, 80))
def test_all_ways_to_shorten_fit(text, width):
    for shorten in (cut, head, tail, elide_middle, fit_query):
        assert cells(shorten(text, width)) <= width


@given(TEXTS, st.integers(0, 80))
def test_what_fits_is_not_changed(text, extra):
    width = max(cells(text), 8) + extra
    assert cut(text, width) == head(text, width) == tail(text, width) == elide_middle(text, width) == text
    assert fit_query(text, max(cells(one_line(text)), 8) + extra) == one_line(text)


@pytest.mark.parametrize(
    ("shape", "width", "shown"),
    [
        (SELECT, 200, SELECT),
        (SELECT, 66, "SELECT … FROM order_line WHERE order_line.order_id = ?"),
        ("SELECT a, (SELECT max(x) FROM b) AS m FROM c WHERE d", 30, "SELECT … FROM c WHERE d"),
        ("SELECT 'from', extract(year FROM t.day) FROM t WHERE y", 30, "SELECT … FROM t WHERE y"),
        ("WITH w AS (SELECT a FROM b) SELECT w.a, w.b FROM w", 40, "WITH w AS (…) SELECT … FROM w"),
        ("SELECT a, b, c, d, e, f\n  FROM t", 20, "SELECT … FROM t"),
        ("INSERT INTO price (id, sku, amount) VALUES (?, ?, ?)", 40, "INSERT INTO price (…) VALUES (…)"),
        ("DELETE FROM price WHERE a = ?", 80, "DELETE FROM price WHERE a = ?"),
        ("UPDATE price SET amount = ?, changed = ? WHERE price.id = ?", 40, "UPDATE price SET … WHERE price.id = ?"),
    ],
)
def test_statements_keep_what_tells_them_apart(shape, width, shown):
    assert fit_query(shape, width) == shown


def test_control_characters_are_made_harmless():
    assert one_line(" a\tb\n\033[1mc\u202e ") == "a b \ufffd[1mc\ufffd"
