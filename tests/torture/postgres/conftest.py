"""What all tests of the torture share: the recipe, the application's engines, the proof that each test starts clean."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import engines
import models
import psycopg
import pytest
import state

pytest_plugins = ["events"]
HERE = Path(__file__).parent
TURNS = int(os.environ.get("TORTURE_TURNS", "1"))
SESSION = """
SELECT current_setting('search_path'), current_user = session_user, current_setting('TimeZone'),
    current_setting('statement_timeout'), current_setting('session_replication_role'),
    (SELECT count(*) FROM pg_listening_channels()), (SELECT count(*) FROM pg_prepared_statements WHERE from_sql),
    (SELECT count(*) FROM pg_cursors WHERE is_holdable), to_regclass('pg_temp.torture') IS NULL,
    (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid())
"""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test several times."""
    metafunc.fixturenames.append("turn")
    metafunc.parametrize("turn", range(TURNS))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Bring the tests into a random order, the same in all workers; leave out what would end a run without workers."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        items[:] = [item for item in items if item.get_closest_marker("crashes") is None]
    random.Random(os.environ.get("TORTURE_SEED", "0")).shuffle(items)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "crashes: ends its whole process")


class Expectation:
    """The state that a test has to find: that of the recipe, and what living fixtures of wider scope have added."""

    def __init__(self, base: state.State) -> None:
        self._base = base
        self._added: dict[str, list[str]] = {}
        self._whole: state.State | None = None

    @contextmanager
    def with_line(self, name: str, line: str) -> Iterator[None]:
        """Expect one more line of what the state calls `name`."""
        self._added.setdefault(name, []).append(line)
        try:
            yield
        finally:
            self._added[name].remove(line)

    @contextmanager
    def with_state(self, whole: state.State) -> Iterator[None]:
        """Expect something else altogether."""
        self._whole = whole
        try:
            yield
        finally:
            self._whole = None

    @property
    def is_plain(self) -> bool:
        """Whether no fixture of wider scope has added anything."""
        return self._whole is None and not any(self._added.values())

    def state(self) -> state.State:
        if self._whole is not None:
            return self._whole
        added = {name: sorted([*self._base[name], *lines]) for name, lines in self._added.items()}
        numbers = {"sequence public.wide_numbered_id_seq": ["1 t"]} if added.get("rows public.wide_numbered") else {}
        return self._base | added | numbers


@pytest.fixture(scope="session")
def dbguard_migrate():
    return [HERE / "schema.sql", models.create]


@pytest.fixture(scope="session")
def dbguard_seed():
    return models.seed


@pytest.fixture(scope="session")
def application(dbguard_bind):
    dbguard_bind(engines.primary)
    dbguard_bind(engines.readonly, role="readonly")
    dbguard_bind(engines.by_asyncpg)
    dbguard_bind(engines.by_psycopg)


@pytest.fixture(scope="session")
def dsn(dbguard_database):
    return dbguard_database.url.set(drivername="postgresql").render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def expectation():
    return Expectation(json.loads(Path(os.environ["TORTURE_SNAPSHOT"]).read_text()))


@pytest.fixture
def admin(dsn):
    """A connection of the test's own that commits each statement."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        yield connection


@pytest.fixture(autouse=True)
def starts_clean(application, dsn, expectation, record_property):
    """Prove that the database, and the sessions that the application gets, are as if there had been no test before."""
    record_property("process", os.getpid())
    with psycopg.connect(dsn, autocommit=True, options="-c lock_timeout=3s") as connection:
        record_property("directory", connection.execute("SHOW data_directory").fetchone()[0])
        found = state.read_state(connection)
        fresh = connection.execute(SESSION).fetchone()
    dirt = state.differences(expectation.state(), found)
    assert not dirt, "\n".join(dirt)
    for engine in (engines.primary, engines.readonly):
        with engine.connect() as connection:
            assert tuple(connection.exec_driver_sql(SESSION).one()) == fresh
