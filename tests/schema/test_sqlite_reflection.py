"""Catalogs of SQLite, and copies of them."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

import pytest
import sqlalchemy as sa

from pytest_dbguard.schema.catalog import Check, Column, Dialect, ForeignKey, Index, IndexKey, RelationKind
from pytest_dbguard.schema.document import catalog_id
from pytest_dbguard.schema.sqlite_reflection import reflect_sqlite
from pytest_dbguard.schema.transcript import transcript
from tests.schema.conftest import HERE, fetcher

SCRIPT = (HERE / "nasty_sqlite.sql").read_text()


def opened(*scripts):
    connection = sqlite3.connect(":memory:")
    for script in scripts:
        connection.executescript(script)
    return connection


@pytest.fixture(scope="module")
def catalog():
    return reflect_sqlite(fetcher(opened(SCRIPT)))


def key(column, **facts):
    """A key that sorts as SQLite does by default."""
    return IndexKey(column, nulls_first=not facts.get("descending", False), **facts)


def indexes(catalog, table):
    return {index.name: index for index in catalog.table(table).indexes}


def test_tables_views_and_virtual_tables_are_read_without_what_belongs_to_them(catalog):
    kinds = {table.name: table.kind for table in catalog.tables}
    assert kinds == {
        "Orders": RelationKind.TABLE,
        "backwards": RelationKind.TABLE,
        "broken": RelationKind.VIEW,
        "busy": RelationKind.VIEW,
        "copied": RelationKind.TABLE,
        "counted": RelationKind.TABLE,
        "customers": RelationKind.TABLE,
        "named": RelationKind.VIEW,
        "nothing_known": RelationKind.TABLE,
        "orphan": RelationKind.TABLE,
        "session_rows": RelationKind.TABLE,
        "words": RelationKind.VIRTUAL,
    }
    assert (catalog.dialect, catalog.version) == (Dialect.SQLITE, sqlite3.sqlite_version)
    assert (catalog.search_path, catalog.prelude) == ((), ())


def test_columns_are_read_with_what_only_the_statement_tells(catalog):
    customers = {column.name: column for column in catalog.table("CUSTOMERS").columns}
    assert customers["id"] == Column("id", "INTEGER", nullable=False)
    assert customers["email"] == Column("email", "VARCHAR(40)", nullable=False, collation="NOCASE")
    assert customers["Full Name"] == Column("Full Name", "TEXT", default="'it''s, (none)'")
    assert customers["tick"] == Column("tick", "REAL")
    assert customers["shout"] == Column(
        "shout", "TEXT", default="upper(\"Full Name\" || ',')", is_generated=True, is_virtual=True
    )
    assert customers["total"] == Column("total", "NUMERIC(10, 2)", default="tick * 2", is_generated=True)
    assert customers["untyped"] == Column("untyped", "")
    assert [column.name for column in catalog.table("busy").columns] == ["ident", "How Many"]
    assert [column.name for column in catalog.table("words").columns] == ["body"]
    assert catalog.table("broken").columns == ()
    # Except for rowids, SQLite takes NULL in primary keys.
    assert catalog.table("orphan").column("id").nullable
    assert not catalog.table("Orders").column("id").nullable
    assert catalog.table("counted").options == ("strict",)


def test_primary_keys_are_rowids_or_indexes(catalog):
    rowid = Index("", (key("id"),), is_unique=True, is_primary=True, is_constraint=True)
    assert indexes(catalog, "counted") == {"": rowid}
    assert catalog.table("customers").primary_key == ("id",)
    orders = catalog.table("Orders")
    assert (orders.primary_key, orders.is_without_rowid) == (("id", "number"), True)
    assert indexes(catalog, "Orders")["sqlite_autoindex_Orders_1"].is_primary
    # SQLite's own exception: downwards it is no rowid.
    assert list(indexes(catalog, "backwards")) == ["sqlite_autoindex_backwards_1"]


def test_indexes_are_read_with_expressions_collations_and_predicates(catalog):
    found = indexes(catalog, "customers")
    assert found["by name"].keys == (key("Full Name", collation="RTRIM", descending=True), key("email"))
    assert found["binary_email"].keys == (key("email", collation="BINARY"),)
    lower = found["lower_email"]
    assert [each.expression for each in lower.keys] == ["lower(email)", "tick + 1"]
    assert lower.predicate == "email IS NOT NULL AND shout <> 'WHERE'"
    assert lower.is_unique
    assert not lower.is_constraint
    odd = found['odd "name']
    assert [each.expression for each in odd.keys] == ["json_extract(\"Full Name\", '$.a,b')", "substr(email, 1, 2)"]
    assert [each.descending for each in odd.keys] == [False, True]
    unique = found["sqlite_autoindex_customers_2"]
    assert (unique.columns, unique.is_constraint, unique.ddl) == (("untyped", "tick"), True, "")


def test_foreign_keys_name_the_columns_that_they_refer_to(catalog):
    assert catalog.table("Orders").foreign_keys == (
        ForeignKey("", ("customer",), "", "customers", ("id",), "CASCADE"),
        ForeignKey("", ("id", "other"), "", "Orders", ("id", "number"), on_update="SET NULL"),
    )
    assert catalog.table("orphan").foreign_keys == (ForeignKey("", ("gone",), "", "not_there", ("id",)),)


def test_checks_are_read_from_the_statement(catalog):
    assert catalog.table("customers").checks == (
        Check("", 'length("check") > 1 AND "check" <> \')\''),
        Check("both, of them", "tick < total"),
        Check("positive", "[square] > 0"),
    )


def test_temporary_tables_hide_others_of_their_name():
    connection = opened("CREATE TABLE t (a INT); CREATE TEMP TABLE t (b INT); CREATE INDEX temp.t_b ON t (b);")
    catalog = reflect_sqlite(fetcher(connection))
    assert catalog.table("t").is_temporary
    assert [column.name for column in catalog.table("t").columns] == ["b"]
    assert [index.name for index in catalog.table("t").indexes] == ["t_b"]
    copy = opened(";".join(transcript(catalog).statements()))
    assert reflect_sqlite(fetcher(copy)) == catalog


def test_a_copy_has_the_same_identity(catalog):
    script = transcript(catalog)
    assert script.problems == ("virtual table words is left out",)
    copy = reflect_sqlite(fetcher(opened(";\n".join(script.statements()))))
    stored = tuple(table for table in catalog.tables if table.kind is not RelationKind.VIRTUAL)
    assert copy == replace(catalog, tables=stored)
    assert catalog_id(copy) == catalog_id(replace(catalog, tables=stored))


def test_attached_databases_and_sqlites_own_tables_are_not_read():
    connection = opened("ATTACH ':memory:' AS other; CREATE TABLE other.there (id INT);")
    connection.executescript("CREATE TABLE here (id INTEGER PRIMARY KEY AUTOINCREMENT); ANALYZE;")
    assert [table.name for table in reflect_sqlite(fetcher(connection)).tables] == ["here"]


def test_sqlalchemy_and_rows_by_name_read_the_same(catalog):
    connection = opened(SCRIPT)
    connection.row_factory = sqlite3.Row
    assert reflect_sqlite(fetcher(connection)) == catalog
    connection.row_factory = lambda cursor, row: dict(zip([each[0] for each in cursor.description], row, strict=True))
    assert reflect_sqlite(fetcher(connection)) == catalog
    connection.row_factory = None
    engine = sa.create_engine("sqlite://", creator=lambda: connection)
    with engine.connect() as bound:
        assert reflect_sqlite(lambda sql: bound.exec_driver_sql(sql).fetchall()) == catalog
    engine.dispose()


def test_an_empty_database_has_a_catalog():
    assert reflect_sqlite(fetcher(opened())).tables == ()
