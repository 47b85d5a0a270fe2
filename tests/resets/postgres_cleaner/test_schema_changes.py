"""A test that changes the schema leaves it as it was, and the database under its old address."""

from __future__ import annotations

import pytest

from pytest_dbguard.resets.base import Did

CHANGES = {
    "create table": ["CREATE TABLE new (id serial PRIMARY KEY)", "INSERT INTO new DEFAULT VALUES"],
    "drop table": ["DROP TABLE shop.line"],
    "drop sequence": ["DROP SEQUENCE ticket"],
    "drop much": ["DROP SCHEMA shop CASCADE"],
    "add column": ["ALTER TABLE scratch ADD COLUMN x integer"],
    "drop column": ["ALTER TABLE country DROP COLUMN since"],
    "change type": ["ALTER TABLE scratch ALTER COLUMN value TYPE integer USING NULL"],
    "default": ["ALTER TABLE scratch ALTER COLUMN value SET DEFAULT 'x'"],
    "drop default": ["ALTER TABLE scratch ALTER COLUMN id DROP DEFAULT"],
    "rename table": ["ALTER TABLE scratch RENAME TO scraps"],
    "rename column": ["ALTER TABLE scratch RENAME value TO x"],
    "index": ["CREATE INDEX ON city (name)"],
    "drop index": ["ALTER TABLE shop.purchase DROP CONSTRAINT purchase_pkey CASCADE"],
    "enum value": ["ALTER TYPE shop.mood ADD VALUE 'glad'"],
    "domain": ["ALTER DOMAIN shop.positive ADD CONSTRAINT small CHECK (VALUE < 99)"],
    "new enum": ["CREATE TYPE public.size AS ENUM ('s')"],
    "view": ["CREATE OR REPLACE VIEW german AS SELECT * FROM city WHERE country = 'it'"],
    "refresh": ["INSERT INTO city (name) VALUES ('x')", "REFRESH MATERIALIZED VIEW cities"],
    "function": ["CREATE OR REPLACE FUNCTION add_country(text) RETURNS void LANGUAGE sql AS 'SELECT 1'"],
    "drop function": ["DROP FUNCTION add_country"],
    "trigger": ["DROP TRIGGER noted ON audited"],
    "disable trigger": ["ALTER TABLE audited DISABLE TRIGGER noted"],
    "new trigger": ["CREATE TRIGGER x AFTER INSERT ON city FOR EACH ROW EXECUTE FUNCTION note()"],
    "rule": ["DROP RULE stays ON ruled"],
    "policy": ["DROP POLICY own ON secret"],
    "row level security": ["ALTER TABLE secret NO FORCE ROW LEVEL SECURITY"],
    "comment": ["COMMENT ON TABLE city IS 'x'"],
    "comment on column": ["COMMENT ON COLUMN city.name IS 'x'"],
    "grant": ["GRANT SELECT ON city TO PUBLIC"],
    "default privileges": ["ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC"],
    "sequence": ["ALTER SEQUENCE ticket RESTART WITH 3"],
    "sequence increment": ["ALTER SEQUENCE ticket INCREMENT 7"],
    "new sequence": ["CREATE SEQUENCE fresh"],
    "identity": ["ALTER TABLE shop.customer ALTER COLUMN id RESTART WITH 50"],
    "partition": ["CREATE TABLE event_more PARTITION OF event FOR VALUES FROM (20) TO (30)"],
    "detach": ["ALTER TABLE event DETACH PARTITION event_low"],
    "constraint": ["ALTER TABLE country ADD CHECK (name <> 'x')"],
    "schema": ["CREATE SCHEMA more"],
    "settings of a table": ["ALTER TABLE city SET (fillfactor = 50)"],
    "statistics": ["CREATE STATISTICS s ON code, name FROM country"],
    "unlogged": ["ALTER TABLE scratch SET LOGGED"],
    "collation": ["CREATE COLLATION german (LOCALE = 'C')"],
    "select into": ["SELECT * INTO copied FROM city"],
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_schema_is_put_back(guarded, name):
    guarded.run(*CHANGES[name])
    assert guarded.cleaner.is_dirty()
    outcome = guarded.cleaner.clean()
    assert outcome.did is Did.SWAPPED
    assert "schema was changed" in outcome.reason or name == "refresh"
    assert guarded.is_as_before()
    assert guarded.cleaner.clean().did is Did.NOTHING


def test_everything_that_a_role_owns(guard):
    guarded = guard("plain")
    guarded.run("DROP OWNED BY CURRENT_USER CASCADE")
    assert guarded.cleaner.clean().did is Did.SWAPPED
    assert guarded.is_as_before()


def test_an_extension(guard):
    guarded = guard()
    guarded.run("CREATE EXTENSION citext")
    assert guarded.cleaner.clean().did is Did.SWAPPED
    assert guarded.is_as_before()


def test_what_was_rolled_back_counts_for_a_superuser_only(guarded):
    """It cannot be told from what was committed; comparing catalogs does."""
    with guarded.connect(autocommit=False) as connection:
        connection.execute("CREATE TABLE new (a int)")
        connection.execute("ALTER TABLE city ADD COLUMN x int")
        connection.rollback()
    guarded.cleaner.clean()
    assert guarded.is_as_before()


def test_statements_that_find_nothing_to_change(guard):
    guarded = guard()
    guarded.run(
        "CREATE TABLE IF NOT EXISTS city ()", "DROP TABLE IF EXISTS missing", "CREATE SCHEMA IF NOT EXISTS shop"
    )
    assert guarded.cleaner.clean().did is Did.NOTHING


def test_swapping_again_and_again_leaves_nothing_behind(guard):
    guarded = guard()
    before = guarded.copies.names()
    for number in range(4):
        guarded.run(f"CREATE TABLE new_{number} ()")
        guarded.cleaner.clean()
        guarded.run("INSERT INTO city (name) VALUES ('x')")
        guarded.cleaner.clean()
        assert guarded.is_as_before()
    guarded.cleaner.close()
    assert guarded.copies.names() == before


def test_connections_are_let_go_when_the_database_is_replaced(guard):
    guarded = guard()
    guarded.run("CREATE TABLE new ()")
    guarded.cleaner.clean()
    assert guarded.ledger.let_go_of == 1


def test_a_fresh_copy_on_request(guarded):
    guarded.run("INSERT INTO city (name) VALUES ('x')")
    outcome = guarded.cleaner.swap("because")
    assert (outcome.did, outcome.reason) == (Did.SWAPPED, "because")
    assert guarded.is_as_before()


@pytest.mark.parametrize("name", ["dbguard_kept_here", "tests/test_a.py::TestB::test_c[1-ü]"])
def test_a_database_is_set_aside(guarded, name):
    guarded.run("INSERT INTO city (name) VALUES ('Evidence')")
    url = guarded.cleaner.set_aside(name)
    assert guarded.is_as_before()
    assert url.startswith("postgresql://")
    kept = url.rpartition("/")[2].partition("?")[0]
    try:
        with type(guarded).connect(type(guarded)(guarded.url.set(database=kept), *[None] * 4)) as connection:
            assert connection.execute("SELECT name FROM city ORDER BY id DESC").fetchone() == ("Evidence",)
            comment = connection.execute(
                "SELECT shobj_description(oid, 'pg_database')::json FROM pg_database WHERE datname = %s", [kept]
            ).fetchone()[0]
        assert (comment["dbguard"], comment["kind"], comment["test"]) == (1, "kept", name)
    finally:
        guarded.copies.drop(kept)
