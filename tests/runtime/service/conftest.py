"""A service on a SQLite file, and recipes as processes of their own on a real server, with their log at hand."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import text

from pytest_dbguard.runtime import DatabaseService, DatabaseSettings
from tests.runtime.waiting import WATCHDOG_S, eventually

RECIPES = Path(__file__).parents[2] / "recipes"
NUMBERS = count(1)


class ShopDatabase:
    """A database of its own on the shared server, and what goes on in it."""

    def __init__(self, server, name, tables):
        self._server, self._name = server, name
        server.execute(f"CREATE DATABASE {name}")
        server.execute(tables, name)
        self.url = server.url.set(database=name)

    def close(self):
        self._server.execute(f"DROP DATABASE {self._name} WITH (FORCE)")

    def scalar(self, query):
        return self._server.scalar(query, self._name)

    def sessions(self, state="true"):
        query = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND datname = '{}' AND {}"
        return self._server.scalar(query.format(self._name, state))

    @contextmanager
    def locked(self, statement):
        """Hold the lock that a statement takes; yield what sets it free."""
        with self._server.connect(self._name) as connection:
            connection.autocommit = False
            connection.execute(statement)
            yield connection.commit

    def await_waiting(self, number):
        """Wait until so many sessions wait for a lock."""
        eventually(lambda: self.sessions("wait_event_type = 'Lock'") == number, "the wait for a lock")

    def await_end(self):
        """Wait until no session is left."""
        eventually(lambda: self.sessions() == 0, "the end of all sessions")


class Served:
    """A program that runs in a copy of a recipe."""

    def __init__(self, recipe, directory, url, arguments, environment, **options):
        shutil.copytree(RECIPES / recipe, directory, ignore=shutil.ignore_patterns("__pycache__", ".queue"))
        self._log = directory / "log"
        self.directory = directory
        hidden = ("DBGUARD_", "PYTEST_", "COV_")
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(hidden)}
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                (sys.executable, *arguments),
                cwd=directory,
                env={
                    **inherited,
                    "PYTHONUNBUFFERED": "1",
                    "DBGUARD_RUNTIME_URL": url.render_as_string(hide_password=False),
                    **environment,
                },
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                **options,
            )

    @property
    def log(self):
        return self._log.read_text()

    def await_log(self, text):
        eventually(lambda: text in self.log or self.process.poll() is not None, f"{text!r} in the log")
        assert text in self.log, self.log

    def wait(self):
        return self.process.wait(WATCHDOG_S)

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(WATCHDOG_S)


@pytest.fixture
def shop_database(postgres):
    """Return a function that makes a database with tables: `shop_database("CREATE TABLE ...")`."""
    made = []

    def make(tables):
        made.append(ShopDatabase(postgres, f"shop_{next(NUMBERS)}", tables))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def serve(tmp_path):
    """Return a function that runs a program in a copy of a recipe; it is killed after the test, if need be."""
    made = []

    def start(recipe, url, *arguments, environment=None, **options):
        made.append(Served(recipe, tmp_path / recipe, url, arguments, environment or {}, **options))
        return made[-1]

    yield start
    for each in made:
        each.end()


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    """A socket that takes connections already; a server that inherits it answers them when it is up."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield server


@pytest.fixture
def settings(tmp_path):
    url = f"sqlite:///{tmp_path}/shop.db"
    return DatabaseSettings(profile="test", url=url, roles={"readonly": {"url": url}, "analytics": {"url": url}})


@pytest.fixture
def service(settings):
    """A service that was not started yet, on a table of one row."""
    with DatabaseService(settings) as first, first.client().engine.begin() as connection:
        connection.execute(text("CREATE TABLE item (name TEXT)"))
        connection.execute(text("INSERT INTO item (name) VALUES ('new')"))
    service = DatabaseService(settings)
    yield service
    service.stop(0)
