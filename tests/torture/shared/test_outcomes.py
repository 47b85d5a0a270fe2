"""Tests that fail on purpose, after they have written and left things open."""

from __future__ import annotations

import os
import signal

import engines
import pytest
from mischief import WRITE, keep, write
from sqlalchemy import text


def make_a_mess():
    write("DELETE FROM customer")
    keep(engines.primary.connect()).execute(WRITE)


@pytest.fixture
def broken_setup(starts_clean):
    make_a_mess()
    raise RuntimeError("on purpose")


@pytest.fixture
def broken_teardown(starts_clean):
    yield
    make_a_mess()
    raise RuntimeError("on purpose")


def test_fails():
    make_a_mess()
    pytest.fail("on purpose")


def test_fails_in_the_database():
    with engines.primary.begin() as connection:
        connection.execute(WRITE)
        connection.execute(text("INSERT INTO account (customer_id) VALUES (4711)"))


def test_fails_in_setup(broken_setup):
    raise AssertionError("never called")


def test_fails_in_teardown(broken_teardown):
    write("DELETE FROM shop")


def test_fails_by_exit():
    make_a_mess()
    raise SystemExit("on purpose")


def test_skips():
    make_a_mess()
    pytest.skip("on purpose")


@pytest.mark.crashes
def test_crashes():
    make_a_mess()
    os.kill(os.getpid(), signal.SIGKILL)
