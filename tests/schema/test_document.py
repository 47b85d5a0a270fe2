"""Catalogs as JSON, and the hash that tells schemas apart."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_dbguard.schema.catalog import (
    Catalog,
    Check,
    Collation,
    Column,
    Dialect,
    ExtendedStatistics,
    ForeignKey,
    Index,
    IndexKey,
    RelationKind,
    Table,
)
from pytest_dbguard.schema.document import catalog_from_json, catalog_id, catalog_to_json

TABLE = Table(
    "public",
    "orders",
    columns=(Column("id", "bigint", nullable=False), Column("city", "text")),
    primary_key=("id",),
    indexes=(Index("ix", (IndexKey("city"), IndexKey(None, "lower(city)", descending=True)), include=("id",)),),
    foreign_keys=(ForeignKey("fk", ("city",), "public", "cities", ("name",)),),
    checks=(Check("positive", "(id > 0)"),),
    statistics=(ExtendedStatistics("s", ("mcv",), ("id", "city")),),
    partition_of=("public", "all"),
    parents=(("a", "b"), ("c", "d")),
)
CATALOG = Catalog(Dialect.POSTGRESQL, "18.1", (TABLE,), Collation("icu", "de"), ("public",), ("CREATE SCHEMA a",))


def test_a_catalog_comes_back():
    assert catalog_from_json(catalog_to_json(CATALOG)) == CATALOG
    assert catalog_from_json(catalog_to_json(Catalog(Dialect.SQLITE))) == Catalog(Dialect.SQLITE)


def test_defaults_are_left_out():
    table = json.loads(catalog_to_json(CATALOG))["tables"][0]
    assert table["columns"] == [
        {"name": "id", "nullable": False, "type": "bigint"},
        {"name": "city", "type": "text"},
    ]
    assert "view" not in table


WORDS = st.sampled_from(["", "a", "public", 'odd " name', "ü"])
NAMES = st.lists(WORDS, max_size=2).map(tuple)
PLACES = st.tuples(WORDS, WORDS)
KEYS = st.builds(IndexKey, st.none() | WORDS, WORDS, nulls_first=st.booleans())
TABLES = st.builds(
    Table,
    WORDS,
    WORDS,
    st.sampled_from(RelationKind),
    st.lists(st.builds(Column, WORDS, WORDS, labels=st.integers(0, 3)), max_size=2).map(tuple),
    indexes=st.lists(st.builds(Index, WORDS, st.lists(KEYS, max_size=2).map(tuple), include=NAMES), max_size=2).map(
        tuple
    ),
    foreign_keys=st.lists(st.builds(ForeignKey, WORDS, NAMES, WORDS, WORDS, NAMES), max_size=1).map(tuple),
    statistics=st.lists(st.builds(ExtendedStatistics, WORDS, NAMES, NAMES), max_size=1).map(tuple),
    partition_of=st.none() | PLACES,
    parents=st.lists(PLACES, max_size=2).map(tuple),
)
CATALOGS = st.builds(
    Catalog, st.sampled_from(Dialect), tables=st.lists(TABLES, max_size=2).map(tuple), search_path=NAMES
)


@settings(max_examples=50)
@given(CATALOGS, CATALOGS)
def test_any_catalog_comes_back_and_equal_ones_have_equal_bytes(one, other):
    text = catalog_to_json(one)
    assert catalog_from_json(text) == one
    assert (text == catalog_to_json(other)) is (one == other)


@pytest.mark.parametrize("text", ["[]", "{}", "nonsense", '{"dialect": "mysql"}', '{"dialect": "sqlite", "more": 1}'])
def test_what_is_no_catalog_is_refused(text):
    with pytest.raises(ValueError):
        catalog_from_json(text)


def test_the_version_is_no_part_of_the_identity():
    assert catalog_id(replace(CATALOG, version="15.2", source="metadata")) == catalog_id(CATALOG)
    assert len(catalog_id(CATALOG)) == 16


@pytest.mark.parametrize(
    "change",
    [
        {"collation": Collation("libc", "C")},
        {"search_path": ("shop", "public")},
        {"prelude": ()},
        {"tables": ()},
        {"tables": (replace(TABLE, primary_key=()),)},
        {"tables": (replace(TABLE, indexes=(replace(TABLE.indexes[0], is_valid=False),)),)},
    ],
)
def test_everything_else_is(change):
    assert catalog_id(replace(CATALOG, **change)) != catalog_id(CATALOG)
