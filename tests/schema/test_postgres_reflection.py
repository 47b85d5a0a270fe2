"""Catalogs of PostgreSQL: what is read, and that reading leaves no trace."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import psycopg
import pytest
import sqlalchemy as sa
from psycopg.rows import class_row, dict_row, namedtuple_row
from sqlalchemy.ext.asyncio import create_async_engine

from pytest_dbguard.databases.connection_string import connection_string
from pytest_dbguard.schema.catalog import Check, Column, Dialect, ForeignKey, IndexKey, RelationKind
from pytest_dbguard.schema.document import catalog_id
from pytest_dbguard.schema.postgres_reflection import reflect_postgres
from tests.schema.conftest import connect, fetcher


@pytest.fixture(scope="module")
def url(kind, nasty):
    return nasty(kind)


@pytest.fixture(scope="module")
def catalog(url):
    with connect(url) as connection:
        return reflect_postgres(fetcher(connection))


def indexes(catalog, name, schema="public"):
    return {index.name: index for index in catalog.table(name, schema).indexes}


def test_all_relations_of_users_are_read_and_nothing_else(catalog):
    kinds = {f"{table.schema}.{table.name}": table.kind for table in catalog.tables}
    assert kinds == {
        "Shop.Orders": RelationKind.TABLE,
        "Shop.events_2025_A": RelationKind.PARTITION,
        'Shop.tricky " name': RelationKind.TABLE,
        "public.a_circle": RelationKind.TABLE,
        "public.a_view": RelationKind.VIEW,
        "public.animals": RelationKind.TABLE,
        "public.b_circle": RelationKind.TABLE,
        "public.b_view": RelationKind.VIEW,
        "public.customers": RelationKind.TABLE,
        "public.dogs": RelationKind.TABLE,
        "public.empty_table": RelationKind.TABLE,
        "public.events": RelationKind.PARTITIONED,
        "public.events_2025": RelationKind.PARTITIONED,
        "public.events_2025_rest": RelationKind.PARTITION,
        "public.events_2026": RelationKind.PARTITION,
        "public.m_view": RelationKind.MATERIALIZED,
        "public.notes": RelationKind.TABLE,
        "public.plants": RelationKind.TABLE,
        "public.readings": RelationKind.PARTITIONED,
        "public.readings_0": RelationKind.PARTITION,
        "public.readings_1": RelationKind.PARTITION,
        "public.tree": RelationKind.TABLE,
        "public.trees": RelationKind.TABLE,
        "public.z_view": RelationKind.VIEW,
    }
    assert catalog.dialect is Dialect.POSTGRESQL
    assert catalog.source == "database"
    assert catalog.search_path == ("public",)
    assert catalog.version.split(".")[0] in ("15", "18")
    assert catalog.collation.provider in ("libc", "builtin")
    assert catalog.collation.locale


def test_columns_have_all_that_plans_depend_on(catalog):
    customers = {column.name: column for column in catalog.table("customers").columns}
    assert list(customers)[:3] == ["id", "email", "name"]
    assert customers["id"] == Column("id", "bigint", nullable=False, is_identity=True)
    assert customers["email"] == Column("email", "mail", base_type="citext", extension="citext")
    assert customers["name"] == Column("name", "character varying(40)", collation="public.german")
    assert customers["Full Name"].collation == "C"
    assert customers["plain"] == Column("plain", "text", nullable=False, default="'none'::text")
    assert (customers["mood"].type, customers["mood"].labels) == ("mood", 3)
    assert (customers["moods"].type, customers["moods"].labels) == ("mood[]", 0)
    assert (customers["loud"].base_type, customers["loud"].labels) == ("mood", 3)
    assert customers["tags"].extension == "hstore"
    assert customers["shout"] == Column("shout", "text", default="upper(plain)", is_generated=True)
    assert customers["at"].type == "timestamp(3) with time zone"
    assert catalog.table("Orders").column("status").type == '"Shop"."Status"'
    assert [column.name for column in catalog.table("events_2026").columns] == ["kind", "customer", "at", "id"]
    assert catalog.table("empty_table").columns == ()


def test_indexes_have_all_that_decides_what_they_serve(catalog):
    found = indexes(catalog, "customers")
    lower = found["customers_lower"]
    assert lower.keys == (IndexKey(None, "lower(plain)"), IndexKey("id", descending=True))
    assert (lower.is_unique, lower.is_constraint, lower.predicate) == (True, False, "at IS NOT NULL")
    assert found["customers_pattern"].keys == (
        IndexKey("plain", operator_class="text_pattern_ops"),
        IndexKey("name", collation="C", operator_class="varchar_pattern_ops"),
    )
    descending = found["customers_desc"]
    assert descending.keys == (IndexKey("at", descending=True, nulls_first=True), IndexKey("mood", nulls_first=True))
    assert descending.include == ("plain",)
    assert "fillfactor" in descending.ddl
    assert found["customers_partial"].predicate.startswith("mood = 'it''s ok'::mood AND ")
    assert found["customers_case"].keys[0].collation == '"Shop"."any case"'
    assert found["customers_expression"].keys[0] == IndexKey(None, "(id + 1)")
    assert found["customers_label"].keys == (IndexKey(None, "label(customers.*)"),)
    assert found["customers_trgm"].keys[0].operator_class == "gin_trgm_ops"
    assert found["customers_trgm"].extension == "pg_trgm"
    methods = {index.method for index in found.values()}
    assert methods == {"btree", "hash", "gin", "gist", "spgist", "brin"}
    assert all(index.is_valid for index in found.values())
    odd = indexes(catalog, 'tricky " name', "Shop")['tricky " index']
    assert odd.columns == ("a,b", None, "100%", "c:d", "?")


def test_keys_and_constraints_are_read_with_their_indexes(catalog):
    found = indexes(catalog, "Orders", "Shop")
    assert catalog.table("Orders").primary_key == ("Id", "status")
    assert found["Orders_pkey"].is_primary
    assert found["Orders_number_key"].ddl.endswith("UNIQUE (number) DEFERRABLE")
    exclusion = found["no overlap"]
    assert (exclusion.method, exclusion.is_constraint, exclusion.is_unique) == ("gist", True, False)
    assert exclusion.predicate == "room > 0"
    assert catalog.table("Orders").foreign_keys == (
        ForeignKey("orders_customer", ("customer",), "public", "customers", ("id",), "CASCADE", "SET NULL"),
    )
    assert indexes(catalog, "customers")["customers_name_key"].include == ("at",)
    assert catalog.table("customers").checks == (
        Check("Bad Name", '((name)::text <> (plain COLLATE "C"))', is_inherited=False),
        Check("customers_order_check", '("order" > 0)'),
        Check("late", "(id > 0)", is_valid=False),
    )
    # Those that PostgreSQL keeps for the partitions of the table that is referred to are not the user's.
    assert [key.columns for key in catalog.table("notes").foreign_keys] == [("event", "at", "kind")]


def test_partitions_know_their_parents_and_bounds(catalog):
    events, year, leaf = (catalog.table(name) for name in ("events", "events_2025", "events_2025_A"))
    assert (events.partition_key, events.partition_of) == ("RANGE (at)", None)
    assert (year.partition_key, year.partition_of) == ("LIST (kind)", ("public", "events"))
    assert leaf.partition_of == ("public", "events_2025")
    assert leaf.partition_bound == "FOR VALUES IN ('a', 'it''s')"
    assert catalog.table("events_2025_rest").partition_bound == "DEFAULT"
    assert catalog.table("readings").partition_key == "HASH (id, ((value + (1)::numeric)))"
    assert leaf.options == ("fillfactor=50",)
    # An index of which partitions lack theirs serves nothing.
    assert not indexes(catalog, "readings")["unfinished"].is_valid
    assert indexes(catalog, "events")["events_kind"].is_valid


def test_inheritance_views_and_statistics_are_read(catalog):
    assert catalog.table("trees").parents == (("public", "plants"), ("public", "animals"))
    assert catalog.table("dogs").partition_of is None
    assert catalog.table("z_view").reads == (("Shop", "Orders"), ("public", "customers"))
    assert catalog.table("a_view").options == ("security_barrier=true",)
    assert catalog.table("m_view").view.startswith("SELECT")
    assert set(indexes(catalog, "m_view")) == {"m_view_id", "m_view_trgm"}
    assert catalog.table('tricky " name').is_unlogged
    both = catalog.table("customers").statistics[1]
    assert (both.name, both.kinds, both.columns) == ("customers_both", ("dependencies", "ndistinct"), ("name", "plain"))


def test_what_tables_need_stands_in_the_order_in_which_it_can_be_made(catalog):
    def place(start):
        return next(number for number, sql in enumerate(catalog.prelude) if sql.startswith(start))

    order = ["CREATE SCHEMA", "CREATE EXTENSION", "CREATE COLLATION", "CREATE DOMAIN public.mail"]
    assert [place(start) for start in order] == sorted(place(start) for start in order)
    assert place("CREATE OR REPLACE FUNCTION public.is_mail") < place("CREATE DOMAIN public.mail")
    assert place("CREATE TYPE public.mood AS ENUM") < place("CREATE DOMAIN public.shouted")
    assert place("CREATE DOMAIN public.shouted") < place("CREATE DOMAIN public.louder")
    assert place("CREATE TYPE public.mood AS ENUM") < place("CREATE TYPE public.money_amount")
    assert place("CREATE OR REPLACE FUNCTION public.joined") < place("CREATE AGGREGATE public.glue")
    text = "\n".join(catalog.prelude)
    assert "stamp" not in text, "functions of triggers are not needed"
    assert "price_multirange(" not in text, "a range makes its own functions"
    assert [sql.split("(")[0].split()[-1] for sql in catalog.afterwards] == ['Orders"', "public.label"]


def test_an_extension_keeps_its_tables_to_itself(databases, kind):
    url = databases.url(
        kind, "CREATE EXTENSION pg_buffercache", "CREATE SCHEMA dbguard", "CREATE TABLE dbguard.marks ()"
    )
    with connect(url) as connection:
        assert reflect_postgres(fetcher(connection)).tables == ()


@pytest.mark.parametrize("autocommit", [True, False])
def test_texts_do_not_depend_on_the_search_path_which_stays_as_it_is(url, catalog, autocommit):
    with psycopg.connect(connection_string(url), autocommit=autocommit) as connection:
        connection.execute('SET search_path = "Shop", public, pg_temp')
        connection.execute("CREATE TEMPORARY TABLE mine (id int)")
        found = reflect_postgres(fetcher(connection))
        path = connection.execute("SELECT current_setting('search_path')").fetchone()[0]
    assert path == '"Shop", public, pg_temp'
    assert found.search_path == ("Shop", "public")
    assert replace(found, search_path=catalog.search_path) == catalog


def test_a_path_of_the_transaction_ends_with_it(url, catalog):
    with psycopg.connect(connection_string(url)) as connection:
        connection.execute('SET LOCAL search_path = "Shop"')
        assert reflect_postgres(fetcher(connection)).tables == catalog.tables
        assert connection.execute("SHOW search_path").fetchone()[0] == '"Shop"'
        connection.commit()
        assert connection.execute("SHOW search_path").fetchone()[0] == '"$user", public'


@pytest.mark.parametrize("rows", [dict_row, namedtuple_row, class_row(lambda **row: tuple(row.values()))])
def test_any_kind_of_rows_will_do(url, catalog, rows):
    with psycopg.connect(connection_string(url), row_factory=rows) as connection:
        connection.read_only = True
        assert reflect_postgres(fetcher(connection)) == catalog


def test_sqlalchemy_reads_the_same_by_text_and_by_the_driver(url, catalog):
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        assert reflect_postgres(lambda sql: connection.exec_driver_sql(sql).fetchall()) == catalog
        assert reflect_postgres(lambda sql: connection.execute(sa.text(sql)).mappings().all()) == catalog
        raw = connection.connection.cursor()
        assert reflect_postgres(lambda sql: raw.execute(sql).fetchall()) == catalog
    engine.dispose()


def test_asyncpg_reads_the_same(url, catalog):
    def read(connection):
        cursor = connection.connection.cursor()

        def fetch(sql):
            cursor.execute(sql)
            return cursor.fetchall()

        return reflect_postgres(fetch), reflect_postgres(lambda sql: connection.exec_driver_sql(sql).fetchall())

    async def run():
        engine = create_async_engine(url.set(drivername="postgresql+asyncpg"))
        async with engine.connect() as connection:
            found = await connection.run_sync(read)
        await engine.dispose()
        return found

    assert asyncio.run(run()) == (catalog, catalog)


def test_a_role_without_any_right_reads_the_same(url, catalog, databases):
    with connect(url) as connection:
        connection.execute("CREATE ROLE nobody_at_all")
        try:
            connection.execute("SET ROLE nobody_at_all")
            assert replace(reflect_postgres(fetcher(connection)), search_path=catalog.search_path) == catalog
        finally:
            connection.execute("RESET ROLE")
            connection.execute("DROP ROLE nobody_at_all")


def test_the_same_schema_made_elsewhere_is_the_same_catalog(databases, kind, nasty_schema, catalog):
    other = databases.url(kind, "CREATE TABLE first (id int)", nasty_schema(kind), "DROP TABLE first")
    with connect(other) as connection:
        found = reflect_postgres(fetcher(connection))
    assert found == catalog
    assert catalog_id(found) == catalog_id(catalog)
