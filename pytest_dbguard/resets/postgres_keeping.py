"""Copies what belongs into a PostgreSQL database into the schema dbguard, and carries it into another database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from pytest_dbguard.databases.connection_string import connection_string
from pytest_dbguard.resets.postgres_facts import Facts
from pytest_dbguard.resets.postgres_prepare import copy_name
from pytest_dbguard.resets.postgres_probe import read_signature
from pytest_dbguard.resets.postgres_session import PostgresSession
from pytest_dbguard.resets.postgres_state import Copy

if TYPE_CHECKING:
    from sqlalchemy import URL

_BASE_COPIES = "SELECT relname FROM pg_class WHERE relnamespace = 'dbguard'::regnamespace AND relname ~ '^0_[0-9]+$'"


def base_copies(session: PostgresSession, facts: Facts) -> dict[int, Copy]:
    """Return the copies that came with the template."""
    oids = (int((name or "").partition("_")[2]) for (name,) in session.run(_BASE_COPIES))
    return {oid: _copy(session, copy_name(0, oid), facts.tables[oid].name) for oid in oids if oid in facts.tables}


def make_copies(session: PostgresSession, facts: Facts, tables: Iterable[int], layer: int) -> dict[int, Copy]:
    """Copy the rows of tables."""
    copies = {}
    for oid in tables:
        name, table = copy_name(layer, oid), facts.tables[oid].name
        session.run(f"CREATE TABLE {name} AS SELECT * FROM ONLY {table}")
        copies[oid] = _copy(session, name, table)
    return copies


def drop_copies(session: PostgresSession, copies: Iterable[Copy]) -> None:
    """Delete copies."""
    names = [copy.name for copy in copies]
    if names:
        session.run(f"DROP TABLE IF EXISTS {', '.join(names)}")


def read_out(url: URL, copies: Iterable[Copy]) -> dict[str, bytes]:
    """Return the rows of copies, by their names, in the form that COPY has."""
    return {copy.name: _copied_out(url, copy.name) for copy in copies}


def write_in(url: URL, facts: Facts, copies: Iterable[tuple[int, Copy]], rows: Mapping[str, bytes]) -> None:
    """Make copies in another database from what `read_out` has read."""
    import psycopg

    with psycopg.connect(connection_string(url), autocommit=True, application_name="dbguard") as connection:
        for oid, copy in copies:
            table = facts.tables[oid].name
            connection.execute(f"CREATE TABLE {copy.name} AS SELECT * FROM ONLY {table} WITH NO DATA".encode())
            with (
                connection.cursor() as cursor,
                cursor.copy(f"COPY {copy.name} FROM STDIN (FORMAT binary)".encode()) as out,
            ):
                out.write(rows[copy.name])


def _copied_out(url: URL, name: str) -> bytes:
    import psycopg

    query = f"COPY {name} TO STDOUT (FORMAT binary)".encode()
    with (
        psycopg.connect(connection_string(url), autocommit=True, application_name="dbguard") as connection,
        connection.cursor() as cursor,
        cursor.copy(query) as copy,
    ):
        return b"".join(bytes(block) for block in copy)


def _copy(session: PostgresSession, name: str, table: str) -> Copy:
    rows, signature = read_signature(session, table)
    return Copy(name, rows, signature, signature)
