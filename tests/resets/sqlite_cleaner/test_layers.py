"""What fixtures of wider scope write to SQLite stays for as long as they last, whatever tests do in between."""

from __future__ import annotations

import pytest

from pytest_dbguard.core.errors import DatabaseError

DATA = "INSERT INTO item (name) VALUES ('kept'); UPDATE keyed_seed SET b = 9; PRAGMA user_version = 70"
TRIGGERED = "INSERT INTO watched (name) VALUES ('kept')"
SCHEMA = "CREATE TABLE extra (id INTEGER PRIMARY KEY AUTOINCREMENT); INSERT INTO extra VALUES (NULL); DROP TABLE plain"
WORDS = "INSERT INTO words VALUES ('dog')"
MANY = """
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9000) INSERT INTO node SELECT i, NULL FROM n
"""
MESS = {
    "rows": "INSERT INTO item (name) VALUES ('x'); DELETE FROM keyed_seed; INSERT INTO numbered (note) VALUES ('x')",
    "schema": "ALTER TABLE item ADD COLUMN extra; DELETE FROM item; DELETE FROM node",
}


def kept(world, owner, script):
    world.write(script)
    assert world.cleaner.keep(owner) is True
    assert world.cleaner.keep(owner + " again") is False
    return world.picture()


def assert_returns(world, picture):
    assert world.picture() == picture
    for mess in MESS.values():
        world.write(mess)
        assert world.cleaner.is_dirty()
        assert world.cleaner.clean().did in ("emptied", "swapped")
        assert world.picture() == picture
        assert world.cleaner.clean().did == "nothing"


@pytest.mark.parametrize("script", [DATA, TRIGGERED, SCHEMA, WORDS, MANY])
def test_one_fixture(world, script):
    assert_returns(world, kept(world, "fixture", script))
    world.cleaner.forget("fixture")
    assert world.cleaner.is_dirty()
    assert world.assert_cleans().did in ("emptied", "swapped")
    assert_returns(world, world.clean_picture)


@pytest.mark.parametrize("first", [DATA, SCHEMA, MANY])
@pytest.mark.parametrize("second", [TRIGGERED, "INSERT INTO item (id) VALUES (77)", "CREATE TABLE more (id)", WORDS])
def test_two_fixtures(today, first, second):
    below = kept(today, "module", first)
    above = kept(today, "class", second)
    assert_returns(today, above)
    today.cleaner.forget("class")
    today.cleaner.clean()
    assert_returns(today, below)
    today.cleaner.forget("module")
    today.assert_cleans()


@pytest.mark.parametrize(
    "second", [TRIGGERED, "INSERT INTO node VALUES (1, NULL)", "INSERT INTO item (id) VALUES (77)"]
)
def test_what_ends_below_another_is_gone_though_that_stays(today, second):
    today.write(second)
    today.cleaner.keep("class")
    alone = today.picture()
    today.cleaner.forget("class")
    today.assert_cleans()
    kept(today, "module", DATA.replace("INTO item (name) VALUES ('kept')", "INTO item (id, name) VALUES (50, 'kept')"))
    kept(today, "class", second)
    today.cleaner.forget("module")
    today.cleaner.clean()
    assert_returns(today, alone)
    today.cleaner.forget("class")
    today.assert_cleans()


@pytest.mark.parametrize(
    ("first", "second", "query", "rows"),
    [
        ("INSERT INTO parent VALUES (8, NULL)", "INSERT INTO child VALUES (9, 8)", "SELECT id FROM parent", [1, 2, 8]),
        ("DELETE FROM item", "INSERT INTO item (id, name) VALUES (1, 'tea')", "SELECT name FROM item ORDER BY id",
         ["tea", "wine", "saffron"]),
    ],
)  # fmt: skip
def test_what_a_later_fixture_depends_on_or_took_stays_with_it(today, first, second, query, rows):
    kept(today, "module", first)
    kept(today, "class", second)
    today.cleaner.forget("module")
    today.write("DELETE FROM node; DELETE FROM item")
    today.cleaner.clean()
    assert [value for (value,) in today.connect().execute(query)] == rows
    today.cleaner.forget("class")
    today.assert_cleans()


@pytest.mark.parametrize(("first", "second"), [(SCHEMA, TRIGGERED), (SCHEMA, DATA), (DATA, "CREATE TABLE more (id)")])
def test_a_schema_that_ends_below_another_stays_with_that(today, first, second):
    kept(today, "module", first)
    above = kept(today, "class", second)
    today.cleaner.forget("module")
    assert_returns(today, above)
    today.cleaner.forget("class")
    today.assert_cleans()
    assert_returns(today, today.clean_picture)


def test_a_swap_carries_over_what_is_kept(world):
    picture = kept(world, "fixture", DATA)
    assert world.cleaner.swap("asked for").did == "swapped"
    assert world.picture() == picture
    assert world.cleaner.truncate().did == "swapped"
    assert world.picture() == picture
    world.cleaner.set_aside("test")
    assert world.picture() == picture


def test_nothing_to_keep_and_nobody_to_forget(world):
    assert world.cleaner.keep("reader") is False
    world.write("BEGIN; DELETE FROM item; ROLLBACK")
    assert world.cleaner.keep("reader") is False
    world.cleaner.forget("reader")
    world.cleaner.forget("never there")
    assert world.cleaner.clean().did == "nothing"


def test_what_is_written_and_undone_is_nothing_to_keep(world):
    world.write("INSERT INTO item (name) VALUES ('x'); DELETE FROM item WHERE name = 'x'")
    assert world.cleaner.is_dirty() is False
    assert world.cleaner.keep("fixture") is False


def test_a_fixture_that_left_its_transaction_open_is_told_what_to_do(make_world):
    world = make_world("memory")
    connection = world.connect()
    connection.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseError) as caught:
        world.cleaner.keep("fixture 'shop'")
    assert str(caught.value) == (
        "what fixture 'shop' wrote cannot be kept: database is locked\n"
        "  commit or roll back in the fixture before it yields"
    )
