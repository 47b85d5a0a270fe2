"""Makes the tables, indexes and views of a schema in the database of a lab, and what of it cannot be made there."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pytest_dbguard.planning.lab.planner_session import told
from pytest_dbguard.schema.catalog import Catalog
from pytest_dbguard.schema.script import read_target
from pytest_dbguard.schema.transcript import replay, transcript

if TYPE_CHECKING:
    from psycopg import Connection

# Whatever the server is told: tables lie in the database's own directory, and heap is what the planner is told of.
_SETTINGS = (
    "SET default_tablespace = ''; SET default_table_access_method = heap; SET check_function_bodies = off; "
    "SET wal_skip_threshold = 0"
)


def copy_schema(connection: Connection, catalog: Catalog) -> tuple[str, ...]:
    """Make everything, empty, and return a line for each thing that could not be made."""
    connection.execute(_SETTINGS)
    target = read_target(rows_of(connection))
    script = transcript(catalog, major=target.major, target=target)
    failed = replay(script, connection.execute, lambda statement: _attempt(connection, statement))
    return (*script.problems, *failed)


def rows_of(connection: Connection) -> Callable[[str], list[Any]]:
    """Return what runs a text and returns its rows."""

    def execute(text: str) -> list[Any]:
        cursor = connection.execute(text)
        return cursor.fetchall() if cursor.description else []

    return execute


def _attempt(connection: Connection, statement: str) -> str:
    import psycopg

    try:
        connection.execute(statement)
    except psycopg.Error as error:
        return told(error)
    return ""
