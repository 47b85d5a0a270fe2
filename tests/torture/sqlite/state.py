"""Reads everything that a clean database is made of: schema, rows, pragmas, and whether anybody holds a lock."""

from __future__ import annotations

import sqlite3

from expectation import State


def read_state(connection: sqlite3.Connection) -> State:
    """Return all of it; the same for equal databases."""
    schema = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchall()
    state = {"schema": sorted(map(repr, schema))}
    tables = [name for kind, name, _, _ in schema if kind == "table"]
    for name in tables:
        quoted = name.replace('"', '""')
        # what full text search keeps for itself need not be the same in every byte
        if not name.startswith("document_"):
            state[f"rows {name}"] = sorted(map(repr, connection.execute(f'SELECT * FROM "{quoted}"')))
    found = connection.execute("SELECT rowid FROM document WHERE document MATCH 'found'").fetchall()
    state["found"] = list(map(repr, found))
    for pragma in ("user_version", "encoding", "auto_vacuum", "integrity_check"):
        state[pragma] = list(map(repr, connection.execute(f"PRAGMA {pragma}")))
    state["locks"] = _locks(connection)
    return state


def _locks(connection: sqlite3.Connection) -> list[str]:
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        connection.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        return [str(error)]
    connection.execute("ROLLBACK")
    return []
