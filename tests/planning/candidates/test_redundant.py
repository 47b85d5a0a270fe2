"""Indexes that can go, and those that only look like it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_dbguard.planning.candidates.redundant import redundant
from pytest_dbguard.schema.catalog import Dialect, ForeignKey, IndexKey
from tests.planning.candidates.tables import catalog, index, table


def found(*indexes, dialect=Dialect.POSTGRESQL):
    made = catalog(table("t", "a", "b", "c", indexes=indexes), dialect=dialect)
    return [(each.index.name, each.by.name, each.reason) for each in redundant(made)]


def test_the_beginning_of_another():
    assert found(index("one", "a"), index("two", "a", "b")) == [("one", "two", "prefix")]


def test_of_equal_ones_the_longer_name_goes_whatever_the_order():
    assert found(index("ix", "a"), index("ix_again", "a")) == [("ix_again", "ix", "equal")]
    assert found(index("ix_again", "a"), index("ix", "a")) == [("ix_again", "ix", "equal")]


def test_what_a_constraint_has_already():
    unique = index("t_a_key", "a", is_unique=True, is_constraint=True)
    assert found(unique, index("aa", "a")) == [("aa", "t_a_key", "equal")]
    assert found(index("ix_t_id", "id")) == [("ix_t_id", "t_pkey", "equal")]
    assert found(unique, index("aa", "a", is_unique=True)) == [("aa", "t_a_key", "equal")]


def test_a_unique_index_that_a_foreign_key_may_depend_on_stays():
    pair = (index("aa", "a", is_unique=True), index("aaa", "a", is_unique=True))
    parent = table("t", "a", "b", indexes=pair)
    key = ForeignKey("fk", ("b",), "public", "t", ("a",))
    child = table("child", "b", foreign_keys=(key,))
    assert [each.index.name for each in redundant(catalog(parent))] == ["aaa"]
    assert redundant(catalog(parent, child)) == ()
    plain = replace(parent, indexes=(pair[0], index("plain", "a")))
    assert [each.index.name for each in redundant(catalog(plain, child))] == ["plain"]


def test_one_key_is_read_in_both_directions():
    down = index("down", IndexKey("a", descending=True, nulls_first=True))
    assert found(down, index("up", "a", "b")) == [("down", "up", "prefix")]


def test_expressions_are_compared_by_what_they_say():
    assert found(index("x", "lower(a)"), index("xy", "LOWER((a)::text)", "b")) == [("x", "xy", "prefix")]


@pytest.mark.parametrize(
    "pair",
    [
        (index("one", "a"), index("two", "b", "a")),
        (index("one", "a", is_unique=True), index("two", "a", "b")),
        (index("one", "a", is_unique=True), index("two", "a", "b", is_unique=True)),
        (index("one", "a", is_unique=True, nulls_distinct=False), index("two", "a", is_unique=True)),
        (index("one", "a", predicate="b > 0"), index("two", "a", "b")),
        (index("one", "a"), index("two", "a", "b", predicate="c > 0")),
        (index("one", "a", method="hash"), index("two", "a", "b")),
        (index("one", "a", method="gin"), index("two", "a", "b", method="gin")),
        (index("one", "a"), index("two", "a", "b", is_valid=False)),
        (index("one", "a", include=("c",)), index("two", "a", "b")),
        (index("one", IndexKey("a", operator_class="text_pattern_ops")), index("two", "a", "b")),
        (index("one", IndexKey("a", collation="C")), index("two", "a", "b")),
        (index("one", IndexKey("a", descending=True, nulls_first=True), "b"), index("two", "a", "b", "c")),
        (index("one", "a", is_unique=True, is_constraint=True), index("two", "a", is_unique=True, is_constraint=True)),
    ],
    ids=lambda pair: "",
)
def test_silent(pair):
    assert found(*pair) == []


def test_included_columns_that_the_wider_one_sorts_by():
    assert found(index("one", "a", include=("b",)), index("two", "a", "b")) == [("one", "two", "prefix")]


def test_partitions_get_what_their_parent_has():
    child = table("t", "a", "b", indexes=(index("one", "a"), index("two", "a", "b")), partition_of=("public", "p"))
    assert redundant(catalog(child)) == ()
