"""Foreign keys without an index, and what counts as one."""

from __future__ import annotations

import pytest

from pytest_dbguard.planning.candidates.foreign_keys import unindexed_foreign_keys
from pytest_dbguard.schema.catalog import Dialect, ForeignKey, IndexKey
from tests.planning.candidates.tables import catalog, column, index, table


def key(*columns, to="p"):
    return ForeignKey(f"fk_{'_'.join(columns)}", columns, "public", to, tuple("id" for _ in columns))


def found(*indexes, keys=(key("a"),), dialect=Dialect.POSTGRESQL, **more):
    child = table("t", "a", "b", column("c", "text"), indexes=indexes, foreign_keys=keys, **more)
    return [
        (fk.columns, spec.keys) for _, fk, spec in unindexed_foreign_keys(catalog(table("p"), child, dialect=dialect))
    ]


def test_nothing_begins_with_it():
    assert found() == [(("a",), ("a",))]
    assert found(index("ix", "b", "a")) == [(("a",), ("a",))]


@pytest.mark.parametrize(
    "one",
    [
        index("ix", "a"),
        index("ix", "a", "b"),
        index("ix", "a", is_unique=True),
        index("ix", "a", method="hash"),
        index("ix", "a", predicate="(a IS NOT NULL)"),
    ],
)
def test_served(one):
    assert found(one) == []


@pytest.mark.parametrize(
    "one",
    [
        index("ix", "a", predicate="(b IS NULL)"),
        index("ix", "a", is_valid=False),
        index("ix", "lower(a)"),
        index("ix", "a", method="gin"),
    ],
)
def test_not_served(one):
    assert found(one) == [(("a",), ("a",))]


def test_a_key_that_is_the_primary_key():
    assert found(keys=(key("id"),)) == []


def test_a_key_of_two_columns():
    assert found(index("ix", "b", "a"), keys=(key("a", "b"),)) == []
    assert found(index("ix", "b"), keys=(key("a", "b"),)) == []
    assert found(index("ix", "c"), keys=(key("a", "b"),)) == [(("a", "b"), ("a", "b"))]


def test_a_column_that_several_keys_share_is_not_enough():
    keys = (key("a", "b"), key("a", "id"))
    assert found(index("ix", "a"), keys=keys) == [(("a", "b"), ("a", "b"))]


def test_collation_of_sqlite():
    keys = (key("c"),)
    other = index("ix", IndexKey("c", collation="NOCASE"))
    assert found(other, keys=keys, dialect=Dialect.SQLITE) == [(("c",), ("c",))]


def test_partitions_and_repeated_keys():
    assert found(partition_of=("public", "whole")) == []
    assert len(found(keys=(key("a"), key("a", to="t")))) == 1
