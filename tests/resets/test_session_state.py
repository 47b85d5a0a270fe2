"""Statements that change a connection beyond their transaction are told from all others by their text."""

from __future__ import annotations

import pytest

from pytest_dbguard.resets.session_state import StateChanges, changes_state


@pytest.mark.parametrize(
    "statement",
    [
        "SET search_path = app",
        "set session statement_timeout = 5",
        "/* who */ SET ROLE reader",
        "SELECT 1; SET TIME ZONE 'UTC'",
        "RESET ALL",
        "LISTEN jobs",
        "PREPARE p AS SELECT 1",
        "CREATE TEMP TABLE x (id int)",
        "CREATE OR REPLACE TEMPORARY VIEW v AS SELECT 1",
        "SELECT * INTO TEMP x FROM item",
        "SELECT set_config('a.b', '1', false)",
        "SELECT set_config(%(name)s, %(value)s, %(local)s)",
        "SELECT pg_try_advisory_lock(1)",
        "DECLARE c CURSOR WITH HOLD FOR SELECT 1",
        "PRAGMA foreign_keys = OFF",
        "PRAGMA foreign_keys(0)",
        "ATTACH 'x.db' AS x",
    ],
)
def test_a_change(statement):
    assert changes_state(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 1",
        "UPDATE item SET name = 'SET'",
        "SET LOCAL search_path = app",
        "SET TRANSACTION READ ONLY",
        "SET CONSTRAINTS ALL IMMEDIATE",
        "PREPARE TRANSACTION 'x'",
        "SELECT set_config('a.b', '1', true)",
        "SELECT pg_advisory_xact_lock(1)",
        "PRAGMA table_info(item)",
        'PRAGMA main.table_xinfo("item")',
        "PRAGMA user_version",
        "CREATE TABLE temp_items (id int)",
    ],
)
def test_no_change(statement):
    assert not changes_state(statement)


def test_answers_are_remembered_and_forgotten():
    changes = StateChanges()
    assert [changes.is_one("RESET ALL") for _ in range(2)] == [True, True]
    assert not any(changes.is_one(f"SELECT {number}") for number in range(10_001))
    assert len(changes._known) < 10_000
