"""Copies of schemas on other servers: the same catalog again, and a line for whatever cannot be the same."""

from __future__ import annotations

from dataclasses import replace

import psycopg
import pytest

from pytest_dbguard.schema.catalog import Catalog, RelationKind
from pytest_dbguard.schema.document import catalog_id
from pytest_dbguard.schema.postgres_reflection import reflect_postgres
from pytest_dbguard.schema.script import IndexStatement, Transcript
from pytest_dbguard.schema.transcript import Target, read_target, replay, transcript
from tests.schema.conftest import HERE, KINDS, connect, fetcher


def reflected(url):
    with connect(url) as connection:
        return reflect_postgres(fetcher(connection))


def attempting(connection):
    def attempt(sql):
        try:
            connection.execute(sql)
        except psycopg.Error as error:
            return str(error)
        return ""

    return attempt


def copied(catalog, url, target=None):
    """Copy a schema; return the copy's catalog, and what was told."""
    with connect(url) as connection:
        found = target or read_target(fetcher(connection))
        script = transcript(catalog, major=found.major, target=found)
        failed = replay(script, connection.execute, attempting(connection))
        connection.execute("RESET search_path")
        return reflect_postgres(fetcher(connection)), (*script.problems, *failed)


def without_invalid_indexes(catalog):
    def kept(table):
        return replace(table, indexes=tuple(index for index in table.indexes if index.is_valid))

    return replace(catalog, tables=tuple(map(kept, catalog.tables)))


def without_texts(catalog):
    """Without what differs between majors: the spelling of views, the database's own collation."""

    def bare(table):
        return replace(table, view="")

    return replace(catalog, version="", collation=None, tables=tuple(map(bare, catalog.tables)))


def test_a_copy_on_the_same_major_has_the_same_identity(nasty, databases, kind):
    catalog = without_invalid_indexes(reflected(nasty(kind)))
    copy, told = copied(catalog, databases.url(kind))
    assert told == ()
    assert copy == catalog
    assert catalog_id(copy) == catalog_id(catalog)


def test_rows_as_types_odd_bounds_and_views_of_all_kinds_are_copied(databases, kind):
    catalog = reflected(databases.url(kind, (HERE / "nasty_schema_more.sql").read_text()))
    copy, told = copied(catalog, databases.url(kind))
    assert told == ()
    assert copy == catalog
    assert catalog_id(copy) == catalog_id(catalog)


def test_a_newer_server_is_copied_to_an_older_one(nasty, databases):
    catalog = without_invalid_indexes(reflected(nasty("postgres-embedded")))
    copy, told = copied(catalog, databases.url("postgres-local"))
    assert told == ()
    assert without_texts(copy) == without_texts(catalog)


def test_collations_of_icu_become_others_where_there_is_no_icu(nasty, databases):
    catalog = without_invalid_indexes(reflected(nasty("postgres-local")))
    copy, told = copied(catalog, databases.url("postgres-embedded"))
    assert told == (
        'collation "Shop"."any case" is made of another one that is not C',
        "collation public.german is made of another one that is not C",
    )
    assert without_texts(replace(copy, prelude=())) == without_texts(replace(catalog, prelude=()))


@pytest.fixture(scope="module")
def newest(databases):
    return reflected(
        databases.url("postgres-embedded", "CREATE EXTENSION btree_gist", (HERE / "nasty_schema_18.sql").read_text())
    )


def test_what_18_has_besides_is_copied_to_18(newest, databases):
    copy, told = copied(newest, databases.url("postgres-embedded"))
    assert told == ()
    assert copy == newest
    assert newest.table("virtual_columns").column("twice").is_virtual
    assert not newest.table("virtual_columns").column("kept").is_virtual
    assert newest.table("numbered_1").column("id").is_identity
    assert not newest.table("hopes").checks[0].is_valid
    assert not next(iter(newest.table("hopes").indexes)).nulls_distinct


def test_what_18_has_besides_is_told_on_15(newest, databases):
    copy, told = copied(newest, databases.url("postgres-local"))
    assert {table.name for table in copy.tables} == {table.name for table in newest.tables}
    assert [line.split(":")[0] for line in told] == [
        "collation public.coded is made of another one that is not C",
        "collation pg_c_utf8 is not there",
        "column virtual_columns.twice is stored, not virtual",
        "ALTER TABLE public.bookings ADD CONSTRAINT bookings_key PRIM",
    ]
    assert copy.table("coded_names").column("other").collation == "public.pg_c_utf8"


def test_a_collation_that_a_server_lacks_is_made_there(databases):
    catalog = reflected(
        databases.url("postgres-local", "CREATE TABLE names (name text COLLATE \"de-x-icu\", CHECK (name < 'a'))")
    )
    copy, told = copied(catalog, databases.url("postgres-embedded"))
    assert told == ("collation de-x-icu is not there: another one that is not C stands for it",)
    assert copy.table("names").column("name").collation == 'public."de-x-icu"'


def test_types_of_an_extension_that_is_not_there_become_text(databases, kind):
    catalog = reflected(
        databases.url(
            kind,
            "CREATE EXTENSION citext; CREATE EXTENSION pg_trgm; CREATE EXTENSION hstore",
            "CREATE TABLE users (id int PRIMARY KEY, email citext DEFAULT 'x' UNIQUE, others citext[], tags hstore,"
            " name text, shout citext GENERATED ALWAYS AS (name::citext) STORED)",
            "CREATE INDEX users_trgm ON users USING gin (name gin_trgm_ops)",
            "CREATE INDEX users_tags ON users USING gin (tags)",
        )
    )
    with connect(databases.url(kind)) as connection:
        target = replace(read_target(fetcher(connection)), extensions=frozenset({"plpgsql"}))
    copy, told = copied(catalog, databases.url(kind), target)
    assert told == (
        "extension citext is not there: columns of its types become text",
        "extension hstore is not there: columns of its types become text",
        "extension pg_trgm is not there: columns of its types become text",
        "index users_tags is left out: it needs extension hstore",
        "index users_trgm is left out: it needs extension pg_trgm",
    )
    users = copy.table("users")
    assert [column.type for column in users.columns] == ["integer", "text", "text[]", "text", "text", "text"]
    assert [index.name for index in users.indexes] == ["users_email_key", "users_pkey"]


def test_foreign_tables_and_what_reads_them_are_left_out(databases, kind):
    catalog = reflected(
        databases.url(
            kind,
            "CREATE EXTENSION postgres_fdw; CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw",
            "CREATE FOREIGN TABLE stars (id int) SERVER far; CREATE TABLE planets (id int)",
            "CREATE VIEW sky AS SELECT id FROM stars; CREATE VIEW sky_names AS SELECT id FROM sky",
        )
    )
    assert catalog.table("stars").kind is RelationKind.FOREIGN
    copy, told = copied(catalog, databases.url(kind))
    assert told == (
        "foreign table stars is left out",
        "view sky is left out: it reads what is left out",
        "view sky_names is left out: it reads what is left out",
    )
    assert [table.name for table in copy.tables] == ["planets"]


def test_what_fails_is_told_and_costs_nothing_else(databases, kind):
    script = Transcript(
        tables=("CREATE TABLE a (id int)", "CREATE TABLE b (id no_such_type)", "CREATE TABLE c (id later)"),
        indexes=(IndexStatement("", "b_id", "CREATE INDEX b_id ON b (id)"),),
        views=("CREATE DOMAIN later AS int",),
    )
    with connect(databases.url(kind)) as connection:
        told = replay(script, connection.execute, attempting(connection))
        tables = reflect_postgres(fetcher(connection)).tables
    assert told == (
        'CREATE TABLE b (id no_such_type): type "no_such_type" does not exist',
        'CREATE INDEX b_id ON b (id): relation "b" does not exist',
    )
    assert [table.name for table in tables] == ["a", "c"]


@pytest.mark.parametrize("major", [14, 15, 18])
def test_words_that_an_old_server_does_not_know_are_left_out(databases, major):
    catalog = reflected(
        databases.url(
            "postgres-local",
            "CREATE TABLE t (id int, UNIQUE NULLS NOT DISTINCT (id))",
            "CREATE VIEW v WITH (security_invoker = true, security_barrier = true) AS SELECT id FROM t",
        )
    )
    script = "\n".join(transcript(catalog, target=Target(major)).statements())
    assert ("NULLS NOT DISTINCT" in script) is (major >= 15)
    assert ("security_invoker" in script) is (major >= 15)
    assert "security_barrier" in script


def test_nothing_of_roles_triggers_or_rows_is_copied(databases, kind):
    url = databases.url(
        kind,
        "CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY (START 4711), name text)",
        "INSERT INTO t (name) VALUES ('MARKER')",
        "ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON t USING (name = current_user)",
        "CREATE RULE r AS ON DELETE TO t DO INSTEAD NOTHING; GRANT SELECT ON t TO PUBLIC",
        "CREATE SEQUENCE s START 4712; SELECT nextval('s'); ANALYZE",
    )
    script = "\n".join(transcript(reflected(url), major=15).statements())
    for word in ("MARKER", "4711", "4712", "POLICY", "RULE", "GRANT", "OWNER", "SECURITY"):
        assert word not in script


def test_kinds_are_two_majors(databases):
    with connect(databases.url(KINDS[0])) as newer, connect(databases.url(KINDS[1])) as older:
        assert read_target(fetcher(newer)).major > read_target(fetcher(older)).major
        assert "pg_trgm" in read_target(fetcher(older)).extensions


def test_an_empty_schema_has_a_transcript(databases, kind):
    catalog = reflected(databases.url(kind))
    assert isinstance(catalog, Catalog)
    copy, told = copied(catalog, databases.url(kind))
    assert (copy, told) == (catalog, ())
