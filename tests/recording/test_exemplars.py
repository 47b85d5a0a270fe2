"""What is kept of a shape's texts and of their parameters."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pytest_dbguard.recording.exemplars import MAX_VALUES, Exemplars, style_of
from pytest_dbguard.recording.literal_sets import MAX_SETS, literal_set

STATUS = "SELECT a FROM t WHERE status = ? AND name LIKE ? LIMIT ?"


def kept(exemplars):
    return {shape: (known.text, known.values) for shape, known in exemplars}


def after(*executions, text=STATUS, style="qmark"):
    exemplars = Exemplars()
    exemplars.learn("shape", text, style)
    for parameters in executions:
        exemplars.take(text, parameters)
    return kept(exemplars)["shape"][1]


def test_values_that_can_change_a_plan_are_kept():
    assert after(("open", "riga%", 20), ("closed", "riga%", 50)) == {0: {"open", "closed"}, 1: {"abc%"}, 2: {20, 50}}


def test_of_a_pattern_only_the_class_is_kept():
    values = after(("open", "%secret%", 1), ("open", "secret", 1), ("open", "se_cret", 1))
    assert values[1] == {"%abc%", "abc", "abc%"}


def test_what_holds_many_values_is_given_up_for_good():
    values = after(*[(f"s{number}", "a%", 1) for number in range(MAX_VALUES + 1)], ("s0", "a%", 1))
    assert 0 not in values


def test_long_texts_and_other_kinds_are_not_kept():
    assert 0 not in after(("x" * 65, "a%", 1))
    assert 0 not in after((b"bytes", "a%", 1))
    assert 0 not in after((["a"], "a%", 1))


def test_nothing_and_switches_are_kept():
    assert after((None, "a%", 1), (True, "a%", 1))[0] == {None, True}


def test_parameters_by_name():
    text = "SELECT a FROM t WHERE status = %(status_1)s LIMIT %(param_1)s"
    assert after({"status_1": "open", "param_1": 3}, text=text, style="pyformat") == {0: {"open"}, 1: {3}}


def test_numbered_parameters():
    text = "SELECT a FROM t WHERE kind = $2 AND status = $1"
    assert after(("open", "x"), text=text, style="numeric_dollar") == {0: {"x"}, 1: {"open"}}


def test_missing_parameters_harm_nobody():
    assert after(("open",)) == {0: {"open"}}
    assert after({"a": 1}) == {}


def test_keys_are_not_worth_keeping_but_cost_no_more_than_the_limit():
    text = "SELECT a FROM t WHERE id = ?"
    assert after(*[(number,) for number in range(100)], text=text) == {}


@given(st.permutations([("a" * 3 + " = ?",), ("b = ?",), ("b  = ?",), ("c = ?",)]))
def test_the_shortest_text_stays_whatever_the_order(texts):
    exemplars = Exemplars()
    for (text,) in texts:
        exemplars.learn("shape", f"SELECT x FROM t WHERE {text}", "qmark")
    assert kept(exemplars)["shape"][0] == "SELECT x FROM t WHERE b = ?"


def test_styles_are_kept_apart():
    exemplars = Exemplars()
    exemplars.learn("shape", "SELECT a FROM t WHERE b = ?", "qmark")
    exemplars.learn("shape", "SELECT a FROM t WHERE b = %s", "format")
    assert sorted(known.style for _, known in exemplars) == ["format", "qmark"]


def test_a_mapping_for_a_driver_of_positions_means_names():
    class Dialect:
        paramstyle = "qmark"

    assert style_of(Dialect, {"a": 1}) == "named"
    assert style_of(Dialect, (1,)) == "qmark"


def test_the_longest_list_of_all_texts_is_known():
    exemplars = Exemplars()
    for members in (3, 900, 2):
        marks = ", ".join("?" * members)
        exemplars.learn("shape", f"SELECT a FROM t WHERE b IN ({marks})", "qmark", members)
    ((_, known),) = exemplars
    assert (known.longest_list, known.text) == (900, "SELECT a FROM t WHERE b IN (?, ?)")


def test_texts_with_other_literals_are_told_apart_and_no_literal_is_kept():
    exemplars = Exemplars()
    for name in ("riga", "oslo", "riga"):
        exemplars.learn("shape", f"SELECT a FROM t WHERE city = '{name}'", "qmark")
    ((_, known),) = exemplars
    assert len(known.literal_sets) == 2
    assert not any("riga" in each or "oslo" in each for each in known.literal_sets)


def test_so_many_sets_of_literals_are_told_apart():
    exemplars = Exemplars()
    for number in range(50):
        exemplars.learn("shape", f"SELECT a FROM t WHERE b = {number}", "qmark")
    ((_, known),) = exemplars
    assert len(known.literal_sets) == MAX_SETS


def test_texts_that_differ_in_lists_or_names_of_parameters_only_have_the_same_literals():
    texts = (
        "SELECT a FROM t1 WHERE b IN (%(b_1_1)s) AND c = 1",
        "SELECT a FROM t1 WHERE b IN (%(b_1_1)s, %(b_1_2)s) AND c = 1",
    )
    assert len({literal_set(text) for text in texts}) == 1
    assert literal_set("SELECT t1.a AS a_1 FROM t1 WHERE b = $1") == ""
    numbered = "INSERT INTO t (a) SELECT p0::VARCHAR FROM (VALUES (%s, {})) AS imp_sen(p0, sen_counter)"
    assert literal_set(numbered.format(0)) == literal_set(numbered.format("0), (%s, 1")) == ""
