"""No sequence of writes, transactions, keeping and forgetting leaves anything behind."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import Error

from pytest_dbguard.resets.base import Did

STATEMENTS = (
    "INSERT INTO country VALUES ('x', 'new')",
    "UPDATE country SET name = name || '!' WHERE code = 'it'",
    "DELETE FROM country WHERE code = 'it'",
    "DELETE FROM city",
    "INSERT INTO city (country, name) VALUES ('fr', 'Lyon')",
    "TRUNCATE city RESTART IDENTITY",
    "INSERT INTO shop.customer (name) VALUES ('Eve')",
    "DELETE FROM shop.customer WHERE id = (SELECT max(id) FROM shop.customer)",
    "INSERT INTO shop.purchase (customer) SELECT id FROM shop.customer",
    "INSERT INTO event VALUES (3, 'a'), (13, 'b')",
    "UPDATE event SET at = 20 - at WHERE at > 0",
    "INSERT INTO audited (value) VALUES ('a')",
    "DELETE FROM audited",
    "INSERT INTO ruled VALUES ('a')",
    "INSERT INTO animal VALUES ('x')",
    "UPDATE no_key SET a = a + 1",
    "SELECT nextval('ticket')",
    "SELECT setval('moved', 99, false)",
    "INSERT INTO checked (value) VALUES (1)",
    "CREATE TEMP TABLE t AS SELECT 1",
)
KEYS = (
    {"child": "city", "column": "country", "parent": "country", "key": "code"},
    {"child": "city", "column": "twin", "parent": "city", "key": "id"},
    {"child": "shop.purchase", "column": "customer", "parent": "shop.customer", "key": "id"},
)
transactions = st.tuples(st.lists(st.sampled_from(STATEMENTS), min_size=1, max_size=4), st.booleans())
tests = st.lists(transactions, min_size=1, max_size=4)


def write(guarded, work):
    """Do the transactions of one test; those that fail are rolled back."""
    for statements, commits in work:
        with guarded.connect(autocommit=False) as connection:
            with suppress(Error):
                for statement in statements:
                    connection.execute(statement)
            if not commits:
                connection.rollback()


ORPHANS = """
SELECT 1 FROM {child} c WHERE {column} IS NOT NULL AND NOT EXISTS (SELECT FROM {parent} p WHERE p.{key} = c.{column})
"""


def orphans(guarded):
    """Return the foreign keys that rows break."""
    return [found for found in KEYS if guarded.run(ORPHANS.format(**found))]


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(tests, min_size=1, max_size=3))
def test_random_tests_leave_nothing(guarded, tests):
    for work in tests:
        write(guarded, work)
        guarded.cleaner.clean()
        assert guarded.cleaner.clean().did is Did.NOTHING
    assert guarded.is_as_before()


@pytest.mark.parametrize("role", ["superuser", "plain"])
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(scopes=st.lists(st.tuples(tests, tests), min_size=1, max_size=3), random=st.randoms(use_true_random=False))
def test_random_fixtures_and_tests(guarded, picture, scopes, random):
    owners, pictures = [], [guarded.clean_picture]
    try:
        run_scopes(guarded, picture, scopes, random, owners, pictures)
        random.shuffle(owners)
        while owners:
            guarded.cleaner.forget(owners.pop())
            guarded.cleaner.clean()
            assert orphans(guarded) == []
        assert guarded.is_as_before()
    finally:
        for owner in owners:  # what this example has shown must not show again in the next one
            guarded.cleaner.forget(owner)
        guarded.cleaner.clean()


def run_scopes(guarded, picture, scopes, random, owners, pictures):
    for number, (fixture, work) in enumerate(scopes):
        write(guarded, fixture)
        if guarded.cleaner.keep(f"fixture {number}"):
            owners.append(f"fixture {number}")
        pictures.append(picture(guarded.url))
        write(guarded, work)
        if random.random() < 0.3:
            guarded.cleaner.swap("now and then")
        else:
            guarded.cleaner.clean()
        assert picture(guarded.url) == pictures[-1]
