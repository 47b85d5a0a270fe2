"""What fixtures of a wider scope write is there for every test of the scope and gone afterwards."""

from __future__ import annotations

import pytest

from pytest_dbguard.core.errors import DatabaseError
from pytest_dbguard.resets.base import Did

NAMES = "SELECT name FROM city ORDER BY id"
SEEDED = [("Berlin",), ("Paris",)]


def insert(name):
    return f"INSERT INTO city (name) VALUES ('{name}')"


def test_nothing_to_keep(guarded):
    assert not guarded.cleaner.keep("fixture")
    guarded.cleaner.forget("fixture")
    assert guarded.cleaner.clean().did is Did.NOTHING


def test_rows_stay_until_they_are_forgotten(guarded):
    guarded.run(insert("module"), "DELETE FROM country WHERE code = 'it'", "INSERT INTO scratch (value) VALUES ('a')")
    assert guarded.cleaner.keep("module")
    assert not guarded.cleaner.is_dirty()
    for _ in range(2):
        assert guarded.run("INSERT INTO city (name) VALUES ('test') RETURNING id") == [(4,)]
        guarded.run("INSERT INTO country VALUES ('it', 'again')", "DELETE FROM scratch")
        assert guarded.cleaner.clean().dirty == ("city", "country", "scratch")
        assert guarded.run(NAMES) == [*SEEDED, ("module",)]
        assert guarded.run("SELECT count(*) FROM country", "SELECT id, value FROM scratch") == [(1, "a")]
        assert guarded.cleaner.clean().did is Did.NOTHING
    guarded.cleaner.forget("module")
    guarded.cleaner.forget("module")
    assert guarded.cleaner.is_dirty()
    guarded.cleaner.clean()
    assert guarded.is_as_before()


def test_a_fixture_that_cleans_up_after_itself(guard):
    guarded = guard()
    guarded.run("INSERT INTO scratch (id, value) VALUES (1, 'a')")
    guarded.cleaner.keep("module")
    guarded.run("DELETE FROM scratch")
    guarded.cleaner.forget("module")
    assert guarded.cleaner.clean().did is Did.NOTHING
    assert guarded.is_as_before()


def test_a_fixture_that_empties_what_was_seeded(guarded):
    guarded.run("DELETE FROM city")
    guarded.cleaner.keep("module")
    guarded.run(insert("test"))
    guarded.cleaner.clean()
    assert guarded.run(NAMES) == []
    guarded.cleaner.forget("module")
    guarded.cleaner.clean()
    assert guarded.is_as_before()


def test_only_a_sequence(guarded):
    guarded.run("SELECT nextval('ticket')")
    assert guarded.cleaner.keep("module")
    guarded.run("SELECT nextval('ticket')")
    guarded.cleaner.clean()
    assert guarded.run("SELECT nextval('ticket')") == [(105,)]
    guarded.cleaner.forget("module")
    guarded.cleaner.clean()
    assert guarded.is_as_before()


@pytest.mark.parametrize(
    "order", [["class", "module", "session"], ["session", "module", "class"], ["module", "session", "class"]]
)
@pytest.mark.parametrize("swaps", [False, True])
def test_scopes_within_scopes_in_any_order_of_ending(guarded, order, swaps):
    written = {
        "session": insert("session"),
        "module": "INSERT INTO scratch (value) VALUES ('m')",
        "class": insert("class"),
    }
    for owner, statement in written.items():
        guarded.run(statement)
        assert guarded.cleaner.keep(owner)
    for owner in order:
        guarded.run(insert("test"), "UPDATE scratch SET value = 'x'", *(["CREATE TABLE new ()"] if swaps else []))
        assert guarded.cleaner.clean().did is Did.SWAPPED or not swaps
        names = [name for (name,) in guarded.run(NAMES)]
        assert names[:2] == ["Berlin", "Paris"]
        assert names[2:] == [owner for owner in ("session", "class") if written[owner] is not None]
        assert guarded.run("SELECT value FROM scratch") == ([("m",)] if written["module"] is not None else [])
        guarded.cleaner.forget(owner)
        written[owner] = None
    guarded.cleaner.clean()
    assert guarded.is_as_before()


def test_rows_of_one_table_that_several_scopes_changed(guarded):
    guarded.run("UPDATE city SET name = 'Rome' WHERE id = 1", "INSERT INTO scratch (value) VALUES ('same')")
    guarded.cleaner.keep("class")
    guarded.run("UPDATE city SET name = 'Oslo' WHERE id = 2", "INSERT INTO scratch (value) SELECT value FROM scratch")
    guarded.cleaner.keep("session")
    guarded.cleaner.forget("class")
    guarded.run("DELETE FROM city")
    guarded.cleaner.clean()
    assert guarded.run(NAMES) == [("Berlin",), ("Oslo",)]
    assert guarded.run("SELECT value FROM scratch") == [("same",)]
    assert guarded.cleaner.clean().did is Did.NOTHING
    guarded.run("CREATE TABLE new ()")
    assert guarded.cleaner.clean().did is Did.SWAPPED
    assert guarded.run(NAMES) == [("Berlin",), ("Oslo",)]
    guarded.cleaner.forget("session")
    guarded.cleaner.clean()
    assert guarded.is_as_before()


def test_a_row_that_several_scopes_changed_stays_as_the_last_one_left_it(guarded):
    guarded.run("UPDATE city SET name = 'Rome' WHERE id = 1")
    guarded.cleaner.keep("class")
    guarded.run("UPDATE city SET name = 'Oslo' WHERE id = 1")
    guarded.cleaner.keep("session")
    guarded.cleaner.forget("class")
    guarded.cleaner.clean()
    assert guarded.run(NAMES) == [("Oslo",), ("Paris",)]


@pytest.mark.parametrize(
    ("earlier", "later", "table", "value", "rows"),
    [
        ("TRUNCATE city RESTART IDENTITY", "INSERT INTO city (id, name) VALUES (1, 'Oslo')", "city", "name",
         [("Oslo",), ("Paris",)]),
        ("DELETE FROM slot WHERE place = 1", "INSERT INTO slot VALUES (1, 'Oslo')", "slot", "what",
         [("Oslo",), ("b",)]),
    ],
    ids=["immediate", "deferrable"],
)  # fmt: skip
def test_a_key_that_a_later_scope_took_stays_with_it(guarded, earlier, later, table, value, rows):
    guarded.run(earlier)
    guarded.cleaner.keep("class")
    guarded.run(later)
    guarded.cleaner.keep("session")
    guarded.cleaner.forget("class")
    guarded.run(f"DELETE FROM {table}")
    guarded.cleaner.clean()
    assert sorted(guarded.run(f"SELECT {value} FROM {table}")) == rows
    guarded.cleaner.forget("session")
    guarded.cleaner.clean()
    assert guarded.is_as_before()


@pytest.mark.parametrize(
    ("earlier", "later", "query", "rows"),
    [
        ("INSERT INTO country VALUES ('no', 'Norway')", "INSERT INTO city (country, name) VALUES ('no', 'Oslo')",
         "SELECT y.name FROM city c JOIN country y ON y.code = country ORDER BY id", ["Germany", "France", "Norway"]),
        ("INSERT INTO city (name) VALUES ('Oslo')", "UPDATE city SET twin = (SELECT max(id) FROM city) WHERE id = 1",
         "SELECT t.name FROM city c JOIN city t ON t.id = c.twin ORDER BY c.id", ["Oslo", "Berlin"]),
    ],
)  # fmt: skip
def test_rows_stay_while_those_of_a_later_scope_refer_to_them(guarded, earlier, later, query, rows):
    guarded.run(earlier)
    guarded.cleaner.keep("class")
    guarded.run(later)
    guarded.cleaner.keep("session")
    guarded.cleaner.forget("class")
    guarded.run("UPDATE city SET name = 'x'")
    guarded.cleaner.clean()
    assert guarded.run(query) == [(name,) for name in rows]
    guarded.cleaner.forget("session")
    guarded.cleaner.clean()
    assert guarded.is_as_before()


def test_a_fixture_that_took_away_what_a_later_one_refers_to_no_more(guarded):
    """The later scope's rows are whole without the earlier one's: nothing has to stay."""
    guarded.run("INSERT INTO country VALUES ('no', 'Norway')", "INSERT INTO city (country, name) VALUES ('no', 'Oslo')")
    guarded.cleaner.keep("class")
    guarded.run(insert("Rome"))
    guarded.cleaner.keep("session")
    guarded.cleaner.forget("class")
    guarded.cleaner.clean()
    assert guarded.run(NAMES) == [*SEEDED, ("Rome",)]
    assert guarded.run("SELECT count(*) FROM country") == [(3,)]


def test_rows_that_a_test_took_away_for_good(guard):
    guarded = guard()
    guarded.run(insert("module"))
    guarded.cleaner.keep("fixture 'cities'")
    guarded.run("DROP SCHEMA dbguard CASCADE", "DELETE FROM city")
    with pytest.raises(DatabaseError, match="what fixture 'cities' wrote is lost"):
        guarded.cleaner.clean()
    assert guarded.is_as_before()
    guarded.cleaner.forget("fixture 'cities'")
    assert guarded.cleaner.clean().did is Did.NOTHING


def test_rows_survive_a_fresh_copy(guarded):
    guarded.run(insert("module"), "UPDATE country SET name = 'kept' WHERE code = 'it'", "SELECT nextval('ticket')")
    guarded.cleaner.keep("module")
    for _ in range(2):
        guarded.run("ALTER TABLE city ADD COLUMN x int", insert("test"))
        assert guarded.cleaner.clean().did is Did.SWAPPED
        assert guarded.run(NAMES) == [*SEEDED, ("module",)]
        assert guarded.run("SELECT name FROM country WHERE code = 'it'") == [("kept",)]
        assert guarded.cleaner.clean().did is Did.NOTHING
    assert guarded.run("SELECT nextval('ticket')") == [(105,)]
    guarded.cleaner.forget("module")
    guarded.cleaner.clean()
    assert guarded.is_as_before()


def test_rows_with_foreign_keys_and_triggers_survive_a_fresh_copy(guarded):
    guarded.run("INSERT INTO country VALUES ('no', 'Norway')", "INSERT INTO audited (value) VALUES ('a')")
    guarded.cleaner.keep("module")
    assert guarded.cleaner.swap("asked for").did is Did.SWAPPED
    assert guarded.run("SELECT count(*) FROM country") == [(4,)]
    assert guarded.run("SELECT what FROM audit") == [("INSERT",)]
    assert guarded.run(NAMES) == SEEDED
    assert guarded.cleaner.clean().did is Did.NOTHING
    guarded.cleaner.forget("module")
    guarded.cleaner.clean()
    assert guarded.is_as_before()


def test_a_schema_that_a_fixture_changes_stays_until_it_is_forgotten(guarded):
    guarded.run("CREATE TABLE extra (id serial PRIMARY KEY, x int)", "INSERT INTO extra (x) VALUES (7)")
    guarded.run("ALTER TABLE city ADD COLUMN size int DEFAULT 1", insert("module"))
    guarded.cleaner.keep("module")
    assert not guarded.cleaner.is_dirty()
    guarded.run("INSERT INTO extra (x) VALUES (8)", "UPDATE city SET size = 2")
    assert guarded.cleaner.clean().dirty == ("city", "extra")
    guarded.run("INSERT INTO scratch (value) VALUES ('class')")
    guarded.cleaner.keep("class")
    guarded.run("DROP TABLE extra", "DELETE FROM scratch")
    assert guarded.cleaner.clean().did is Did.SWAPPED
    assert guarded.run("SELECT x FROM extra") == [(7,)]
    assert guarded.run("SELECT value FROM scratch") == [("class",)]
    assert guarded.run("SELECT DISTINCT size FROM city") == [(1,)]
    guarded.cleaner.forget("class")
    guarded.run(insert("test"))
    guarded.cleaner.clean()
    assert guarded.run("SELECT count(*) FROM scratch", "SELECT x FROM extra") == [(7,)]
    guarded.cleaner.forget("module")
    assert guarded.cleaner.clean().did is Did.SWAPPED
    assert guarded.is_as_before()


def test_the_fixture_that_changed_the_schema_ends_first(guarded):
    guarded.run("CREATE TABLE extra (x int)", "INSERT INTO extra VALUES (1)")
    guarded.cleaner.keep("module")
    guarded.run("INSERT INTO scratch (value) VALUES ('class')")
    guarded.cleaner.keep("class")
    guarded.cleaner.forget("module")
    guarded.run("DROP TABLE extra")
    guarded.cleaner.clean()
    assert guarded.run("SELECT value FROM scratch") == [("class",)]
    guarded.cleaner.forget("class")
    guarded.cleaner.clean()
    assert guarded.is_as_before()


def test_rows_are_kept_though_a_schema_has_to_go(guarded):
    guarded.run("CREATE TABLE extra (x int)")
    guarded.cleaner.keep("module")
    guarded.cleaner.forget("module")
    guarded.run(insert("next"))
    guarded.cleaner.keep("next module")
    guarded.run(insert("test"))
    guarded.cleaner.clean()
    assert guarded.run(NAMES) == [*SEEDED, ("next",)]
    guarded.cleaner.forget("next module")
    guarded.cleaner.clean()
    assert guarded.is_as_before()


def test_a_fixture_that_changes_the_schema_with_a_connection_open(guarded):
    with guarded.connect() as connection:
        guarded.ledger.kept = frozenset({connection.info.backend_pid})
        connection.execute("CREATE TABLE extra (x int)")
        guarded.cleaner.keep("fixture 'tables'")
        connection.execute("INSERT INTO extra VALUES (1)")
        assert guarded.cleaner.clean().did is Did.EMPTIED
        guarded.run("DROP TABLE scratch")
        with pytest.raises(DatabaseError, match="fixture 'tables' changed its schema with a connection open"):
            guarded.cleaner.clean()
    guarded.ledger.kept = frozenset()
    guarded.cleaner.forget("fixture 'tables'")
    guarded.cleaner.clean()
    assert guarded.is_as_before()


def test_large_objects(guard):
    guarded = guard()
    ((oid,),) = guarded.run("SELECT lo_from_bytea(0, 'kept')")
    guarded.cleaner.keep("module")
    guarded.run(f"SELECT lo_unlink({oid})")
    assert guarded.cleaner.clean().did is Did.SWAPPED
    assert guarded.run(f"SELECT lo_get({oid})") == [(b"kept",)]
    guarded.cleaner.forget("module")
    guarded.cleaner.clean()
    assert guarded.is_as_before()
    guarded.cleaner.close()


def test_nothing_is_left_behind(guard):
    guarded = guard()
    before = guarded.copies.names()
    guarded.run("CREATE TABLE extra (x int)")
    guarded.cleaner.keep("one")
    guarded.run(insert("a"))
    guarded.cleaner.keep("two")
    guarded.run("DROP TABLE extra")
    guarded.cleaner.clean()
    guarded.cleaner.close()
    assert guarded.copies.names() == before


def test_copies_go_with_the_fixture(guard):
    guarded = guard()
    count = "SELECT count(*) FROM pg_class WHERE relnamespace = 'dbguard'::regnamespace"
    before = guarded.run(count)
    guarded.run(insert("a"))
    guarded.cleaner.keep("module")
    assert guarded.run(count) != before
    guarded.cleaner.forget("module")
    assert guarded.run(count) == before
