"""Event hooks, handlers, shards, pings."""

from __future__ import annotations

import pytest
from conftest import URL, new_engine
from shop import hooks
from sqlalchemy import create_engine

NAMES = ["one", "two", "three", "four"]


@pytest.fixture
def shards(tmp_path, pooled_engine):
    """Three engines: three files on SQLite, three pools of one server on PostgreSQL."""
    if URL:
        engines = [create_engine(URL) for _ in range(3)]
    else:
        engines = [new_engine(f"sqlite:///{tmp_path}/shard{n}.db") for n in range(3)]
    yield engines
    for engine in engines:
        engine.dispose()


def test_mapper_event_writes(session):
    """after_insert writes a line for each row of a flush: the library loops."""
    hooks.create_categories(session, NAMES)


def test_before_flush_asks(session, shop):
    """before_flush asks for each new object."""
    hooks.create_products(session, ["new1", "new2", "new3"])


def test_event_bus_in_a_loop(session, shop):
    """A notification asks for each order of a list."""
    assert hooks.publish_each(session, [1, 2, 3]) == 9


def test_before_flush_collects(session):
    """before_flush adds its lines to the same flush. # expect: none"""
    hooks.create_with_collected_audit(session, NAMES)


def test_three_handlers(session, shop):
    """A loop over three handlers that do different things. # expect: none"""
    assert hooks.publish(session, 1) == 3


def test_shards(shards):
    """The same question to each of three engines. # expect: none"""
    assert len(hooks.on_all_shards(shards)) == 3


def test_copy_to_shards(pooled_engine, shards):
    """The same executemany to each of two engines. # expect: none"""
    targets = [pooled_engine] if URL else shards[:2]
    assert hooks.copy_settings(pooled_engine, targets) == 5 * len(targets)


def test_pings(engine):
    """A select without table, four times. # expect: none"""
    assert hooks.is_healthy(engine, 4) == 4


def test_ping_until_a_deadline(maker):
    """A question until a deadline. # expect: none"""
    assert hooks.ping_until(maker, iter(range(10)), 5) == 5
