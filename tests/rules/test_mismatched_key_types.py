"""DBG802: what is said of a foreign key of another type is so."""

from __future__ import annotations

import sqlite3


def test_sqlite_joins_by_another_collation_than_it_checks_keys():
    connection = sqlite3.connect(":memory:")
    connection.executescript(
        "PRAGMA foreign_keys = ON;"
        "CREATE TABLE a (code text COLLATE NOCASE PRIMARY KEY);"
        "CREATE TABLE b (id integer PRIMARY KEY, a_code text REFERENCES a (code));"
        "INSERT INTO a VALUES ('abc'); INSERT INTO b VALUES (1, 'ABC');"
    )
    assert connection.execute("SELECT count(*) FROM b JOIN a ON b.a_code = a.code").fetchone() == (0,)
    connection.close()
