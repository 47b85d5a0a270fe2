"""Whatever two connections do to SQLite in whatever order, cleaning finds it and undoes it."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

ROW_TABLES = (
    "item",
    "numbered",
    "numbered_seed",
    "plain",
    "plain_seed",
    "keyed_seed",
    "watched",
    "node",
    "parent",
    "child",
)
VALUES = st.sampled_from(["NULL", "1", "2", "1.0", "'1'", "x'31'", "'text'", "7", "-5", "99999999999"])
COLUMNS = {
    "item": "(name, price)",
    "numbered": "(id, note)",
    "numbered_seed": "(id, note)",
    "plain": "(rowid, a)",
    "plain_seed": "(rowid, a)",
    "keyed_seed": "(a, b)",
    "watched": "(id, name)",
    "node": "(id, above)",
    "parent": "(id, favourite)",
    "child": "(id, parent)",
}
tables = st.sampled_from(ROW_TABLES)
inserts = st.builds(
    lambda table, one, other: f"INSERT OR REPLACE INTO {table} {COLUMNS[table]} VALUES ({one}, {other})",
    tables,
    VALUES,
    VALUES,
)
updates = st.builds(
    lambda table, number, value: (
        f"UPDATE OR IGNORE {table} SET {COLUMNS[table].strip('()').split(', ')[number]} = {value}"
    ),
    tables,
    st.integers(0, 1),
    VALUES,
)
deletes = st.builds(lambda table: f"DELETE FROM {table}", tables)
others = st.sampled_from(
    [
        "BEGIN",
        "BEGIN",
        "BEGIN IMMEDIATE",
        "COMMIT",
        "COMMIT",
        "ROLLBACK",
        "SAVEPOINT one",
        "ROLLBACK TO one",
        "RELEASE one",
        "CREATE TABLE extra (id INTEGER PRIMARY KEY)",
        "INSERT INTO extra VALUES (NULL)",
        "DROP TABLE extra",
        "DROP TABLE numbered",
        "ALTER TABLE plain ADD COLUMN c DEFAULT 3",
        "CREATE INDEX plain_a ON plain (a)",
        "DROP INDEX item_partial",
        "INSERT INTO words VALUES ('dog')",
        "PRAGMA user_version = 5",
        "PRAGMA application_id = 5",
        "PRAGMA foreign_keys = OFF",
        "VACUUM",
        "ANALYZE",
        "UPDATE sqlite_sequence SET seq = seq + 3",
    ]
)
statements = st.one_of(inserts, updates, deletes, others)
deeds = st.one_of(
    st.tuples(st.sampled_from("ab"), statements),
    st.tuples(st.sampled_from(["clean", "clean", "keep", "forget", "swap"]), st.just("")),
)


def run(connection, statement):
    try:
        connection.execute(statement).fetchall()
    except sqlite3.Error:
        # a lock, a constraint, no such savepoint: what a test may meet too
        return


@pytest.mark.parametrize("place", ["memory", "file"])
@given(deeds=st.lists(deeds, max_size=30))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_random_writes(make_world, place, deeds):
    world = make_world(place)
    connections = {name: world.connect() for name in "ab"}
    pictures = [world.clean_picture]
    try:
        for deed, statement in deeds:
            if deed in connections:
                run(connections[deed], statement)
                continue
            if deed == "forget" and len(pictures) > 1:
                pictures.pop()
                world.cleaner.forget(f"fixture {len(pictures)}")
            if deed == "keep":
                for connection in connections.values():
                    connection.rollback()
                if world.cleaner.keep(f"fixture {len(pictures)}"):
                    pictures.append(world.picture())
                continue
            (world.cleaner.swap("asked for") if deed == "swap" else world.cleaner.clean())
            assert world.picture() == pictures[-1]
            assert world.cleaner.clean().did == "nothing"
        while pictures:
            world.cleaner.clean()
            assert world.picture() == pictures.pop()
            world.cleaner.forget(f"fixture {len(pictures)}")
    finally:
        world.close()
