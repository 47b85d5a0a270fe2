"""How PostgreSQL is asked for what tests on every database ask for."""

from __future__ import annotations

from typing import Any

LOCK = "LOCK TABLE customer, node IN ACCESS EXCLUSIVE MODE"
LOG = "audit.log"
EMPTY_WIDE = ("TRUNCATE wide_numbered, wide RESTART IDENTITY",)
NUMBERING = ("sequence public.wide_numbered_id_seq", "1 t", "1 f")
"""What the state tells of the numbers of `wide_numbered` after one row, and what it tells before."""

SESSION = """
SELECT current_setting('search_path'), current_user = session_user, current_setting('TimeZone'),
    current_setting('statement_timeout'), current_setting('session_replication_role'),
    (SELECT count(*) FROM pg_listening_channels()), (SELECT count(*) FROM pg_prepared_statements WHERE from_sql),
    (SELECT count(*) FROM pg_cursors WHERE is_holdable), to_regclass('pg_temp.torture') IS NULL,
    (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid())
"""


def fresh_session(connection: Any) -> tuple[Any, ...]:
    """Return what `SESSION` tells the application where nothing has been changed."""
    return connection.execute(SESSION).fetchone()


def data_directory(connection: Any) -> str:
    """Return where the server keeps its data."""
    return connection.execute("SHOW data_directory").fetchone()[0]


def run_script(connection: Any, script: str) -> None:
    """Run all statements of a script."""
    connection.execute(script)


def rows_of(table: str) -> str:
    """Return what the state calls the rows of a table."""
    return f"rows public.{table}"


def line_of(*values: object) -> str:
    """Return the line of a row in the state."""
    return f"({','.join(map(str, values))})"
