"""Ways to write and commit, and to take a connection, as applications have them; and what a watch noted of them."""

from __future__ import annotations

from application import Customer, Job
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session


def commits(watch):
    """Position and function of each commit."""
    return [(each.position, each.stack.site.function) for each in watch.scope.recording().commits]


def open_in(watch):
    """The functions that took connections which are out."""
    return [stack.site.function for stack in watch.scope.recording().open_connections]


def by_session(engine):
    with Session(engine) as session:
        session.add(Job())
        session.commit()


def by_block_of_a_session(engine):
    with Session(engine) as session, session.begin():
        session.add(Job())


def by_engine(engine):
    with engine.begin() as connection:
        connection.execute(insert(Job), {"state": "new"})


def by_connection(engine):
    with engine.connect() as connection:
        connection.execute(insert(Job), {"state": "new"})
        connection.commit()


def take(engine):
    connection = engine.connect()
    connection.execute(select(func.count(Job.id)))
    return connection


def take_session(engine):
    session = Session(engine)
    session.scalars(select(Customer)).all()
    return session
