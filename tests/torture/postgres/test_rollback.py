"""Tests that are rolled back, with what only PostgreSQL has."""

from __future__ import annotations

import pytest
from mischief import add_shop, write

pytestmark = pytest.mark.dbguard(reset="rollback")


def test_unseen_from_outside(admin):
    add_shop()
    assert admin.execute("SELECT count(*) FROM shop").fetchone() == (1,)


def test_serial():
    write("DROP TABLE gap", "CREATE TABLE later (id serial)")


def test_truncate():
    write("TRUNCATE customer, node RESTART IDENTITY CASCADE")


def test_commits_outside(admin):
    admin.execute("INSERT INTO node DEFAULT VALUES")
    admin.execute("SELECT nextval('ticket')")


def test_ends_everybody_else(end_everybody_else):
    add_shop()
    end_everybody_else()
