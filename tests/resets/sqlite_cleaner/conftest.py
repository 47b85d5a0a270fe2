"""An SQLite database full of traps with its cleaner, in memory and in a file, and pictures of all that it holds."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pytest_dbguard.databases.base import StartOptions
from pytest_dbguard.databases.sqlite import SqliteDatabase, SqliteProvider
from pytest_dbguard.resets.base import Leak
from pytest_dbguard.resets.sqlite_cleaner import SqliteCleaner
from pytest_dbguard.templates.base import Recipe
from pytest_dbguard.templates.runs import Run
from pytest_dbguard.templates.sqlite_templates import SqliteTemplates

SCHEMA = Path(__file__).with_name("schema.sql").read_text()
PRAGMAS = ("user_version", "application_id", "encoding", "auto_vacuum", "page_size", "journal_mode")
RUN = Run("0123abcd")


@dataclass(frozen=True)
class Script:
    """A step that runs a script."""

    text: str
    name: str = "schema.sql"

    def fingerprint(self, dialect):
        return self.text.encode()

    def run(self, engine):
        with engine.connect() as connection:
            connection.connection.driver_connection.executescript(self.text)


@dataclass
class Ledger:
    """A ledger that knows what it is told, and notes what it is asked."""

    wide: dict[int, str] = field(default_factory=dict)
    let_go_of: int = 0

    def end_leaks(self):
        return ()

    def kept_backends(self):
        return frozenset(self.wide)

    def leak_of(self, backend, message):
        return Leak(self.wide.get(backend), message)

    def let_go(self):
        self.let_go_of += 1


class Time:
    """A clock that sleeping moves on."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


@dataclass
class World:
    """A database, its cleaner, and all that is needed to look at it from outside."""

    database: SqliteDatabase
    template: object
    ledger: Ledger = field(default_factory=Ledger)
    time: Time = field(default_factory=Time)
    opened: list = field(default_factory=list)

    def __post_init__(self):
        self.cleaner = SqliteCleaner(self.database, self.template, self.ledger, clock=self.time, sleep=self.time.sleep)
        self.clean_picture = self.picture()

    def address(self):
        url = self.database.url
        query = "&".join(f"{key}={value}" for key, value in url.query.items() if key != "uri")
        return (f"{url.database}?{query}", True) if query else (url.database, False)

    def connect(self, **options):
        address, is_uri = self.address()
        connection = sqlite3.connect(address, uri=is_uri, **{"isolation_level": None, "timeout": 0, **options})
        self.opened.append(connection)
        return connection

    def write(self, script):
        with closing(self.connect()) as connection:
            connection.execute("PRAGMA foreign_keys = ON")
            connection.executescript(script)

    def picture(self):
        with closing(self.connect()) as connection:
            return read_picture(connection)

    def assert_cleans(self):
        """Clean, see that all is as it was, and that cleaning again finds nothing to do."""
        outcome = self.cleaner.clean()
        assert self.picture() == self.clean_picture
        assert self.cleaner.clean().did == "nothing"
        assert not self.cleaner.is_dirty()
        return outcome

    def close(self):
        for connection in self.opened:
            connection.close()
        self.cleaner.close()
        self.database.close()


def read_picture(connection):
    """Return all that a database holds: schema, rows with their rowids and types, sequences, settings."""
    connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
    schema = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY 1, 2").fetchall()
    found = {"schema": schema}
    for kind, name, _, sql in schema:
        if kind == "table" and not sql.startswith("CREATE VIRTUAL"):
            found[name] = rows_of(connection, name)
    if "words_data" in found:
        found["found words"] = connection.execute("SELECT rowid FROM words WHERE words MATCH 'fox OR dog'").fetchall()
    found |= {name: connection.execute(f"PRAGMA {name}").fetchall() for name in PRAGMAS}
    for check in ("integrity_check", "foreign_key_check"):
        found[check] = connection.execute(f"PRAGMA {check}").fetchall()
    return found


def rows_of(connection, name):
    quoted = '"' + name.replace('"', '""') + '"'
    columns = [row[0] for row in connection.execute("SELECT name FROM pragma_table_xinfo(?)", [name])]
    values = ['"' + column.replace('"', '""') + '"' for column in columns]
    values += [f"typeof({value})" for value in values]
    for rowid in ("rowid, ", ""):
        try:
            rows = connection.execute(f"SELECT {rowid}{', '.join(values)} FROM {quoted}").fetchall()
        except sqlite3.OperationalError:
            continue
        return sorted(map(repr, rows))
    raise AssertionError(name)


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def make_world(tmp_path, cache, monkeypatch):
    """Return a function that makes a database: in "memory", a "file", or the "shared cache" of old versions."""
    worlds = []

    def make(place, script=SCHEMA, **options):
        url = f"sqlite:///{tmp_path}/shop.db" if place == "file" else None
        server = SqliteProvider().launch(StartOptions(url=url, cache=cache)).ready()
        templates = SqliteTemplates(server, RUN, project=tmp_path)
        template = templates.ready(Recipe((Script(script),)))
        with monkeypatch.context() as patched:
            if place == "shared cache":
                patched.setattr(sqlite3, "sqlite_version_info", (3, 34, 0))
            database = template.copy(f"dbguard_{RUN.id}_main_main")
        worlds.append((World(database, template, **options), templates))
        return worlds[-1][0]

    yield make
    for world, templates in worlds:
        world.close()
        templates.close()


@pytest.fixture
def picture_of():
    """Return the function that reads all that a database holds through a connection."""
    return read_picture


@pytest.fixture(params=["memory", "file", "shared cache"])
def world(request, make_world):
    return make_world(request.param)


@pytest.fixture(params=["memory", "file"])
def today(request, make_world):
    """A database as the present version of SQLite has it."""
    return make_world(request.param)
