"""A transaction of a wider fixture, which stays open for several tests."""

from __future__ import annotations

import engines
import pytest
from mischief import COUNT, keep, write
from sqlalchemy import text


@pytest.fixture(scope="class")
def open_transaction(application, expectation):
    with engines.primary.connect() as connection:
        assert connection.scalar(COUNT) == 1
        with expectation.with_line("transactions of others", " idle in transaction"):
            yield connection


class TestOpenTransaction:
    def test_writes(self, open_transaction):
        write("DELETE FROM wide", "INSERT INTO wide VALUES ('test')")
        write("UPDATE customer SET name = 'x'")
        write("INSERT INTO wide_numbered (owner) VALUES ('test')")
        assert open_transaction.scalar(COUNT) == 1

    def test_leaks_pooled_connection(self, open_transaction):
        keep(engines.primary.connect()).execute(text("INSERT INTO wide VALUES ('left')"))
