"""The asynchronous database fixtures under every way to run a coroutine in a test."""

from __future__ import annotations

import pytest

from tests.testing.test_fixtures import DATABASES, Shop

STORY = """
import asyncio
import threading

import pytest
from models import COUNT, Author
from sqlalchemy import text


async def story(session, connection):
    assert await session.scalar(COUNT) == 1
    author = Author(name="a")
    session.add(author)
    await session.commit()
    assert author.id == 2
    session.add(Author(name="b"))
    await session.flush()
    await session.rollback()
    await connection.execute(Author.__table__.insert(), {"name": "c"})
    await connection.commit()
    assert await session.scalar(COUNT) == 3
"""

RUN_BY_HAND = """
@pytest.mark.parametrize("turn", range(2))
def test_run(dbguard_async_session, dbguard_async_connection, turn):
    asyncio.run(story(dbguard_async_session, dbguard_async_connection))


def test_in_a_thread(dbguard_async_session, dbguard_async_connection):
    work = story(dbguard_async_session, dbguard_async_connection)
    thread = threading.Thread(target=asyncio.run, args=(work,))
    thread.start()
    thread.join()


def test_fixture_asked_for_in_a_running_loop(request):
    async def ask():
        names = ("dbguard_async_session", "dbguard_async_connection")
        await story(*[request.getfixturevalue(name) for name in names])

    asyncio.run(ask())


def test_engines_see_the_same(dbguard_async_engine, dbguard_engine):
    async def read():
        async with dbguard_async_engine.connect() as connection:
            return await connection.scalar(COUNT)

    assert asyncio.run(read()) == 1
    assert asyncio.run(read()) == 1
"""

PYTEST_ASYNCIO = """
@pytest.mark.asyncio
@pytest.mark.parametrize("turn", range(2))
async def test_function_loop(dbguard_async_session, dbguard_async_connection, turn):
    await story(dbguard_async_session, dbguard_async_connection)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("turn", range(2))
async def test_module_loop(dbguard_async_session, dbguard_async_connection, turn):
    await story(dbguard_async_session, dbguard_async_connection)


@pytest.mark.asyncio
@pytest.mark.parametrize("turn", range(2))
async def test_cancelled(dbguard_async_session, turn):
    session = dbguard_async_session
    session.add(Author(name="a"))
    await session.flush()
    slow = {
        "postgresql": "SELECT pg_sleep(100)",
        "sqlite": "WITH RECURSIVE c(i) AS (SELECT 1 UNION SELECT i + 1 FROM c WHERE i < 1000000) SELECT max(i) FROM c",
    }
    task = asyncio.create_task(session.execute(text(slow[session.bind.dialect.name])))
    for _ in range(20):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
"""

ASYNCIO = ("-o", "asyncio_default_fixture_loop_scope=function")

ANYIO = """
@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.mark.anyio
@pytest.mark.parametrize("turn", range(2))
async def test_anyio(dbguard_async_session, dbguard_async_connection, turn):
    await story(dbguard_async_session, dbguard_async_connection)
"""


@pytest.fixture
def shop(pytester):
    shop = Shop(pytester)
    shop.write(
        "pyproject.toml",
        '[tool.pytest.ini_options]\naddopts = "-p no:cacheprovider"\nfilterwarnings = ["error"]\n',
    )
    return shop


@DATABASES
@pytest.mark.parametrize(
    ("tests", "passed", "arguments"),
    [
        (RUN_BY_HAND, 5, ("-p", "no:asyncio", "-p", "no:anyio")),
        (PYTEST_ASYNCIO.replace("@pytest.mark.asyncio\n", ""), 6, (*ASYNCIO, "-o", "asyncio_mode=auto")),
        (ANYIO, 2, ("-p", "no:asyncio")),
        (RUN_BY_HAND + PYTEST_ASYNCIO + ANYIO, 13, (*ASYNCIO, "-o", "asyncio_mode=strict")),
        (RUN_BY_HAND + PYTEST_ASYNCIO + ANYIO, 13, (*ASYNCIO, "-n2", "--dbguard")),
    ],
    ids=["no-plugin", "asyncio-auto", "anyio", "both-plugins", "xdist-recorded"],
)
def test_every_runner(shop, database, tests, passed, arguments):
    shop.write("test_shop.py", STORY + tests)
    result = shop.run("--dbguard-database", database, *arguments)
    result.assert_outcomes(passed=passed)
    assert "warning" not in result.stdout.str()


def test_a_missing_driver_is_told(shop):
    shop.write("conftest.py", "import sys\nsys.modules['aiosqlite'] = None\n")
    shop.write("test_shop.py", "def test_it(dbguard_async_session): pass\n")
    result = shop.run(*ASYNCIO)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*the asynchronous fixtures need aiosqlite*", "*pytest-dbguard?async?*"])
    assert "fixtures.py" not in result.stdout.str()
