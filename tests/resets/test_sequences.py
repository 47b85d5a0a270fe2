"""Ids are the same in every test."""

from __future__ import annotations

import pytest
from sqlalchemy import text

INSERT = text('INSERT INTO item ("na%me") VALUES (:name) RETURNING id')


@pytest.fixture
def run(inside, outer):
    """Run one test's work inside the outer transaction, rolled back."""

    def run(work):
        with inside.connect() as connection:
            outer.open(connection)
            result = work(connection)
        with inside.connect() as connection:
            outer.close(connection)
        return result

    return run


def insert(connection, name):
    identifier = connection.scalar(INSERT, {"name": name})
    connection.commit()
    return identifier


def two(connection):
    return [insert(connection, "a"), insert(connection, "b")]


def test_ids_start_where_the_seed_ended(run):
    assert [run(two) for _ in range(3)] == [[2, 3]] * 3


def test_ids_of_an_empty_table_start_at_one(run, engine):
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM item"))
        if engine.dialect.name == "postgresql":
            connection.execute(text("ALTER SEQUENCE item_id_seq RESTART"))
    assert [run(two) for _ in range(2)] == [[1, 2]] * 2


def test_ids_of_rows_that_stay_are_not_given_again(run, engine):
    def commits_elsewhere(connection):
        with engine.begin() as other:
            stays = other.scalar(INSERT, {"name": "stays"})
        return stays

    stays = run(commits_elsewhere)
    assert stays not in run(two)


def test_sequences_of_no_column_and_downward_ones_are_left_alone(run, engine):
    if engine.dialect.name != "postgresql":
        return
    with engine.begin() as connection:
        connection.execute(text("DROP SEQUENCE IF EXISTS ticket"))
        connection.execute(text("CREATE SEQUENCE ticket"))
    take = text("SELECT nextval('ticket')")
    assert [run(lambda connection: connection.scalar(take)) for _ in range(2)] == [1, 2]
