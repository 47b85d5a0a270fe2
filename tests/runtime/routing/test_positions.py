"""Positions as PostgreSQL writes them, as tokens, and as a context knows them."""

from __future__ import annotations

import gc
import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pytest_dbguard.runtime.routing import LATEST, Position, Trail, current_position, position_scope
from pytest_dbguard.runtime.routing.positions import ensure_trail, trail_of
from tests.runtime.waiting import eventually

POSITIONS = st.builds(
    Position, st.integers(min_value=0, max_value=2**64 - 1), timeline=st.integers(min_value=0, max_value=2**32 - 1)
)


@given(POSITIONS)
def test_a_token_says_what_the_position_is(position):
    assert Position.parse(position.token()) == position
    assert len(position.token()) <= 32


@given(st.text(max_size=40) | st.text(alphabet=string.hexdigits + "-", max_size=30))
@example("1-1-1 ")
@example("1-1-1\n")
@example("1--1")
@example("2-1-1")
@example("1-1-1-1")
@example("1-+1-1")
@example("1-0x1-1")
@example("1-1_0-1")
def test_anything_is_a_token_of_a_position_or_none(text):
    position = Position.parse(text)
    if position is not None:
        version, timeline, lsn = text.split("-")
        assert version == "1"
        assert set(timeline + lsn) <= set("0123456789abcdef")
        assert (int(timeline, 16), int(lsn, 16)) == (position.timeline, position.lsn)


@pytest.mark.parametrize("token", [None, "", "x" * 10**6, "1-1-" + "0" * 17, "1-" + "1" * 9 + "-1"])
def test_what_is_no_token_is_none(token):
    assert Position.parse(token) is None


@given(POSITIONS, POSITIONS)
def test_a_newer_timeline_is_later_whatever_the_byte(one, other):
    assert (one < other) == ((one.timeline, one.lsn) < (other.timeline, other.lsn))
    assert one <= LATEST


@pytest.mark.parametrize(
    ("text", "lsn"),
    [
        ("0/0", 0),
        ("16/B374D848", 0x16B374D848),
        ("0/2018", 0x2000),
        ("0/2020", 0x2020),
        ("FFFFFFFF/FFFFFFFF", 2**64 - 1),
    ],
)
def test_positions_are_read_as_postgresql_writes_them(text, lsn):
    assert Position.of_lsn(text, timeline=3) == Position(lsn, timeline=3)


def test_primary_and_replica_name_the_same_byte_at_the_end_of_a_page(postgres, replica):
    with postgres.connect() as connection:

        def inserted():
            return connection.execute("SELECT pg_current_wal_insert_lsn()::text").fetchone()[0]

        def emit(size):
            connection.execute("SELECT pg_logical_emit_message(false, '', repeat('x', %s))", [size])

        def byte():
            high, low = inserted().split("/")
            return int(low, 16) % 8192

        before = byte()
        emit(64)
        overhead = (byte() - before - 64) % 8192
        while byte() != 24:
            room = 8192 - byte()
            emit(room - overhead if room > overhead + 64 else 1000)
        position = Position.of_lsn(inserted())

    def replayed():
        return Position.of_lsn(replica.scalar("SELECT pg_last_wal_replay_lsn()::text"))

    eventually(lambda: replayed() >= position, "the replay of the page")


def test_what_was_written_here_came_after_what_the_client_wrote():
    trail = Trail(Position(5, timeline=1))
    assert (trail.needed, trail.told) == (Position(5, timeline=1), None)
    trail.committed(Position(7, timeline=1))
    trail.committed(Position(6, timeline=1))
    assert trail.needed == trail.told == Position(7, timeline=1)


def test_a_forged_position_is_forgotten_at_the_first_own_one():
    trail = Trail(LATEST)
    trail.committed(Position(7))
    assert trail.needed == trail.told == Position(7)


def test_a_commit_of_which_nothing_is_known_counts_until_the_next():
    trail = Trail()
    trail.committed(Position(7))
    trail.committed(LATEST)
    assert trail.needed is LATEST
    trail.committed(Position(8))
    assert trail.needed == Position(8)


def test_a_commit_of_which_nothing_was_known_takes_what_primary_told_after_it():
    trail = Trail()
    trail.committed(LATEST)
    trail.place(Position(9), trail.unplaced)
    assert trail.needed == trail.told == Position(9)
    trail.committed(LATEST)
    asked = trail.unplaced
    trail.committed(LATEST)
    trail.place(Position(10), asked)
    assert trail.needed is LATEST
    trail.committed(Position(12))
    trail.place(Position(11), trail.unplaced)
    assert trail.needed == Position(12)


class Manager:
    pass


def test_scopes_are_nested_and_end():
    manager, other = Manager(), Manager()
    with position_scope(manager, "1-1-5") as outer:
        with position_scope(manager) as inner, position_scope(other) as of_other:
            assert trail_of(manager) is inner
            assert trail_of(other) is of_other
            assert inner.needed is None
        assert trail_of(manager) is outer
        assert trail_of(other) is None
        assert outer.needed == Position(5, timeline=1)
    assert current_position.get() is None


def test_a_context_holds_no_manager_that_is_gone():
    manager = Manager()
    ensure_trail(manager)
    trails = current_position.get()
    assert len(trails._by_manager) == 1
    del manager
    gc.collect()
    assert len(trails._by_manager) == 0
