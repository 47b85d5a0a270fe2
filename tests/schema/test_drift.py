"""What is told of the differences between a schema and that of statistics."""

from __future__ import annotations

from pytest_dbguard.schema.catalog import Catalog, Column, Dialect, Index, IndexKey, RelationKind, Table
from pytest_dbguard.schema.drift import Seen, drift


def table(name, columns="id", indexes="", schema="public", **facts):
    made = tuple(Column(column, "int") for column in columns.split())
    return Table(
        schema,
        name,
        columns=made,
        indexes=tuple(Index(index, (IndexKey("id"),)) for index in indexes.split()),
        **facts,
    )


def told(*tables, theirs, dialect=Dialect.POSTGRESQL):
    return drift(Catalog(dialect, tables=tables), theirs)


def test_equal_schemas_tell_nothing():
    seen = {("public", "orders"): Seen(("id", "city"), ("orders_pkey",)), ("shop", "a"): Seen(("id",))}
    assert told(table("orders", "id city", "orders_pkey"), table("a", schema="shop"), theirs=seen) == ()


def test_tables_are_told_on_both_sides_with_the_nearest_name():
    theirs = {("public", "customer"): Seen(), ("shop", "old"): Seen()}
    assert told(table("customers"), table("zebras"), theirs=theirs) == (
        "not in the statistics: tables customers (nearest: customer), zebras",
        "only in the statistics: tables customer (nearest: customers), shop.old",
    )


def test_columns_and_indexes_are_told_in_one_line_a_table():
    theirs = {("public", "orders"): Seen(("id", "town", "zip"), ("orders_pkey", "ix_orders_town"))}
    assert told(table("orders", "id city towns", "orders_pkey ix_orders_towns"), theirs=theirs) == (
        "orders: columns city, towns (nearest: town) not in the statistics;"
        " columns town (nearest: towns), zip only there;"
        " index ix_orders_towns (nearest: ix_orders_town) not in the statistics;"
        " index ix_orders_town (nearest: ix_orders_towns) only there",
    )


def test_a_file_that_tells_no_columns_is_not_missing_them():
    assert told(table("orders", "id city", "orders_pkey"), theirs={("public", "orders"): Seen()}) == ()


def test_another_schema_is_the_same_table_where_only_one_has_the_name():
    assert told(table("orders"), theirs={("", "orders"): Seen(("id",))}) == ()
    assert told(table("orders"), theirs={("sales", "orders"): Seen(("id",))}) == ()
    two = table("orders"), table("orders", schema="archive")
    assert told(*two, theirs={("sales", "orders"): Seen(("id",))}) == (
        "not in the statistics: tables archive.orders (nearest: sales.orders), orders (nearest: sales.orders)",
        "only in the statistics: table sales.orders (nearest: archive.orders)",
    )


def test_views_need_no_statistics():
    assert told(table("seen", kind=RelationKind.VIEW), table("far", kind=RelationKind.FOREIGN), theirs={}) == ()


def test_sqlite_does_not_care_about_case_nor_names_of_its_own():
    ours = table("Orders", "ID", "sqlite_autoindex_Orders_1", schema="")
    theirs = {("", "orders"): Seen(("id",), ("sqlite_autoindex_orders_2",))}
    assert told(ours, theirs=theirs, dialect=Dialect.SQLITE) == ()


def test_many_differences_stay_few_lines():
    ours = [table(f"t{number}", f"id c{number}") for number in range(30)]
    theirs = {("public", each.name): Seen(("id",)) for each in ours} | {("", f"gone_{n}"): Seen() for n in range(9)}
    lines = told(*ours, theirs=theirs)
    assert len(lines) == 12
    assert lines[0] == "only in the statistics: tables gone_0, gone_1, gone_2, gone_3, gone_4 and 4 more"
    assert lines[-1] == "20 more tables differ"
