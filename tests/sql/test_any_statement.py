"""Any text has a shape: nothing raises, literals never show, and what differs in values only is one shape."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pytest_dbguard.sql.shape import read_statement
from pytest_dbguard.sql.tokens import tokens

STEADY = settings(derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])

SIGNS = st.text(alphabet="'\"`$-/*\\ \n\tabIN1:%?().,;<>=|e_x[]@")
PIECES = (
    "SELECT INSERT INTO UPDATE DELETE FROM JOIN WHERE IN VALUES BETWEEN AND LIMIT OFFSET FETCH FIRST FOR SHARE WITH"
    ' AS ONLY SKIP LOCKED EXTRACT DISTINCT UNION ORDER a t.b "q r" `s` ( ) , . ; = < >= - + :: ::int :p ? %s $1'
    " 'x' 1 .5 -- /* */ $$"
)
WORDS = st.lists(st.sampled_from(PIECES.split(" ")), max_size=25).map(" ".join)

SECRET = "secret"
STRINGS = st.text(alphabet="abc '\"-/*$:%?\n;()", max_size=12).map(lambda text: f"{SECRET}{text}{SECRET}")
QUOTINGS = st.sampled_from(
    [
        lambda text: "'" + text.replace("'", "''") + "'",
        lambda text: "E'" + text.replace("'", "\\'") + "'",
        lambda text: "N'" + text.replace("'", "''") + "'",
        lambda text: f"$a1$ {text} $a1$",
        lambda text: f"$$ {text.replace('$', '')} $$",
    ]
)
LITERALS = st.one_of(
    st.builds(lambda quote, text: quote(text), QUOTINGS, STRINGS),
    st.integers(min_value=-(10**9), max_value=10**9).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.integers(min_value=0, max_value=10**9).map(hex),
    st.sampled_from(["?", "%s", "%(p_1)s", ":p_1", "$1", "$1::INTEGER", "%(p)s::VARCHAR(30)", "'1'::date"]),
)
TEMPLATES = st.sampled_from(
    [
        "SELECT a FROM t WHERE b = {}",
        "SELECT a FROM t WHERE b > {} AND c <= {} LIMIT {}",
        "SELECT {}, f({}) FROM t",
        "SELECT a FROM t WHERE b BETWEEN {} AND {}",
        "UPDATE t SET a = {}, b = {} WHERE c = {}",
        "INSERT INTO t (a, b) VALUES ({}, {})",
        "SELECT CASE WHEN a = {} THEN {} ELSE {} END FROM t",
        "DELETE FROM t WHERE a LIKE {} OR (b, c) = ({}, {})",
    ]
)
WRITINGS = st.sampled_from(["?", "%s", "%(p)s", ":p", "$1", "7", "'x'", "-3", "%(p)s::INTEGER"])


@STEADY
@given(st.one_of(st.text(), SIGNS, WORDS))
@example("::int")
@example("'")
@example("/*")
@example("(" * 500)
@example(")" * 50)
@example("a IN (")
@example("VALUES (")
@example("WITH")
@example("\x00")
def test_any_text_has_a_shape(text):
    found = read_statement(text)
    assert re.fullmatch("[0-9a-f]{12}", found.shape.id)
    assert found.longest_list >= 0
    assert found.value_rows >= 0
    assert isinstance(found.table, str)


@STEADY
@given(st.one_of(st.text(), SIGNS, WORDS))
def test_a_shape_is_its_own_shape(text):
    shape = read_statement(text).shape
    assert read_statement(shape.text).shape == shape


@STEADY
@given(st.one_of(SIGNS, WORDS))
def test_no_literal_is_left(text):
    assert not [token for token in tokens(read_statement(text).shape.text) if token.kind in ("string", "number")]


def filled(data, template, values):
    return template.format(*(data.draw(values) for _ in range(template.count("{}"))))


@STEADY
@given(st.data(), TEMPLATES)
def test_one_shape_whatever_the_values(data, template):
    text = filled(data, template, LITERALS)
    shape = read_statement(text).shape
    assert shape == read_statement(template.replace("{}", "?")).shape
    assert SECRET not in shape.text


@STEADY
@given(st.lists(LITERALS, min_size=1, max_size=8), st.sampled_from(["IN (", "IN(", "NOT IN ("]))
def test_one_shape_whatever_the_length_of_a_list(members, opening):
    text = f"SELECT a FROM t WHERE b {opening}{', '.join(members)}) AND c = 1"
    found = read_statement(text)
    assert found.shape == read_statement(f"SELECT a FROM t WHERE b {opening}?) AND c = ?").shape
    assert found.longest_list == len(members)


@STEADY
@given(st.lists(st.tuples(LITERALS, LITERALS), min_size=1, max_size=6), st.sampled_from(["VALUES ", "VALUES"]))
def test_one_shape_whatever_the_number_of_rows(rows, word):
    text = f"INSERT INTO t (a, b) {word}" + ", ".join(f"({a}, lower({b}))" for a, b in rows)
    found = read_statement(text)
    assert found.shape == read_statement("INSERT INTO t (a, b) VALUES (?, lower(?))").shape
    assert found.value_rows == len(rows)


@STEADY
@given(TEMPLATES, WRITINGS, WRITINGS)
def test_one_shape_whatever_the_driver(template, one, other):
    assert read_statement(template.replace("{}", one)).shape == read_statement(template.replace("{}", other)).shape


@STEADY
@given(st.data(), TEMPLATES)
def test_facts_do_not_depend_on_values(data, template):
    one, other = (read_statement(filled(data, template, LITERALS)) for _ in range(2))
    facts = ("verb", "tables", "table", "has_from", "has_limit", "value_rows", "longest_list", "locks_rows")
    assert [getattr(one, name) for name in facts] == [getattr(other, name) for name in facts]


@pytest.mark.parametrize("piece", ["(", ")", "'", "''", "$$", "/*", "-- ", "a, ", "(?, ?), ", "IN (", "VALUES (?), "])
def test_long_texts_cost_their_length(piece):
    """A quadratic step anywhere would not end within the patience of the reader."""
    found = read_statement("SELECT a FROM t WHERE b IN (?) " + piece * 10_000)
    assert found.verb == "SELECT"
