"""Completing statistics from a schema: nothing is missing, nothing known is changed, little is invented."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_dbguard.planning.statistics.completion import completed
from pytest_dbguard.planning.statistics.model import (
    ColumnStatistics,
    IndexStatistics,
    Origin,
    Statistics,
    TableStatistics,
)
from pytest_dbguard.planning.statistics.scale import ScaleSettings, statistics_from_scale
from pytest_dbguard.schema.catalog import Column, ForeignKey, Index, IndexKey, RelationKind
from tests.planning.statistics.schemas import number, postgres, shop, sqlite, table


def declared(**scale):
    return statistics_from_scale(ScaleSettings.of(scale))


def of_file(*tables):
    return Statistics(tables, Origin.PRODUCTION, "dbguard-stats.json", dialect="postgresql")


def rows(statistics):
    return {each.name: each.rows for each in statistics.tables}


def test_every_stored_table_and_column_has_figures_and_views_have_none():
    catalog = shop()
    found = completed(declared(), catalog)
    stored = {each.name: each for each in catalog.tables if each.kind is not RelationKind.VIEW}
    assert rows(found).keys() == stored.keys()
    for each in found.tables:
        assert [column.name for column in each.columns] == [column.name for column in stored[each.name].columns]
        assert all(column.n_distinct and column.average_width and column.null_fraction >= 0 for column in each.columns)
        assert [index.name for index in each.indexes] == [index.name for index in stored[each.name].indexes]
        assert each.pages > 0
        assert all(not column.slots for column in each.columns)


def test_completing_twice_changes_nothing():
    catalog = shop()
    once = completed(declared(orders="10m", columns={"orders.city": {"distinct": 9}}), catalog)
    assert completed(once, catalog) == once


def test_each_table_keeps_where_its_rows_come_from():
    base = replace(of_file(TableStatistics("public", "items", 42, origin=Origin.PRODUCTION)), default_rows=77)
    found = completed(base, shop())
    assert found.origin is Origin.PRODUCTION
    assert found.table("items").origin is Origin.PRODUCTION
    assert (found.table("orders").rows, found.table("orders").origin) == (77, Origin.DEFAULT)


def test_what_is_known_stays():
    column = ColumnStatistics("city", 5, 0.2, 9, 0.1)
    index = IndexStatistics("gone", "orders", 10, 1000, height=2)
    known = TableStatistics(
        "public", "orders", 1000, 33, 22, (column, ColumnStatistics("lost", 3)), (index,), origin=Origin.PRODUCTION
    )
    found = completed(of_file(known), shop()).table("orders")
    assert (found.rows, found.pages, found.all_visible) == (1000, 33, 22)
    assert found.column("city") == column
    assert found.column("lost") is None
    assert found.indexes == ()


def test_keys_tell_numbers_of_values():
    found = completed(declared(customers=1_000_000, orders=5_000_000), shop())
    assert found.table("customers").column("id").n_distinct == -1
    # five orders a customer, thrown at random: hardly a customer without
    assert found.table("orders").column("customer_id").distinct(5_000_000) == pytest.approx(993_262, rel=0.01)
    assert found.table("customers").column("country_id").n_distinct == 200


def test_composite_keys_have_the_values_of_what_they_refer_to():
    stock = table(
        "stock",
        number("shop_id"),
        number("ware_id"),
        key=("shop_id", "ware_id"),
        refers={"shop_id": "shops", "ware_id": "wares"},
    )
    both = ForeignKey("fk", ("shop_id", "ware_id"), "public", "stock", ("shop_id", "ware_id"))
    lines = replace(
        table("sales", number("shop_id"), number("ware_id"), number("line"), key=("shop_id", "ware_id", "line")),
        foreign_keys=(both,),
    )
    catalog = postgres(stock, lines, table("shops", number()), table("wares", number()))
    found = completed(declared(shops=50, wares=1000, stock=50_000, sales=1_000_000), catalog).table("sales")
    assert [column.n_distinct for column in found.columns] == [50, 1000, 60]


def test_keys_that_refer_to_each_other_end():
    left = table("left", number(), number("right_id"), key=("id", "right_id"), refers={"right_id": "right"})
    pair = ForeignKey("fk", ("id", "left_id"), "public", "left", ("id", "right_id"))
    right = replace(table("right", number(), number("left_id")), foreign_keys=(pair,))
    back = ForeignKey("back", ("id", "right_id"), "public", "right", ("id", "left_id"))
    found = completed(declared(), postgres(replace(left, foreign_keys=(back,)), right))
    assert all(column.n_distinct for each in found.tables for column in each.columns)


def test_meanings_tell_numbers_of_values():
    found = completed(declared(), shop())
    customers, orders = found.table("customers"), found.table("orders")
    assert customers.column("is_active").n_distinct == 2
    assert customers.column("email").n_distinct == -1
    assert orders.column("status").n_distinct == 8
    assert orders.column("size").n_distinct == 3
    assert orders.column("city").distinct(100_000) >= 1000


def test_a_unique_column_is_unique_but_for_its_nulls():
    code = Index("uq", (IndexKey("code"),), is_unique=True)
    partial = Index("uq_part", (IndexKey("slot"),), is_unique=True, predicate="(gone IS NULL)")
    columns = (number(), Column("code", "text"), Column("slot", "integer", nullable=False))
    found = completed(declared(), postgres(table("t", *columns, indexes=(code, partial)))).table("t")
    code_statistics = found.column("code")
    assert code_statistics.n_distinct == -(1 - code_statistics.null_fraction)
    assert found.column("slot").n_distinct == 100


def test_enums_have_as_many_values_as_labels():
    columns = (number(), Column("mood", "mood", nullable=False, labels=3))
    assert completed(declared(), postgres(table("t", *columns))).table("t").column("mood").n_distinct == 3


def test_soft_deletion_hardly_ever_happened_and_other_nulls_select_little():
    columns = (number(), Column("deleted_at", "timestamp"), Column("paid_at", "timestamp"))
    found = completed(declared(), postgres(table("t", *columns))).table("t")
    assert [column.null_fraction for column in found.columns] == [0, 0.95, 0.5]


@pytest.mark.parametrize("name", ["countries", "currency", "order_status", "OrderStatuses", "user_role", "ref_colours"])
def test_reference_tables_are_small(name):
    assert completed(declared(), postgres(table(name, number()))).table(name).rows < 500


@pytest.mark.parametrize("name", ["orders", "statistics", "addresses", "types_of_users_log", "branches", "news"])
def test_other_tables_have_the_default(name):
    assert completed(declared(), postgres(table(name, number()))).table(name).rows == 100_000


def test_a_reference_table_that_refers_to_others_is_none():
    roles = table("user_roles", number(), number("user_id"), refers={"user_id": "users"})
    assert completed(declared(), postgres(roles, table("users", number()))).table("user_roles").rows == 100_000
    tree = table("types", number(), number("parent_id"), refers={"parent_id": "types"})
    assert completed(declared(), postgres(tree)).table("types").rows < 500


def test_a_declared_reference_table_is_as_large_as_declared():
    assert completed(declared(countries=5_000_000), shop()).table("countries").rows == 5_000_000


def test_a_join_table_has_a_row_for_each_of_the_larger_side():
    assert rows(completed(declared(orders="10m"), shop()))["order_tags"] == 10_000_000
    assert rows(completed(declared(orders=50), shop()))["order_tags"] == 100_000
    assert rows(completed(declared(orders="10m", order_tags=5), shop()))["order_tags"] == 5


def partitioned():
    parent = table("events", number(), kind=RelationKind.PARTITIONED, partition_key="RANGE (id)")
    middle = table("events_2", number(), kind=RelationKind.PARTITIONED, partition_of=("public", "events"))
    leaves = [
        table(name, number(), kind=RelationKind.PARTITION, partition_of=("public", owner))
        for name, owner in (("events_1", "events"), ("events_2a", "events_2"), ("events_2b", "events_2"))
    ]
    return postgres(parent, middle, *leaves)


def test_partitions_share_the_rows_of_their_parent():
    found = completed(declared(events=1000), partitioned())
    assert rows(found) == {"events": 1000, "events_1": 500, "events_2": 500, "events_2a": 250, "events_2b": 250}
    assert {each.origin for each in found.tables} == {Origin.DECLARED}
    assert [each.pages > 0 for each in found.tables] == [False, True, False, True, True]


def test_known_partitions_tell_their_parent():
    known = [("events_1", 7.0), ("events_2a", 20.0), ("events_2b", 3.0)]
    tables = [TableStatistics("public", name, count, 1, origin=Origin.PRODUCTION) for name, count in known]
    # a parent is analysed on its own, and what it says of rows is old
    stale = TableStatistics("public", "events", 5, origin=Origin.PRODUCTION)
    for told in (tables, [*tables, stale]):
        found = completed(of_file(*told), partitioned())
        assert rows(found) == {"events": 30, "events_1": 7, "events_2": 23, "events_2a": 20, "events_2b": 3}
        assert {each.origin for each in found.tables} == {Origin.PRODUCTION}


def test_a_declared_parent_scales_known_partitions():
    tables = [
        TableStatistics("public", name, 10, 2, origin=Origin.PRODUCTION)
        for name in ("events_1", "events_2a", "events_2b")
    ]
    parent = TableStatistics("public", "events", 300, origin=Origin.DECLARED)
    found = completed(of_file(*tables, parent), partitioned())
    assert rows(found) == {"events": 300, "events_1": 100, "events_2": 200, "events_2a": 100, "events_2b": 100}
    assert found.table("events_1").pages == 20


def test_a_new_partition_gets_what_is_left():
    tables = [TableStatistics("public", "events_1", 400, 5, origin=Origin.PRODUCTION)]
    parent = TableStatistics("public", "events", 1000, origin=Origin.DECLARED)
    found = rows(completed(of_file(*tables, parent), partitioned()))
    assert (found["events_1"], found["events_2"], found["events_2a"]) == (400, 600, 300)


def test_names_without_schema_follow_the_search_path():
    catalog = postgres(table("t", number()), table("t", number(), schema="app"), search_path=("app", "public"))
    found = completed(declared(t=5), catalog)
    assert {each.schema: each.rows for each in found.tables} == {"app": 5, "public": 100_000}


def test_statistics_of_another_schema_serve_where_there_is_only_one():
    known = of_file(TableStatistics("public", "t", 5, origin=Origin.PRODUCTION))
    moved = completed(known, postgres(table("t", number(), schema="test_1"), search_path=("test_1",)))
    assert [(each.schema, each.rows) for each in moved.tables] == [("test_1", 5)]
    both = completed(known, postgres(table("t", number()), table("t", number(), schema="archive")))
    assert {each.schema: each.rows for each in both.tables} == {"archive": 100_000, "public": 5}


def test_sqlite_names_are_of_any_case_and_have_no_pages():
    known = TableStatistics("", "Orders", 5, columns=(ColumnStatistics("CITY", 2),), origin=Origin.PRODUCTION)
    catalog = sqlite(table("orders", number(), Column("city", "TEXT"), schema=""))
    found = completed(replace(of_file(known), dialect="sqlite"), catalog).table("orders")
    assert (found.rows, found.column("city").n_distinct, found.pages) == (5, 2, 0)


def test_statistics_of_a_server_serve_tests_on_sqlite():
    tables = [
        TableStatistics(schema, "orders", rows, origin=Origin.PRODUCTION) for schema, rows in (("a", 5), ("public", 6))
    ]
    items = TableStatistics("shop", "items", 7, origin=Origin.PRODUCTION)
    catalog = sqlite(table("orders", number(), schema=""), table("items", number(), schema=""))
    assert rows(completed(of_file(*tables, items), catalog)) == {"orders": 6, "items": 7}


def test_what_sqlite_analysed_tells_of_the_first_column_of_an_index():
    indexes = (Index("ix", (IndexKey("city"), IndexKey("id"))), Index("part", (IndexKey("code"),), predicate="id > 5"))
    columns = (number(), Column("city", "TEXT"), Column("code", "TEXT"))
    stats = (IndexStatistics("ix", "orders", rows=1e6, stat="1000000 500 1"), IndexStatistics("part", "t", stat="10 2"))
    known = TableStatistics("", "orders", 1_000_000, indexes=stats, origin=Origin.PRODUCTION)
    catalog = sqlite(table("orders", *columns, schema="", indexes=indexes))
    found = completed(replace(of_file(known), dialect="sqlite"), catalog).table("orders")
    assert found.column("city").n_distinct == 2000
    assert found.column("code").distinct(1_000_000) > 5
    assert found.indexes[0].stat == "1000000 500 1"


def test_expressions_that_keep_values_apart_have_the_figures_of_their_column():
    index = completed(declared(), shop()).table("customers").indexes[0]
    assert [(column.name, column.n_distinct) for column in index.columns] == [("1", -1)]


def test_an_empty_table_of_production_stays_empty():
    known = of_file(TableStatistics("public", "items", 0, origin=Origin.PRODUCTION))
    found = completed(known, shop()).table("items")
    assert (found.rows, found.pages, found.column("order_id").n_distinct) == (0, 0, 0)


def test_relations_of_pg_dump_become_tables_or_indexes():
    catalog = postgres(table("t", number(), indexes=(Index("t_pkey", (IndexKey("id"),), is_primary=True),)))
    loose = (
        TableStatistics("public", "t", 9, 3, origin=Origin.PRODUCTION),
        TableStatistics("public", "t_pkey", 9, 2, origin=Origin.PRODUCTION),
        TableStatistics("public", "unknown", 1, 1, origin=Origin.PRODUCTION),
    )
    found = completed(replace(of_file(), loose=loose), catalog)
    assert rows(found) == {"t": 9}
    assert [(index.name, index.pages, index.rows) for index in found.tables[0].indexes] == [("t_pkey", 2, 9)]
    assert found.loose == ()


@pytest.mark.parametrize(
    ("column", "distinct"),
    [
        (Column("shipmode", "character(10)", nullable=False), 8),
        (Column("paymentMethod", "text", nullable=False), 8),
        (Column("country_code", "text", nullable=False), 100),
        (Column("currency", "character(3)", nullable=False), 20),
        (Column("code", "character(2)", nullable=False), 50_000),
        (Column("grade", "character(1)", nullable=False), 5),
        (Column("last_name", "text", nullable=False), 5000),
        (Column("lastname", "text", nullable=False), 5000),
        (Column("title", "text", nullable=False), 50_000),
        (Column("owner_id", "bigint", nullable=False), 10_000),
        (Column("token", "character varying(64)", nullable=False), 100_000),
        (Column("height", "integer", nullable=False), 100),
        (Column("born", "date", nullable=False), 2000),
        (Column("at", "timestamp with time zone", nullable=False), 80_000),
        (Column("is_paid", "INTEGER", nullable=False), 2),
        (Column("data", "json", nullable=False), 0),
    ],
    ids=lambda value: value.name if isinstance(value, Column) else str(value),
)
def test_names_and_types_tell_numbers_of_values(column, distinct):
    found = completed(declared(), postgres(table("t", number(), column))).table("t")
    assert found.column(column.name).distinct(100_000) == distinct


def test_nothing_is_named_twice_in_a_small_table():
    columns = (number(), Column("name", "text", nullable=False))
    assert completed(declared(t=200), postgres(table("t", *columns))).table("t").column("name").n_distinct == -1


def test_a_unique_column_with_declared_nulls_is_unique_among_the_others():
    code = Index("uq", (IndexKey("code"),), is_unique=True)
    catalog = postgres(table("t", number(), Column("code", "text"), indexes=(code,)))
    found = completed(declared(t=1000, columns={"t.code": {"nulls": 0.25}}), catalog).table("t").column("code")
    assert (found.n_distinct, found.null_fraction) == (-0.75, 0.25)


@pytest.mark.parametrize(
    ("column", "width"),
    [
        (Column("a", "bigint"), 8),
        (Column("a", "character varying(20)"), 14),
        (Column("a", "VARCHAR(255)"), 32),
        (Column("a", "character(3)"), 4),
        (Column("a", "text"), 32),
        (Column("description", "text"), 200),
        (Column("a", "integer[]"), 50),
        (Column("a", "mood", labels=3), 4),
        (Column("a", "vector(768)"), 3080),
        (Column("a", "numeric(10,2)"), 7),
        (Column("a", "timestamp without time zone"), 8),
        (Column("a", "jsonb"), 200),
        (Column("a", ""), 32),
    ],
    ids=lambda value: value.type if isinstance(value, Column) else str(value),
)
def test_types_tell_widths(column, width):
    assert completed(declared(), postgres(table("t", number(), column))).table("t").columns[1].average_width == width


def test_pages_follow_widths_and_the_fill_factor():
    """A row of 4 bytes takes 24 + 8 + 4 bytes of the 8 168 of a page."""
    full = completed(declared(t=226 * 10), postgres(table("t", number()))).table("t")
    half = completed(declared(t=226 * 10), postgres(table("t", number(), options=("fillfactor=50",)))).table("t")
    assert (full.pages, half.pages) == (10, 20)


TYPES = ("integer", "text", "boolean", "json", "date", "character(2)", "uuid", "numeric(9,2)", "", "mood[]")
plain_columns = st.lists(
    st.builds(Column, st.sampled_from(["a", "status", "is_b", "name", "C d", "country_code"]), st.sampled_from(TYPES)),
    max_size=4,
    unique_by=lambda column: column.name,
)
names = st.sampled_from(["t0", "t1", "t2", "states"])


@st.composite
def catalogs(draw):
    tables = []
    for name in sorted(draw(st.sets(names, min_size=1))):
        refers = {f"{other}_id": other for other in draw(st.sets(names, max_size=2))}
        columns = [number(), *(number(column) for column in sorted(refers)), *draw(plain_columns)]
        key = draw(st.sampled_from([("id",), (), tuple(sorted(refers)) or ("id",)]))
        tables.append(table(name, *columns, key=key, refers=refers))
    return postgres(*tables)


@given(catalogs(), st.dictionaries(names, st.integers(0, 10**9), max_size=3), st.integers(0, 10**9))
def test_any_schema_can_be_completed(catalog, sizes, default):
    found = completed(declared(default=default, **sizes), catalog)
    assert len(found.tables) == len(catalog.tables)
    for each in found.tables:
        assert each.rows == sizes.get(each.name, each.rows)
        for column in each.columns:
            assert 0 <= column.null_fraction <= 1
            assert -1 <= column.n_distinct <= max(each.rows, 0)
            assert 0 <= column.distinct(each.rows) <= each.rows
            assert column.average_width > 0
    assert completed(found, catalog) == found
