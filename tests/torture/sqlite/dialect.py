"""How SQLite is asked for what tests on every database ask for."""

from __future__ import annotations

from typing import Any

LOCK = "BEGIN EXCLUSIVE"
LOG = "log"
EMPTY_WIDE = ("DELETE FROM wide_numbered", "DELETE FROM wide", "DELETE FROM sqlite_sequence")
NUMBERING = ("rows sqlite_sequence", "('wide_numbered', 1)", None)
"""What the state tells of the numbers of `wide_numbered` after one row, and what it tells before."""

SESSION = """
SELECT (SELECT foreign_keys FROM pragma_foreign_keys),
    (SELECT recursive_triggers FROM pragma_recursive_triggers),
    (SELECT count(*) FROM sqlite_temp_master),
    (SELECT count(*) FROM pragma_database_list WHERE name <> 'temp')
"""


def fresh_session(connection: Any) -> tuple[Any, ...]:
    """Return what `SESSION` tells the application where nothing has been changed."""
    return (1, 0, 0, 1)


def data_directory(connection: Any) -> None:
    """There is no server."""


def run_script(connection: Any, script: str) -> None:
    """Run all statements of a script."""
    connection.executescript(script)


def rows_of(table: str) -> str:
    """Return what the state calls the rows of a table."""
    return f"rows {table}"


def line_of(*values: object) -> str:
    """Return the line of a row in the state."""
    return repr(values)
