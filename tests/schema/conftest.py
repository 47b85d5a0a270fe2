"""Servers of two majors, databases on them, and the schemas that they all must cope with."""

from __future__ import annotations

import contextlib
import itertools
from pathlib import Path

import psycopg
import pytest

from pytest_dbguard.databases.base import StartOptions
from pytest_dbguard.databases.connection_string import connection_string
from pytest_dbguard.databases.registry import load_provider

HERE = Path(__file__).parent
KINDS = ("postgres-embedded", "postgres-local")
# The embedded server is built without ICU.
WITHOUT_ICU = {
    "provider = icu, locale = 'de-u-co-phonebk'": "provider = libc, locale = 'C.UTF-8'",
    "provider = icu, locale = 'und-u-ks-level2', deterministic = false": "provider = libc, locale = 'POSIX'",
}


class Databases:
    """Makes databases on servers that the tests share."""

    def __init__(self):
        self._numbers = itertools.count()
        self._stack = contextlib.ExitStack()
        self._servers = {}

    def server(self, kind):
        if kind not in self._servers:
            server = load_provider(kind).launch(StartOptions()).ready()
            self._stack.callback(server.close)
            self._servers[kind] = server
        return self._servers[kind]

    def url(self, kind, *statements):
        """Make a database and return its URL."""
        server = self.server(kind)
        name = f"schema_{next(self._numbers)}"
        with connect(server.url) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        url = server.url.set(database=name)
        with connect(url) as connection:
            for statement in statements:
                connection.execute(statement)
        return url

    def close(self):
        self._stack.close()


def connect(url, **options):
    return psycopg.connect(connection_string(url), autocommit=True, **options)


def fetcher(connection):
    return lambda sql: connection.execute(sql).fetchall()


@pytest.fixture(scope="session")
def databases():
    made = Databases()
    yield made
    made.close()


def nasty_statements(*, has_icu):
    """Return the statements of the schema."""
    text = (HERE / "nasty_schema.sql").read_text()
    for old, new in () if has_icu else WITHOUT_ICU.items():
        text = text.replace(old, new)
    return text


@pytest.fixture(scope="session")
def nasty_schema():
    """Return the statements of the schema for a kind of server."""
    return lambda kind: nasty_statements(has_icu=kind != "postgres-embedded")


@pytest.fixture(scope="session")
def nasty(databases, nasty_schema):
    """Return the URL of a database with that schema, which no test changes."""
    made = {}

    def nasty(kind):
        if kind not in made:
            made[kind] = databases.url(kind, nasty_schema(kind))
        return made[kind]

    return nasty


@pytest.fixture(params=KINDS, scope="module")
def kind(request):
    """Of the server."""
    return request.param
