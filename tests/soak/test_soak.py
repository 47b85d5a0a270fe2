"""The recorder under a long random load in threads and tasks: exact counts, no faults, flat memory, nothing left."""

from __future__ import annotations

import asyncio
import gc
import os
import pickle
import random
import threading
from pathlib import Path

import pytest
from sqlalchemy import ForeignKey, create_engine, exc, insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship
from sqlalchemy.pool import StaticPool

from pytest_dbguard.analysis.judge import Judge, active_rules
from pytest_dbguard.recording.listeners import Listeners
from pytest_dbguard.recording.ownership import Ownership
from pytest_dbguard.recording.recorder import Recorder
from pytest_dbguard.recording.scopes import Scope

ROUNDS = int(os.environ.get("SOAK_ROUNDS", "40"))
STEPS = 30
SHAPES = 50


class Base(DeclarativeBase): ...


class Parent(Base):
    __tablename__ = "parent"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    children: Mapped[list[Child]] = relationship(back_populates="parent")


class Child(Base):
    __tablename__ = "child"
    id: Mapped[int] = mapped_column(primary_key=True)
    parent_id: Mapped[int] = mapped_column(ForeignKey("parent.id"))
    parent: Mapped[Parent] = relationship(back_populates="children")


FAMILIES = [{"id": number, "name": f"parent {number}"} for number in range(1, 9)]
CHILDREN = [{"parent_id": number} for number in range(1, 9) for _ in range(3)]


# Each step returns the number of statements that must be counted for it.


def core_select(session, choose):
    session.execute(text(f"SELECT id, name AS name_{choose.randrange(SHAPES)} FROM parent")).all()
    return 1


def driver_sql(session, choose):
    session.connection().exec_driver_sql("SELECT name FROM parent WHERE id = ?", (choose.randrange(9),)).all()
    return 1


def lazy_loads(session, choose):
    session.expunge_all()
    parents = session.scalars(select(Parent).where(Parent.id <= choose.randrange(9))).all()
    for parent in parents:
        assert len(parent.children) == 3
    return 1 + len(parents)


def streamed(session, choose):
    session.expunge_all()
    assert sum(1 for _ in session.scalars(select(Child).execution_options(yield_per=5))) >= len(CHILDREN)
    return 1


def flushed(session, choose):
    nested = session.begin_nested()
    session.add_all(Parent(name=f"new {number}") for number in range(choose.randrange(1, 4)))
    session.flush()
    nested.rollback()
    return 1


def many_at_once(session, choose):
    with session.begin_nested() as nested:
        session.execute(insert(Parent), [{"name": "many"}] * 50)
        nested.rollback()
    return 1


def refused(session, choose):
    with session.begin_nested() as nested:
        with pytest.raises(exc.OperationalError):
            session.execute(text("SELECT no_such_column FROM parent"))
        nested.rollback()
    return 1


def pickled(session, choose):
    session.expunge_all()
    child = session.scalars(select(Child).limit(1)).one()
    again = session.merge(pickle.loads(pickle.dumps(child)), load=False)
    assert again.parent.name
    return 2


STEP_FUNCTIONS = (core_select, driver_sql, lazy_loads, streamed, flushed, many_at_once, refused, pickled)


def fill(connection):
    Base.metadata.create_all(connection)
    connection.execute(insert(Parent.__table__), FAMILIES)
    connection.execute(insert(Child.__table__), CHILDREN)


def run_steps(session, choose):
    return sum(choose.choice(STEP_FUNCTIONS)(session, choose) for _ in range(STEPS))


class Load:
    """Engines that live as long as the soak, one for each kind of worker, and rounds of work on them."""

    def __init__(self):
        # autocommit in the driver: its own way with transactions undoes savepoints
        options = {"poolclass": StaticPool, "connect_args": {"check_same_thread": False, "isolation_level": None}}
        self.engines = [create_engine("sqlite://", **options) for _ in range(3)]
        for engine in self.engines:
            with engine.begin() as connection:
                fill(connection)

    def in_threads(self, seed):
        """Run one worker an engine, in threads that know no context."""
        counts = []

        def work(number, engine):
            with Session(engine) as session:
                counts.append(run_steps(session, random.Random(f"{seed} {number}")))

        threads = [threading.Thread(target=work, args=pair) for pair in enumerate(self.engines)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(counts) == len(threads), "a thread died"
        return sum(counts)

    def in_tasks(self, seed):
        """Run workers as tasks of one gather, on an async engine that is made and disposed of here."""

        async def work(engine, number):
            async with AsyncSession(engine) as session:
                return await session.run_sync(lambda sync: run_steps(sync, random.Random(f"{seed} {number}")))

        async def gathered():
            engines = [create_async_engine("sqlite+aiosqlite://", poolclass=StaticPool) for _ in range(2)]
            for engine in engines:
                async with engine.begin() as connection:
                    await connection.run_sync(fill)
            counts = await asyncio.gather(*(work(engine, number) for number, engine in enumerate(engines)))
            for engine in engines:
                await engine.dispose()
            # filling: two tables, each looked up and made, and two inserts
            return sum(counts) + len(engines) * 4

        return asyncio.run(gathered())

    def in_this_thread(self, seed):
        """Run one worker here."""
        with Session(self.engines[0]) as session:
            return run_steps(session, random.Random(seed))

    def close(self):
        for engine in self.engines:
            engine.dispose()


def objects():
    gc.collect()
    return len(gc.get_objects())


def test_long_random_load():
    load = Load()
    recorder = Recorder(Ownership(Path(__file__).parent))
    listeners = Listeners(recorder)
    judge = Judge(active_rules())
    ways = (load.in_this_thread, load.in_threads, load.in_this_thread, load.in_tasks)
    listeners.attach()
    warm = None
    for number in range(ROUNDS):
        scope = Scope(f"test_{number}", "call")
        recorder.open(scope)
        expected = ways[number % len(ways)](number)
        recorder.close()
        assert (number, scope.count) == (number, expected)
        for recording in scope.recordings():
            list(judge.judge(recording))
        assert not recorder.faults
        assert not judge.faults
        if number == ROUNDS // 2:
            warm = objects()
    after = objects()
    listeners.detach()
    load.close()
    assert after < warm * 1.02, f"{warm} objects half way, {after} at the end"
    assert not list(create_engine("sqlite://").dispatch.before_cursor_execute)
    assert not list(Session().dispatch.do_orm_execute)
