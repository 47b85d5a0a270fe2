"""Faults of a streaming replica: down, behind, frozen and back, with reads that see what their client wrote."""

from __future__ import annotations

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, func, insert, select

from tests.runtime.waiting import WATCHDOG_S

NOTES = Table("fault_notes", MetaData(), Column("id", Integer, primary_key=True), Column("note", String))
ON_REPLICA = select(func.pg_is_in_recovery())
COUNT = select(func.count()).select_from(NOTES)
WRITE = insert(NOTES).values(note="one")
ROUTING = {"max_lag_s": 600.0, "eject_after": 2, "return_after_s": 10.0}
SHORTLY_S = 0.05
"""How long a read waits for a replica that will not answer in time. For one that will, time does not matter."""


@pytest.fixture
def between(proxy, replica):
    return proxy(replica)


@pytest.fixture
def using(client, between, postgres, replica, notes, clock):
    """Return a function that makes a client which reads from the replica, through the proxy."""
    replica.catch_up()
    roles = {"primary": {"url": postgres.url}, "readonly": {"url": between.url(replica.url)}}
    return lambda wait_s: client(clock=clock, roles=roles, routing={**ROUTING, "wait_s": wait_s})


@pytest.fixture
def used(using):
    """Such a client that waits for an answer."""
    return using(WATCHDOG_S / 2)


async def until_read_from(used, clock, *, is_replica):
    """Read until the replica, or primary, answers, as time goes on; no read may fail."""
    for _ in range(50):
        if await used.read(ON_REPLICA) is is_replica:
            return
        clock.ahead_s += 5.0
    raise AssertionError(f"no read was answered by {'the replica' if is_replica else 'primary'}")


async def attempts_until_good(used, limit):
    """Read until it succeeds; return how many reads failed."""
    for failed in range(limit + 1):
        try:
            await used.read(ON_REPLICA)
        except Exception:
            continue
        return failed
    raise AssertionError(f"{limit + 1} reads in a row have failed")


async def test_reads_go_to_the_replica_and_writes_do_not(used, notes):
    assert await used.read(ON_REPLICA)
    await used.write(WRITE)
    assert notes.count() == 1


async def test_a_replica_that_is_down_is_left_out_and_taken_back(used, replica, clock):
    assert await used.read(ON_REPLICA)
    replica.stop()
    assert await attempts_until_good(used, ROUTING["eject_after"]) <= ROUTING["eject_after"]
    assert await used.read(ON_REPLICA) is False
    replica.start()
    await until_read_from(used, clock, is_replica=True)


async def test_a_replica_that_is_down_at_the_start_leaves_reads_to_primary(used, replica, clock):
    replica.stop()
    await attempts_until_good(used, ROUTING["eject_after"])
    assert await used.read(ON_REPLICA) is False
    replica.start()
    await until_read_from(used, clock, is_replica=True)


async def test_one_reads_what_one_wrote_though_the_replica_is_behind(using, replica, clock):
    used = using(SHORTLY_S)
    replica.pause()
    await used.write(WRITE)
    for _ in range(3):
        assert await used.read(COUNT) == 1
    assert await used.read(ON_REPLICA) is False
    replica.resume()
    replica.catch_up()
    await until_read_from(used, clock, is_replica=True)
    assert await used.read(COUNT) == 1


async def test_a_frozen_replica_ends_no_reads_for_good(using, between, clock):
    used = using(SHORTLY_S)
    await until_read_from(used, clock, is_replica=True)
    between.freeze()
    await attempts_until_good(used, ROUTING["eject_after"])
    assert await used.read(ON_REPLICA) is False
    between.ok()
    await until_read_from(used, clock, is_replica=True)


async def test_a_replica_whose_sessions_are_ended_answers_the_next_read(used, replica):
    assert await used.read(ON_REPLICA)
    replica.terminate_all()
    assert await used.read(ON_REPLICA)
