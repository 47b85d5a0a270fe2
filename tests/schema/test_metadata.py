"""Catalogs of `MetaData`: the same as reflection gives after `create_all`."""

from __future__ import annotations

from dataclasses import replace

import psycopg
import pytest
import sqlalchemy as sa

from pytest_dbguard.schema.catalog import Catalog, Collation, Dialect, RelationKind
from pytest_dbguard.schema.document import catalog_from_json, catalog_to_json
from pytest_dbguard.schema.metadata import catalog_of_metadata
from pytest_dbguard.schema.postgres_reflection import reflect_postgres
from pytest_dbguard.schema.postgres_type_names import postgres_type_name
from pytest_dbguard.schema.sqlite_reflection import reflect_sqlite
from pytest_dbguard.schema.transcript import transcript
from tests.schema import models
from tests.schema.conftest import connect, fetcher


def reflected(engine, metadata, *statements):
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))
        metadata.create_all(connection)
        reflect = reflect_sqlite if engine.dialect.name == "sqlite" else reflect_postgres
        found = reflect(lambda sql: connection.exec_driver_sql(sql).fetchall())
    engine.dispose()
    return found


def test_sqlite_has_the_same_catalog():
    found = reflected(sa.create_engine("sqlite://"), models.plain)
    assert catalog_of_metadata(models.plain, Dialect.SQLITE) == replace(found, version="", source="metadata")


@pytest.fixture(scope="module")
def made(databases, kind):
    """The catalog that the server has after create_all."""
    needed = ("CREATE EXTENSION citext", "CREATE EXTENSION pg_trgm", 'CREATE SCHEMA "Shop"')
    return reflected(sa.create_engine(databases.url(kind)), models.postgres, *needed)


def without_server_texts(catalog):
    """Without what the server writes its own way: statements of indexes, casts in expressions."""

    def key(each):
        return replace(each, expression="", collation="") if each.column is None else each

    def index(each):
        return replace(each, ddl="", keys=tuple(map(key, each.keys)))

    def column(each):
        return replace(each, default="") if each.is_generated else each

    def table(each):
        return replace(
            each,
            columns=tuple(map(column, each.columns)),
            indexes=tuple(map(index, each.indexes)),
            checks=tuple(replace(check, expression="") for check in each.checks),
        )

    bare = replace(catalog, version="", source="", collation=Collation())
    return replace(bare, tables=tuple(map(table, catalog.tables)))


def test_postgres_has_the_same_catalog_but_for_casts(made):
    assert without_server_texts(catalog_of_metadata(models.postgres, Dialect.POSTGRESQL)) == without_server_texts(made)


def test_a_copy_of_the_metadata_is_what_create_all_makes(made, databases, kind):
    catalog = catalog_of_metadata(models.postgres, Dialect.POSTGRESQL)
    with connect(databases.url(kind)) as connection:
        connection.execute(";\n".join(transcript(catalog, major=15).statements()))
        connection.execute("RESET search_path")
        copy = reflect_postgres(fetcher(connection))
    assert copy == made


def test_a_catalog_of_metadata_survives_json():
    catalog = catalog_of_metadata(models.postgres, Dialect.POSTGRESQL)
    assert catalog_from_json(catalog_to_json(catalog)) == catalog


@pytest.mark.parametrize("dialect", Dialect)
def test_schemas_are_kept_or_translated_away(dialect):
    metadata = sa.MetaData(schema="shop")
    sa.Table("a", metadata, sa.Column("id", sa.Integer, primary_key=True))
    sa.Table("b", metadata, sa.Column("a", sa.ForeignKey("shop.a.id")))
    catalog = catalog_of_metadata(metadata, dialect)
    schema = "shop" if dialect is Dialect.POSTGRESQL else ""
    assert {(table.schema, table.name) for table in catalog.tables} == {(schema, "a"), (schema, "b")}
    assert [key.referred_schema for key in catalog.table("b").foreign_keys] == [schema]


def test_tables_that_sqlite_cannot_make_are_left_out():
    catalog = catalog_of_metadata(models.postgres, Dialect.SQLITE)
    assert isinstance(catalog, Catalog)
    assert [table.name for table in catalog.tables] == ["Orders", "events", "lines"]


def test_listeners_of_create_all_make_what_they_make():
    metadata = sa.MetaData()
    table = sa.Table("t", metadata, sa.Column("id", sa.Integer, primary_key=True))
    sa.event.listen(metadata, "after_create", sa.DDL("CREATE VIEW v AS SELECT id FROM t"))
    sa.event.listen(table, "after_create", lambda *_, **__: psycopg.connect("host=nowhere.invalid"))
    catalog = catalog_of_metadata(metadata, Dialect.SQLITE)
    assert {table.name: table.kind for table in catalog.tables} == {"t": RelationKind.TABLE}


def test_a_view_of_a_listener_is_seen():
    metadata = sa.MetaData()
    sa.Table("t", metadata, sa.Column("id", sa.Integer, primary_key=True))
    sa.event.listen(metadata, "after_create", sa.DDL("CREATE VIEW v AS SELECT id FROM t"))
    assert catalog_of_metadata(metadata, Dialect.SQLITE).table("v").kind is RelationKind.VIEW


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("VARCHAR(40)", "character varying(40)"),
        ("VARCHAR", "character varying"),
        ("CHAR", "character(1)"),
        ("NUMERIC(10, 2)", "numeric(10,2)"),
        ("FLOAT(24)", "real"),
        ("FLOAT(53)", "double precision"),
        ("DOUBLE PRECISION", "double precision"),
        ("TIMESTAMP WITHOUT TIME ZONE", "timestamp without time zone"),
        ("TIMESTAMP(3) WITH TIME ZONE", "timestamp(3) with time zone"),
        ("TIME(0) WITHOUT TIME ZONE", "time(0) without time zone"),
        ("DATETIME", "timestamp without time zone"),
        ("INTEGER[][]", "integer[]"),
        ("BIT VARYING(5)", "bit varying(5)"),
        ("VECTOR(3)", "vector(3)"),
        ('"Shop"."Kind"', '"Shop"."Kind"'),
    ],
)
def test_types_are_named_as_the_server_names_them(written, name):
    assert postgres_type_name(written) == name


def test_looking_at_metadata_does_not_change_it():
    def script():
        made = []
        engine = sa.create_mock_engine(
            "postgresql+psycopg://", lambda sql, *_, **__: made.append(str(sql.compile(engine)))
        )
        models.postgres.create_all(engine, checkfirst=False)
        return made

    before = script()
    for dialect in Dialect:
        catalog_of_metadata(models.postgres, dialect)
    assert script() == before
    assert "EXCLUDE" in "".join(before)
