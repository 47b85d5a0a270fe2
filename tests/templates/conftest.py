"""A server whose databases tests make and delete, runs on it, and other processes that do so at the same time."""

from __future__ import annotations

import secrets
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from pytest_dbguard.databases.base import StartOptions
from pytest_dbguard.databases.connection_string import connection_string
from pytest_dbguard.databases.joined_server import JoinedServer
from pytest_dbguard.databases.registry import load_provider
from pytest_dbguard.templates.marks import read_mark
from pytest_dbguard.templates.postgres_templates import PostgresTemplates
from pytest_dbguard.templates.runs import Run, RunLock

ALONE = """
    SELECT count(*), pg_sleep(0.005) FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
"""


@dataclass
class OnServer:
    """What tests look at on a server, by connections of their own."""

    server: object

    def connect(self, database=None):
        url = self.server.url if database is None else self.server.url.set(database=database)
        return psycopg.connect(connection_string(url), autocommit=True)

    def rows(self, query, database=None):
        with self.connect(database) as connection:
            return connection.execute(query).fetchall()

    def run(self, statement, *names):
        with self.connect() as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    def marks(self):
        """Return the marks of our databases by name."""
        query = "SELECT datname, shobj_description(oid, 'pg_database') FROM pg_database"
        return {name: read_mark(comment) for name, comment in self.rows(query) if name.startswith("dbguard")}

    def wait_until_alone(self):
        """Wait until the server has noticed that a killed process is gone."""
        with self.connect() as connection:
            for _ in range(2000):
                if connection.execute(ALONE).fetchone()[0] == 0:
                    return
        raise AssertionError("somebody is still connected")


@dataclass
class Runs:
    """Runs of a project, which end with the test."""

    server: object
    project: Path
    stack: ExitStack = field(default_factory=ExitStack)

    def start(self, **options):
        """Return the templates of a new run, and the run."""
        run = Run(secrets.token_hex(4))
        lock = RunLock(self.server, run.id)
        self.stack.callback(lock.close)
        return self.join(run, **options), run

    def join(self, run, server=None, **options):
        templates = PostgresTemplates(server or self.server, run, **{"project": self.project, **options})
        self.stack.callback(templates.close)
        return templates


@pytest.fixture(scope="module")
def server():
    """An embedded server that starts from nothing and leaves nothing."""
    server = load_provider("postgres-embedded").launch(StartOptions(cache_mb=0)).ready()
    yield server
    server.close()


@pytest.fixture
def on_server(server):
    """Look at a server that has none of our databases."""
    yield OnServer(server)
    with psycopg.connect(connection_string(server.url), autocommit=True) as connection:
        names = connection.execute("SELECT datname FROM pg_database WHERE datname ~ '^(dbguard|other)'").fetchall()
        for (name,) in names:
            quoted = sql.Identifier(name)
            connection.execute(sql.SQL("ALTER DATABASE {} IS_TEMPLATE false").format(quoted))
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(quoted))


@pytest.fixture
def runs(server, on_server, tmp_path):
    runs = Runs(server, tmp_path)
    with runs.stack:
        yield runs


@pytest.fixture
def role(server, on_server):
    """The server as a role sees it that may make databases and nothing else."""
    on_server.run("CREATE ROLE builder LOGIN CREATEDB")
    yield JoinedServer("postgres-url", server.url.set(username="builder"), is_ours=False)
    on_server.run("DROP OWNED BY builder")
    for (name,) in on_server.rows("SELECT datname FROM pg_database WHERE datdba = 'builder'::regrole"):
        on_server.run("ALTER DATABASE {} IS_TEMPLATE false", name)
        on_server.run("DROP DATABASE {} WITH (FORCE)", name)
    on_server.run("DROP ROLE builder")


@pytest.fixture
def process(server, on_server, tmp_path):
    """Start Python programs that get the server's URL and a directory as arguments."""
    started = []

    def process(program, **environ):
        (tmp_path / f"program_{len(started)}.py").write_text(program)
        command = [sys.executable, tmp_path / f"program_{len(started)}.py"]
        url = server.url.render_as_string(hide_password=False)
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        started.append(subprocess.Popen([*command, url, tmp_path], **pipes, **environ))
        return started[-1]

    yield process
    for one in started:
        one.kill()
        one.communicate()
