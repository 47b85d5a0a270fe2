"""Databases in a run: engines of the application, leaks, more than one database, and what is kept."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine, make_url, text

from pytest_dbguard.databases.kept_servers import kept_servers, stop_kept
from tests.testing.test_fixtures import DATABASES, Shop
from tests.testing.test_resets import run


@pytest.fixture
def shop(pytester):
    return Shop(pytester)


APPLICATION = """
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import create_async_engine

URLS = {
    "sqlite": ("sqlite:///production.db", "sqlite+aiosqlite:///production.db"),
    "postgres-embedded": ("postgresql+psycopg://me:x@db.example/shop", "postgresql+asyncpg://me:x@db.example/shop"),
}


def make(kind):
    sync, asynchronous = URLS[kind]
    return create_engine(sync), create_engine(sync), create_async_engine(asynchronous)
"""

BOUND = """
import asyncio

import application
from sqlalchemy.exc import DBAPIError

primary, replica, asynchronous = application.make(KIND)


@pytest.fixture(scope="session", autouse=True)
def bound(dbguard_bind):
    dbguard_bind(primary)
    dbguard_bind(replica, role="readonly")
    dbguard_bind(asynchronous)


@pytest.mark.parametrize("turn", range(3))
def test_application(dbguard_session, turn):
    assert add(primary) == 2
    assert names(replica) == ["a", "seed"]
    assert dbguard_session.scalar(COUNT) == 2

    async def write():
        async with asynchronous.begin() as connection:
            await connection.execute(insert(Author).values(name="b"))

    asyncio.run(write())
    assert names(replica) == ["a", "b", "seed"]
    with pytest.raises(DBAPIError):
        add(replica, "c")
    assert names(primary) == ["a", "b", "seed"]
"""


@DATABASES
def test_engines_of_the_application_take_part(shop, database):
    shop.write("application.py", APPLICATION)
    run(shop, database, BOUND.replace("KIND", repr(database))).assert_outcomes(passed=3)
    assert not (shop.pytester.path / "production.db").exists()


@pytest.mark.parametrize(
    "written",
    [
        '[tool.dbguard.engines]\n"shop_engines:engine" = "primary"\n"shop_engines:get_replica" = "readonly"',
        'engines = { "shop_engines:engine" = "primary", "shop_engines:get_replica" = "readonly" }',
    ],
)
def test_engines_are_named_in_the_configuration(shop, written):
    shop.write(
        "shop_engines.py",
        "from sqlalchemy import create_engine\nengine = create_engine('sqlite:///production.db')\n"
        "def get_replica(): return replica\nreplica = create_engine('sqlite:///production.db')\n",
    )
    shop.write(
        "pyproject.toml",
        """
[tool.pytest.ini_options]
addopts = "-p no:cacheprovider -p no:asyncio"
pythonpath = "."
[tool.dbguard]
metadata = "models:Base"
ENGINES
""".replace("ENGINES", written),
    )
    shop.write("conftest.py", "")
    tests = """
import shop_engines


@pytest.mark.parametrize("turn", range(2))
def test_without_any_fixture(turn):
    assert add(shop_engines.engine) == 1
    assert names(shop_engines.replica) == ["a"]
"""
    run(shop, "sqlite", tests).assert_outcomes(passed=2)
    assert not (shop.pytester.path / "production.db").exists()


def test_an_engine_of_another_kind_of_database_is_refused(shop):
    tests = """
def test_it(dbguard_bind):
    dbguard_bind(create_engine("postgresql+psycopg://db.example/shop"))
"""
    result = run(shop, "sqlite", tests)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*dbguard: *postgresql*"])
    assert "routing.py" not in result.stdout.str()


LEAKS = """
kept = []


def leave_open(engine):
    connection = engine.connect()
    connection.execute(text("INSERT INTO author (name) VALUES ('secret')"))
    kept.append(connection)


def test_leaks(dbguard_engine):
    leave_open(dbguard_engine)


def test_next(dbguard_engine):
    assert names(dbguard_engine) == ["seed"]
    assert add(dbguard_engine) == 2
"""


@DATABASES
@pytest.mark.parametrize("mode", ["warn", "fail", "ignore"])
def test_a_leak_is_ended_and_told_with_its_place(shop, database, mode):
    shop.write("dbguard.toml", f'leaks = "{mode}"\n')
    result = run(shop, database, LEAKS)
    result.assert_outcomes(passed=2, warnings=1 if mode == "warn" else 0, errors=1 if mode == "fail" else 0)
    text = result.stdout.str()
    assert ("test_shop.py::test_leaks leaves a connection" in text) == (mode != "ignore")
    assert ("in leave_open" in text) == (mode != "ignore")
    assert "secret" not in text.replace(LEAKS, "").replace("VALUES ('secret')", "")


MORE = """
from sqlalchemy import Column, Integer, MetaData, Table

reports = MetaData()
report = Table("report", reports, Column("id", Integer, primary_key=True))


@pytest.fixture(scope="session")
def reporting(dbguard_open):
    return dbguard_open("reports", metadata=reports).engine


@pytest.mark.parametrize("turn", range(3))
def test_both(reporting, dbguard_engine, turn):
    assert inspect(reporting).get_table_names() == ["report"]
    with reporting.begin() as connection:
        assert connection.execute(insert(report)).inserted_primary_key == (1,)
    assert add(dbguard_engine) == 2


def test_another_recipe_needs_another_name(dbguard_open, reporting):
    dbguard_open("reports", metadata=Base)
"""


@DATABASES
def test_more_databases(shop, database):
    result = run(shop, database, MORE)
    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(["*dbguard: the database 'reports' was made from other tables*"])


KEPT = """
def test_fails(dbguard_engine):
    add(dbguard_engine, "evidence")
    assert 0


def test_passes(dbguard_engine):
    assert names(dbguard_engine) == ["seed"]
"""


def kept_url(result):
    lines = result.stdout.lines
    return lines[lines.index("test_shop.py::test_fails") + 1].strip()


@pytest.fixture
def stop_what_is_kept(pytester):
    yield
    for server in kept_servers():
        if server.project == pytester.path:
            stop_kept(server)


@DATABASES
@pytest.mark.parametrize("reset", ["committed", "rollback"])
def test_the_database_of_a_failed_test_is_kept_on_request(shop, stop_what_is_kept, database, reset):
    result = run(shop, database, KEPT, "--dbguard-keep", "--dbguard-reset", reset)
    result.assert_outcomes(passed=1, failed=1)
    url = make_url(kept_url(result))
    if database != "sqlite":
        url = url.set(drivername="postgresql+psycopg")
    with create_engine(url).connect() as connection:
        assert connection.scalars(text("SELECT name FROM author ORDER BY id")).all() == ["seed", "evidence"]


def test_the_configuration_can_ask_for_it(shop):
    shop.write("dbguard.toml", "keep = true\n")
    assert kept_url(run(shop, "sqlite", KEPT)).startswith("sqlite:///")


SEEDED = """
import pytest
from models import Author, Base
from sqlalchemy import insert
import shop


@pytest.fixture(scope="session")
def dbguard_metadata():
    return Base


@pytest.fixture(scope="session")
def dbguard_seed():
    return shop.fill
"""


def test_how_a_database_is_made_is_not_judged(shop):
    shop.write(
        "shop.py",
        "from models import Author\nfrom sqlalchemy import insert\n\n\ndef fill(session):\n"
        "    for number in range(10):\n        session.execute(insert(Author).values(name=str(number)))\n",
    )
    shop.write("conftest.py", SEEDED)
    for _ in ("made", "found"):
        result = run(shop, "sqlite", "def test_it(dbguard_engine):\n    add(dbguard_engine)\n", "--dbguard")
        assert result.ret == 0
        result.stdout.fnmatch_lines(["dbguard: 1 test, 2 queries, no new findings."])
