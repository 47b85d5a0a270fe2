"""Servers with TPC-H on them: filled, measured, and asked for plans as the lab asks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import plans_tpch_data as data
import plans_tpch_schema as schema
import psycopg

from pytest_dbguard.databases.base import Server, StartOptions
from pytest_dbguard.databases.connection_string import connection_string
from pytest_dbguard.databases.programs import examine
from pytest_dbguard.databases.registry import load_provider
from pytest_dbguard.databases.server_launch import launch_server
from pytest_dbguard.databases.server_user import server_user
from pytest_dbguard.planning.lab.planner_session import PlannerSession
from pytest_dbguard.planning.plan import Plan
from pytest_dbguard.planning.statistics.completion import completed
from pytest_dbguard.planning.statistics.export_postgres import export_postgres
from pytest_dbguard.planning.statistics.model import Statistics
from pytest_dbguard.schema.catalog import Catalog
from pytest_dbguard.schema.postgres_reflection import reflect_postgres

DEBIAN = "/usr/lib/postgresql/{major}/bin"


@dataclass(slots=True)
class Populated:
    """A database with rows, and what is known of it.

    Attributes:
        server: Where it is.
        connection: To it.
        catalog: Its schema.
        full: Its statistics with values.
        scrubbed: Its statistics without.
    """

    server: Server
    connection: psycopg.Connection
    catalog: Catalog
    full: Statistics
    scrubbed: Statistics
    session: PlannerSession = field(init=False)

    def __post_init__(self) -> None:
        self.session = PlannerSession(self.connection, self.catalog, self.full.settings, is_read_only=False)

    def explain(self, sql: str) -> Plan:
        """Return the plan of a statement, asked for as in a lab."""
        found = self.session.explain(sql)
        assert found.plan is not None, found.problem
        return found.plan


@contextmanager
def populated(major: int, scale: float) -> Iterator[Populated]:
    """Start a server of a major version (the wheel's 18, Debian's else), fill TPC-H there, and end it in the end."""
    with filled(major, (*schema.TABLES, *data.statements(scale), *schema.FOREIGN_KEYS)) as source:
        yield source


@contextmanager
def filled(major: int, statements: Iterable[str]) -> Iterator[Populated]:
    """Start a server likewise, run statements in a database of it, and vacuum that."""
    server = _launched(major)
    try:
        with psycopg.connect(connection_string(server.url), autocommit=True) as connection:
            connection.execute("CREATE DATABASE filled")
        url = connection_string(server.url.set(database="filled"))
        with psycopg.connect(url, autocommit=True) as connection:
            for statement in (*statements, "VACUUM (FREEZE, ANALYZE)"):
                connection.execute(statement)
            fetch = fetcher(connection)
            catalog = reflect_postgres(fetch)
            full, scrubbed = (completed(export_postgres(fetch, values=values), catalog) for values in (True, False))
            yield Populated(server, connection, catalog, full, scrubbed)
    finally:
        server.close()


def _launched(major: int) -> Server:
    programs = Path(DEBIAN.format(major=major))
    if not programs.exists():
        return load_provider("postgres-embedded").launch(StartOptions()).ready()
    user = server_user()
    return launch_server("postgres-local", examine(programs, user), user, StartOptions()).ready()


def fetcher(connection: psycopg.Connection) -> Callable[[str], Sequence[Sequence[Any]]]:
    """Return what runs one SQL text and gives its rows."""

    def fetch(sql: str) -> Sequence[Sequence[Any]]:
        cursor = connection.execute(sql)
        return cursor.fetchall() if cursor.description else ()

    return fetch


def shape(plan: Plan) -> tuple[str, ...]:
    """Return all that a plan does, without figures."""
    return tuple(_lines(plan.root, 0))


def _lines(node: Any, depth: int) -> Iterator[str]:
    yield f"{' ' * depth}{node.text} {node.schema}.{node.table} {node.index}"
    for child in node.children:
        yield from _lines(child, depth + 1)
