"""Ledger, router, cleaner and both resets on one copy of a template, as they work together in a run."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, create_engine, insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from pytest_dbguard.databases.base import StartOptions
from pytest_dbguard.databases.engines import make_async_engine, make_engine
from pytest_dbguard.databases.registry import load_provider
from pytest_dbguard.resets.base import Did
from pytest_dbguard.resets.connections import Connections
from pytest_dbguard.resets.registry import cleaner_for, finish_for, load_reset
from pytest_dbguard.resets.routing import EngineRouter
from pytest_dbguard.templates.base import Recipe
from pytest_dbguard.templates.registry import templates_for
from pytest_dbguard.templates.runs import Run
from pytest_dbguard.templates.steps import steps_for

TABLES = MetaData()
ITEM = Table("item", TABLES, Column("id", Integer, primary_key=True), Column("name", String))
URLS = {"sqlite": "sqlite:////nowhere/shop.db", "postgresql": "postgresql+psycopg://app:secret@db.example.com/shop"}


@pytest.fixture(scope="module", params=["sqlite", "postgres-embedded"])
def template(request, tmp_path_factory):
    """A template with one empty table."""
    server = load_provider(request.param).launch(StartOptions()).ready()
    root = tmp_path_factory.mktemp("project")
    templates = templates_for(server, Run("together"), project=root, finish=finish_for(server))
    yield templates.ready(Recipe(tuple(steps_for("metadata", TABLES, root=root))))
    server.close()


class Together:
    """What a run has for one database."""

    def __init__(self, template):
        self.database = template.copy("dbguard_together_main_1")
        self.connections = Connections(self.database)
        self.connections.attach()
        self.router = EngineRouter(self.database, self.connections)
        self.cleaner = cleaner_for(self.database, template, self.connections)
        self.resets = {name: load_reset(name)(self.cleaner, self.router) for name in ("committed", "rollback")}

    def test(self, reset, work):
        self.connections.enter("test", is_wide=False)
        self.resets[reset].begin()
        result = work()
        outcome = self.resets[reset].end()
        self.connections.enter("", is_wide=True)
        return result, outcome

    def close(self):
        for reset in self.resets.values():
            reset.close()
        self.cleaner.close()
        self.router.unbind_all()
        self.connections.detach()
        self.database.close()


@pytest.fixture
def together(template):
    together = Together(template)
    yield together
    together.close()


@pytest.fixture
def engine(together):
    """An engine of the application, which was made for production."""
    engine = create_engine(URLS[together.database.url.get_backend_name()])
    together.router.bind(engine)
    return engine


def add(engine):
    with engine.begin() as connection:
        return connection.execute(insert(ITEM).values(name="new")).inserted_primary_key[0]


def names(engine):
    with engine.connect() as connection:
        return connection.scalars(select(ITEM.c.name)).all()


@pytest.mark.parametrize("resets", [("committed",) * 3, ("rollback",) * 3, ("committed", "rollback") * 2])
def test_each_test_finds_the_same(together, engine, resets):
    def work():
        assert names(engine) == []
        return add(engine), add(engine)

    for reset in resets:
        ids, outcome = together.test(reset, work)
        assert ids == (1, 2)
        assert outcome.leaks == outcome.warnings == ()
        assert outcome.did is (
            Did.ROLLED_BACK if reset == "rollback" and engine.dialect.name == "sqlite" else outcome.did
        )


@pytest.mark.parametrize("reset", ["committed", "rollback"])
def test_leaks_are_reported_once_and_do_no_harm(together, engine, reset):
    async_engine = make_async_engine(together.database)
    together.router.bind(async_engine)
    kept = []

    async def leave():
        session = AsyncSession(async_engine)
        kept.append(session)
        await session.execute(insert(ITEM).values(name="from an asynchronous session"))

    def synchronous():
        session = Session(engine)
        kept.append(session)
        session.execute(insert(ITEM).values(name="from a session"))

    for work in (synchronous, lambda: asyncio.run(leave())):
        _, outcome = together.test(reset, work)
        assert [leak.owner for leak in outcome.leaks] == ["test"]
        assert names(engine) == []
    asyncio.run(kept.pop().close())
    kept.pop().close()


def test_a_wide_fixture_goes_on_after_a_swap(together, engine):
    together.connections.enter("fixture", is_wide=True)
    wide, connection = Session(engine), engine.connect()
    assert wide.scalar(select(ITEM.c.id)) is None
    assert connection.scalar(select(ITEM.c.id)) is None
    wide.rollback()
    connection.rollback()

    def work():
        with engine.begin() as own:
            own.execute(text("CREATE TABLE surprise (id INTEGER)"))

    _, outcome = together.test("committed", work)
    assert outcome.did is Did.SWAPPED
    assert wide.scalar(select(ITEM.c.id)) is None
    assert connection.scalar(select(ITEM.c.id)) is None
    add(engine)
    wide.close()
    connection.close()
    together.cleaner.clean()


def test_what_a_rollback_does_not_reach_is_cleaned(together, engine):
    elsewhere = make_engine(together.database)

    def work():
        add(elsewhere)
        assert names(engine) == ["new"]

    for _ in range(2):
        _, outcome = together.test("rollback", work)
        assert outcome.warnings == ("a connection that is not rolled back changed item",)
        assert outcome.dirty == ("item",)
    elsewhere.dispose()
