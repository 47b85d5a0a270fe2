"""Whatever a test writes, and however, is gone afterwards, and what it took away is back."""

from __future__ import annotations

from contextlib import suppress

import pytest
from psycopg import IntegrityError

from pytest_dbguard.resets.base import Did

ODD = '"odd ""name"" %s"."Tä%ble"'
WRITES = {
    "insert": [
        "INSERT INTO shop.purchase (customer, note) VALUES (1, 'a')",
        "INSERT INTO shop.line VALUES (1, 'b', 2)",
    ],
    "update of a seed": ["UPDATE country SET name = 'x' WHERE code = 'de'"],
    "update that changes nothing": ["UPDATE city SET name = name"],
    "delete of seeds": ["DELETE FROM city", "DELETE FROM country"],
    "cascade": [
        "INSERT INTO shop.purchase (customer) VALUES (1), (2)",
        "INSERT INTO shop.line VALUES (1, 'x', 1)",
        "DELETE FROM shop.customer WHERE id = 1",
    ],
    "replaced row": ["DELETE FROM country WHERE code = 'it'", "INSERT INTO country VALUES ('it', 'Italy', NULL)"],
    "merge": [
        # PostgreSQL 13 and 14 have no MERGE
        "DO $$ BEGIN IF current_setting('server_version_num')::int < 150000 THEN"
        " UPDATE country SET name = 'm' WHERE code = 'it'; ELSE"
        " EXECUTE $m$MERGE INTO country c USING (VALUES ('it'), ('es')) v (code) ON c.code = v.code"
        " WHEN MATCHED THEN UPDATE SET name = 'm' WHEN NOT MATCHED THEN INSERT VALUES (v.code, 'n')$m$;"
        " END IF; END $$"
    ],
    "upsert": ["INSERT INTO country VALUES ('de', 'D') ON CONFLICT (code) DO UPDATE SET name = 'up'"],
    "with": ["WITH gone AS (DELETE FROM city RETURNING name) INSERT INTO scratch (value) SELECT name FROM gone"],
    "function": ["SELECT add_country('es')"],
    "procedure that commits": ["CALL add_countries(3)"],
    "do": ["DO $$ BEGIN INSERT INTO country VALUES ('es', 'x'); END $$"],
    "identity": ["INSERT INTO shop.customer (name) VALUES ('Eve')"],
    "identity overridden": ["INSERT INTO shop.customer (id, name) OVERRIDING SYSTEM VALUE VALUES (77, 'Eve')"],
    "seed with generated column": ["UPDATE shop.customer SET name = 'Zoe'"],
    "odd names": [f"INSERT INTO {ODD} VALUES ('x', NULL)", f"DELETE FROM {ODD} WHERE j IS NOT NULL"],
    "check by a function that counts on the search path": ["UPDATE even SET n = 4"],
    "circular keys": [
        "WITH h AS (INSERT INTO hen (egg) VALUES (1) RETURNING id) INSERT INTO egg (hen) SELECT id FROM h"
    ],
    "partitions": ["INSERT INTO event VALUES (2, 'a'), (12, 'b')", "UPDATE event SET at = 15 WHERE what = 'seed'"],
    "inheritance": ["INSERT INTO dog VALUES ('fido', false)", "UPDATE animal SET name = 'x'"],
    "inheritance, child only": ["DELETE FROM dog"],
    "inheritance, parent only": ["INSERT INTO animal VALUES ('bird')"],
    "unlogged": ["INSERT INTO scratch (value) VALUES ('a')"],
    "no columns": ["INSERT INTO nothing DEFAULT VALUES"],
    "no key": ["DELETE FROM no_key WHERE ctid = (SELECT min(ctid) FROM no_key)"],
    "nextval": ["SELECT nextval('ticket'), nextval('downward'), nextval('moved')"],
    "nextval on what was set without a call": ["SELECT nextval('set_aside')"],
    "setval": ["SELECT setval('ticket', 500)"],
    "setval without a call": ["SELECT setval('ticket', 500, false)", "SELECT setval('downward', -3, false)"],
    "setval without a call on what was used": ["SELECT setval('moved', 8, false)"],
    "audit trigger": ["INSERT INTO audited (value) VALUES ('a')", "UPDATE audited SET value = 'b'"],
    "trigger that refuses": ["INSERT INTO permanent VALUES ('a')"],
    "trigger that always acts": ["INSERT INTO always (value) VALUES ('a')"],
    "rule that refuses": ["INSERT INTO ruled VALUES ('a')"],
    "late constraint trigger": ["INSERT INTO checked (value) VALUES (1)"],
    "truncate": ["TRUNCATE city, country RESTART IDENTITY CASCADE"],
    "row level security": [
        "SET app.owner = 'me'",
        "INSERT INTO secret VALUES ('me', 'mine')",
    ],
    "many rows": ["INSERT INTO scratch (value) SELECT repeat('x', 200) FROM generate_series(1, 5000)"],
    "vacuum full": ["UPDATE country SET name = 'x'", "VACUUM (FULL) country"],
    "advisory lock": ["SELECT pg_advisory_lock(1)", "INSERT INTO country VALUES ('es', 'x')"],
    "large object": ["SELECT lo_from_bytea(0, 'abc')"],
}
CHANGES_NO_TABLE = {
    "nextval", "nextval on what was set without a call", "setval", "setval without a call",
    "setval without a call on what was used", "large object",
}  # fmt: skip


@pytest.mark.parametrize("name", WRITES)
def test_what_was_written_is_gone(guarded, name):
    guarded.run(*WRITES[name])
    assert guarded.cleaner.is_dirty()
    outcome = guarded.cleaner.clean()
    assert outcome.did in {Did.EMPTIED, Did.SWAPPED}
    assert bool(outcome.dirty) == (name not in CHANGES_NO_TABLE) or outcome.did is Did.SWAPPED
    assert not guarded.cleaner.is_dirty()
    assert guarded.is_as_before()
    assert guarded.cleaner.clean().did is Did.NOTHING


SWAPS = {"trigger that always acts", "large object"}


@pytest.mark.parametrize("name", sorted(WRITES.keys() - SWAPS))
def test_a_superuser_needs_no_fresh_copy(guard, name):
    guarded = guard()
    guarded.run(*WRITES[name])
    assert guarded.cleaner.clean().did is Did.EMPTIED


def test_all_at_once_and_twice(guarded):
    for _ in range(2):
        for statements in WRITES.values():
            with suppress(IntegrityError):  # some write the same row
                guarded.run(*statements)
        guarded.cleaner.clean()
        assert guarded.is_as_before()


def test_what_leaves_no_trace_costs_nothing(guarded):
    guarded.run("SELECT * FROM country", "CREATE TEMP TABLE t (id serial PRIMARY KEY, x text DEFAULT 'a')")
    with guarded.connect() as connection:
        connection.execute("CREATE TEMP TABLE t (id serial PRIMARY KEY, x text DEFAULT 'a' CHECK (x <> ''))")
        connection.execute("CREATE INDEX ON t (x)")
        connection.execute("INSERT INTO t (x) VALUES ('b')")
        connection.execute("CREATE TEMP VIEW v AS SELECT * FROM t")
        connection.execute("DROP TABLE t CASCADE")
        connection.execute("BEGIN; CREATE TEMP TABLE u (a int) ON COMMIT DROP; COMMIT")
    guarded.run("INSERT INTO scratch (value) VALUES ('a')", "TRUNCATE scratch RESTART IDENTITY")
    with guarded.connect(autocommit=False) as connection:
        connection.execute("INSERT INTO scratch (value) SELECT NULL WHERE false")
        connection.rollback()
    assert guarded.cleaner.clean().did is Did.NOTHING
    assert guarded.is_as_before()


def test_ids_begin_at_the_start_in_every_test(guard):
    guarded = guard()
    insert = "INSERT INTO shop.purchase (customer) VALUES (1) RETURNING id"
    for _ in range(3):
        assert guarded.run(insert) == [(1,)]
        assert guarded.run("INSERT INTO city (name) VALUES ('x') RETURNING id") == [(3,)]
        assert guarded.cleaner.clean().dirty == ("city", "shop.purchase")


def test_truncate_empties_everything(guarded):
    guarded.run(*WRITES["insert"], *WRITES["partitions"], *WRITES["nextval"], *WRITES["audit trigger"])
    guarded.cleaner.truncate()
    assert guarded.is_as_before()
    assert guarded.cleaner.clean().did is Did.NOTHING


def test_vacuum_keeps_tables_small(guard):
    guarded = guard()
    for _ in range(60):
        guarded.run("INSERT INTO scratch (value) SELECT repeat('x', 200) FROM generate_series(1, 200)")
        guarded.cleaner.clean()
    ((size,),) = guarded.run("SELECT pg_relation_size('scratch')")
    assert size < 1_000_000


MANY = "CREATE TABLE many (n integer); INSERT INTO many SELECT generate_series(1, 30000)"


def test_many_rows_come_back_with_a_fresh_copy(guard):
    guarded = guard(script=MANY)
    guarded.run("DELETE FROM many WHERE n = 1")
    outcome = guarded.cleaner.clean()
    assert (outcome.did, outcome.dirty, outcome.reason) == (Did.SWAPPED, ("many",), "30000 rows had to be put back")
    assert guarded.is_as_before()


def test_many_rows_of_a_fixture_are_put_back(guard):
    guarded = guard(script="CREATE TABLE many (n integer)")
    guarded.run("INSERT INTO many SELECT generate_series(1, 30000)")
    guarded.cleaner.keep("module")
    guarded.run("DELETE FROM many WHERE n = 1")
    assert guarded.cleaner.clean().did is Did.EMPTIED
    assert guarded.run("SELECT count(*) FROM many") == [(30000,)]
    guarded.cleaner.forget("module")
    guarded.cleaner.clean()
    assert guarded.is_as_before()
