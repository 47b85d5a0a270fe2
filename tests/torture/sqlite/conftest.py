"""What all tests of the torture share: the recipe, the application's engines, the proof that each test starts clean."""

from __future__ import annotations

import os
import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import engines
import models
import pytest
import state
from sqlalchemy import NullPool, create_engine

pytest_plugins = ["events"]
HERE = Path(__file__).parent
TURNS = int(os.environ.get("TORTURE_TURNS", "1"))
SESSION = """
SELECT (SELECT foreign_keys FROM pragma_foreign_keys), (SELECT count(*) FROM sqlite_temp_master),
    (SELECT count(*) FROM pragma_database_list WHERE name <> 'temp')
"""
RECURSIVE = "PRAGMA recursive_triggers"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test several times."""
    metafunc.fixturenames.append("turn")
    metafunc.parametrize("turn", range(TURNS))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Bring the tests into a random order, the same in all workers; leave out what cannot be here."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        items[:] = [item for item in items if item.get_closest_marker("crashes") is None]
    if "TORTURE_FILE" not in os.environ:
        items[:] = [item for item in items if item.get_closest_marker("file") is None]
    random.Random(os.environ.get("TORTURE_SEED", "0")).shuffle(items)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "crashes: ends its whole process")
    config.addinivalue_line("markers", "file: needs a database that other processes can open")


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

    def state(self) -> state.State:
        if self._whole is not None:
            return self._whole
        return self._base | {name: sorted([*self._base[name], *lines]) for name, lines in self._added.items()}


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
    dbguard_bind(engines.asynchronous)


@pytest.fixture(scope="session")
def expectation(tmp_path_factory):
    file = tmp_path_factory.mktemp("plain") / "plain.db"
    models.main(str(file))
    with closing(sqlite3.connect(file)) as connection:
        return Expectation(state.read_state(connection))


@pytest.fixture(scope="session")
def connect(dbguard_database):
    """Return a function that opens a connection of the driver's."""
    arguments, options = create_engine(dbguard_database.url, poolclass=NullPool).dialect.create_connect_args(
        dbguard_database.url
    )
    return lambda: sqlite3.connect(*arguments, **options | {"isolation_level": None, "timeout": 5})


@pytest.fixture(autouse=True)
def starts_clean(application, connect, expectation, record_property):
    """Prove that the database, and the sessions that the application gets, are as if there had been no test before."""
    record_property("process", os.getpid())
    with closing(connect()) as connection:
        found = state.read_state(connection)
    dirt = state.differences(expectation.state(), found)
    assert not dirt, "\n".join(dirt)
    for engine in (engines.primary, engines.readonly):
        with engine.connect() as connection:
            assert tuple(connection.exec_driver_sql(SESSION).one()) == (1, 0, 1)
            assert connection.exec_driver_sql(RECURSIVE).scalar() == 0
