"""What tests of the middleware share: a database, code in a file of its own, and the records that were logged."""

from __future__ import annotations

import gc
import linecache
import logging

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import Engine
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from pytest_dbguard.dev_server.hub import Hub

SHOP = """
from sqlalchemy import text

def names(engine, numbers):
    with engine.connect() as connection:
        for number in numbers:
            connection.execute(text("SELECT :number AS secret FROM item"), {"number": number})

def quiet(engine):
    with engine.connect() as connection:
        return connection.execute(text("SELECT count(*) FROM item")).scalar()

async def names_async(engine, numbers):
    async with engine.connect() as connection:
        for number in numbers:
            await connection.execute(text("SELECT :number AS secret FROM item"), {"number": number})

def greet(connection):
    return connection.execute(text("SELECT count(*) FROM item WHERE id = 1")).scalar()

def sign(connection):
    return connection.execute(text("SELECT count(*) FROM item WHERE id = 1")).scalar()

def letter(engine):
    with engine.connect() as connection:
        return greet(connection), sign(connection)
"""


class Records(logging.Handler):
    """Keeps (level, text) of each record, in a list that others may write their own events to."""

    def __init__(self):
        super().__init__(logging.DEBUG)
        self.events = []

    def emit(self, record):
        self.events.append((record.levelname, record.getMessage()))

    @property
    def lines(self):
        """The records that are no blocks."""
        return [text for level, text in self.events if level != "DEBUG"]


@pytest.fixture
def records():
    logger, handler = logging.getLogger("dbguard"), Records()
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield handler
    logger.removeHandler(handler)
    logger.setLevel(logging.NOTSET)


@pytest.fixture
def shop(tmp_path):
    """An application of a few functions below `tmp_path`."""
    path = tmp_path / "shop.py"
    path.write_text(SHOP)
    linecache.checkcache(str(path))
    names = {"__name__": "shop"}
    exec(compile(SHOP, str(path), "exec"), names)
    return names


@pytest.fixture
def engine(tmp_path):
    engine = create_engine(f"sqlite:///{tmp_path}/items.db")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE item (id INTEGER PRIMARY KEY)"))
        connection.execute(text("INSERT INTO item VALUES (1)"))
    yield engine
    engine.dispose()


@pytest.fixture
def async_engine(engine, tmp_path):
    return create_async_engine(f"sqlite+aiosqlite:///{tmp_path}/items.db", poolclass=NullPool)


def heard():
    """Return how many listeners engines have by their class."""
    return sum(len(getattr(Engine.dispatch, name)._clslevel.get(Engine, ())) for name in Engine.dispatch._event_names)


@pytest.fixture
def listeners():
    # what earlier tests left behind
    gc.collect()
    return heard


@pytest.fixture(autouse=True)
def nothing_left():
    """Let go of what a test's middleware holds, as the end of its process would."""
    yield
    for hub in [each for each in gc.get_objects() if type(each) is Hub]:
        hub._users.clear()
        hub._under_way.clear()
        hub._detach_if_unused()
    assert heard() == 0
