"""The cleaner with everything that it works with in a run: templates, engines, and the ledger of their connections."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from sqlalchemy import text

from pytest_dbguard.core.errors import DatabaseError
from pytest_dbguard.databases.engines import make_async_engine, make_engine
from pytest_dbguard.resets.base import Did
from pytest_dbguard.resets.connections import Connections
from pytest_dbguard.resets.postgres_prepare import prepare
from pytest_dbguard.resets.registry import cleaner_for, load_reset
from pytest_dbguard.templates.base import Recipe
from pytest_dbguard.templates.registry import templates_for
from pytest_dbguard.templates.runs import Run
from tests.databases.servers import embedded_server


class Tables:
    name = "tables"

    def fingerprint(self, dialect):
        return b"1"

    def run(self, engine):
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE item (id serial PRIMARY KEY, name text)"))
            connection.execute(text("INSERT INTO item (name) VALUES ('seed')"))


@pytest.fixture(scope="module")
def server():
    with embedded_server() as server:
        yield server


@pytest.fixture(scope="module")
def template(server):
    return templates_for(server, Run("00c0ffee"), finish=prepare).ready(Recipe((Tables(),)))


@dataclass
class Guarded:
    database: object
    connections: Connections
    cleaner: object

    def names(self, engine):
        with engine.connect() as connection:
            return connection.scalars(text("SELECT name FROM item ORDER BY id")).all()


@pytest.fixture
def guarded(template, request):
    database = template.copy(f"dbguard_00c0ffee_main_{request.node.name[:20]}")
    connections = Connections(database)
    connections.attach()
    cleaner = cleaner_for(database, template, connections)
    connections.enter("test_a", is_wide=False)
    yield Guarded(database, connections, cleaner)
    cleaner.close()
    connections.detach()
    database.close()


@pytest.fixture
def engine(guarded):
    engine = make_engine(guarded.database)
    yield engine
    engine.dispose()


def insert(connection, name):
    connection.execute(text("INSERT INTO item (name) VALUES (:name)"), {"name": name})


def test_a_test_commits_and_the_next_starts_clean(guarded, engine):
    reset = load_reset("committed")(guarded.cleaner, None)
    for _ in range(3):
        reset.begin()
        with engine.begin() as connection:
            insert(connection, "a")
        assert guarded.names(engine) == ["seed", "a"]
        outcome = reset.end()
        assert (outcome.did, outcome.dirty, outcome.leaks) == (Did.EMPTIED, ("item",), ())
    assert guarded.names(engine) == ["seed"]


def test_the_url_and_the_engine_survive_a_fresh_copy(guarded, engine):
    for number in range(3):
        with engine.begin() as connection:
            connection.execute(text("ALTER TABLE item ADD COLUMN more integer"))
            insert(connection, str(number))
        assert guarded.cleaner.clean().did is Did.SWAPPED
        assert guarded.names(engine) == ["seed"]


def test_a_leak_is_told_once_with_its_owner(guarded, engine):
    connection = engine.connect()
    insert(connection, "leaked")
    outcome = guarded.cleaner.clean()
    assert [leak.owner for leak in outcome.leaks] == ["test_a"]
    assert any("test_together.py" in place for place in outcome.leaks[0].stack)
    assert guarded.names(engine) == ["seed"]
    connection.close()


async def test_a_leak_of_an_asynchronous_engine_is_told_once(guarded, engine):
    asynchronous = make_async_engine(guarded.database)
    connection = await asynchronous.connect()
    await connection.execute(text("INSERT INTO item (name) VALUES ('leaked')"))
    outcome = guarded.cleaner.clean()
    assert [leak.owner for leak in outcome.leaks] == ["test_a"]
    assert guarded.names(engine) == ["seed"]
    await connection.close()
    await asynchronous.dispose()


def test_a_connection_of_a_wider_fixture_stays_and_is_told_when_it_has_to_go(guarded, engine):
    guarded.connections.enter("fixture 'wide'", is_wide=True)
    wide = engine.connect()
    wide.execute(text("SELECT * FROM item"))
    guarded.connections.enter("test_a", is_wide=False)
    with engine.begin() as connection:
        insert(connection, "a")
    outcome = guarded.cleaner.clean()
    assert (outcome.did, outcome.leaks, outcome.warnings) == (Did.EMPTIED, (), ())
    assert wide.scalar(text("SELECT count(*) FROM item")) == 1
    outcome = guarded.cleaner.swap("on request")
    assert outcome.warnings == ("fixture 'wide' held a connection, which ended when the database was replaced",)
    wide.invalidate()
    wide.close()


def test_what_a_failed_test_left_is_kept(guarded, engine, template):
    with engine.begin() as connection:
        insert(connection, "evidence")
    url = guarded.cleaner.set_aside("tests/test_a.py::test_a")
    assert "dbguard_kept_test_a_" in url
    assert guarded.names(engine) == ["seed"]
    template.drop(url.rpartition("/")[2].partition("?")[0])


def test_the_server_is_gone():
    with embedded_server() as server:
        template = templates_for(server, Run("00c0ffee"), finish=prepare).ready(Recipe((Tables(),)))
        database = template.copy("dbguard_00c0ffee_main_gone")
        cleaner = cleaner_for(database, template, Connections(database))
    assert cleaner.is_dirty()
    with pytest.raises(DatabaseError, match="could not be cleaned.*connection") as caught:
        cleaner.clean()
    assert "stopped" in caught.value.hint
    cleaner.close()
