"""Connections that wait for a server that says nothing any more, on a driver that only tells that it waits."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import pytest

from pytest_dbguard.runtime.pools.frozen import Suspicion
from pytest_dbguard.runtime.pools.keeper import Keeper
from pytest_dbguard.runtime.pools.progress import transferred, waits
from pytest_dbguard.runtime.pools.second_opinion import SecondOpinion
from tests.runtime.pools.fakes import FakeConnection
from tests.runtime.waiting import eventually

LIMIT_S = 10


class Asking(FakeConnection):
    """Tells as psycopg2's connections do whether it waits for an answer."""

    status = 0

    def get_transaction_status(self):
        return self.status


class ConnectionTimeout(Exception):
    """Called as psycopg's."""


@dataclass
class Silence:
    """A server that lets nobody in as long as `is_on`."""

    is_on: bool = False
    asked: int = 0

    def __post_init__(self):
        self.over = threading.Event()

    def __call__(self):
        if self.is_on:
            self.asked += 1
            self.over.wait()


@pytest.fixture
def silence(database, monkeypatch):
    made = Silence()
    monkeypatch.setattr(database, "before_connect", made)
    monkeypatch.setattr("tests.runtime.pools.fakes.FakeConnection", Asking)
    yield made
    made.over.set()


@pytest.fixture
def guarded(make_pool, silence):
    return make_pool(suspect_after_s=LIMIT_S, connect_timeout_s=0.01)


@pytest.fixture
def ask(guarded):
    """Return a function that holds a connection which waits for an answer."""
    held = []

    def start():
        held.append(guarded.connect())
        held[-1].driver_connection.status = 1
        return held[-1]

    yield start
    for each in held:
        each.close()


def test_it_is_cut_told_and_counted_and_not_used_again(guarded, ask, silence, clock, told, database):
    proxy = ask()
    frozen = proxy.driver_connection
    silence.is_on = True
    assert guarded.cut_frozen() == 0
    clock.move(LIMIT_S)
    assert guarded.cut_frozen() == 1
    assert guarded.stats.snapshot().frozen == 1
    assert told.events == [
        ("frozen", "a statement was cut: no answer for 10.00 s, nor on a new connection within 0.01 s")
    ]
    silence.is_on = False
    frozen.status = 0
    proxy.close()
    assert frozen not in database.open
    guarded.connect().close()


def test_it_is_let_be_when_somebody_answers_and_the_other_connection_is_closed(guarded, ask, clock, told, database):
    ask()
    assert guarded.cut_frozen() == 0
    clock.move(LIMIT_S)
    assert guarded.cut_frozen() == 0
    assert database.opened == 2
    eventually(lambda: len(database.open) == 1)
    assert told.events == []


def test_another_is_tried_once_in_the_limit_and_ever_more_rarely_for_the_same_statement(guarded, ask, clock, database):
    ask()
    tried = []
    for _ in range(40):
        before = database.opened
        guarded.cut_frozen()
        tried.append(database.opened - before)
        clock.move(LIMIT_S)
    assert [number for number, each in enumerate(tried) if each] == [1, 3, 7, 15, 23, 31, 39]
    assert max(tried) == 1


def test_for_a_second_statement_none_is_tried_before_the_limit_is_over_again(guarded, ask, clock, database):
    ask()
    guarded.cut_frozen()
    clock.move(LIMIT_S / 2)
    ask()
    guarded.cut_frozen()
    before = database.opened
    for _ in range(2):
        clock.move(LIMIT_S / 2)
        guarded.cut_frozen()
    assert database.opened == before + 1
    clock.move(LIMIT_S / 2)
    guarded.cut_frozen()
    assert database.opened == before + 2


def test_none_is_tried_while_an_earlier_one_hangs(guarded, ask, silence, clock):
    ask()
    guarded.cut_frozen()
    clock.move(LIMIT_S)
    silence.is_on = True
    assert guarded.cut_frozen() == 1
    for _ in range(3):
        clock.move(2 * LIMIT_S)
        assert guarded.cut_frozen() == 0
    assert silence.asked == 1
    assert guarded.suspicion.is_asking
    silence.over.set()
    eventually(lambda: not guarded.suspicion.is_asking)
    assert guarded.cut_frozen() == 0
    assert silence.asked == 2


@pytest.mark.parametrize("progress", ["statement", "holder", "bytes"])
def test_whoever_makes_progress_waits_anew(guarded, ask, clock, database, monkeypatch, progress):
    proxy = ask()
    received = [1]
    monkeypatch.setattr("pytest_dbguard.runtime.pools.frozen.transferred", lambda _: tuple(received))
    guarded.cut_frozen()
    clock.move(LIMIT_S)
    if progress == "statement":
        proxy._connection_record.statements += 1
    elif progress == "bytes":
        received[0] += 1
    else:
        proxy.close()
        ask()
    before = database.opened
    assert guarded.cut_frozen() == 0
    assert database.opened == before


def test_a_second_pass_at_the_same_time_does_nothing(guarded, ask, silence, clock):
    ask()
    guarded.cut_frozen()
    clock.move(LIMIT_S)
    found = []
    silence.is_on = True
    opinion = SecondOpinion.is_silent

    def meanwhile(self, timeout_s):
        found.append(guarded.cut_frozen())
        return opinion(self, timeout_s)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SecondOpinion, "is_silent", meanwhile)
        assert guarded.cut_frozen() == 1
    assert found == [0]


def test_a_process_without_another_thread_cuts_nothing(guarded, ask, clock, monkeypatch):
    ask()
    guarded.cut_frozen()
    clock.move(LIMIT_S)

    def fail(_):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", fail)
    assert guarded.cut_frozen() == 0


@pytest.mark.parametrize(
    ("error", "is_silent"),
    [
        (TimeoutError(), True),
        (ConnectionTimeout(), True),
        (OSError("connection to server at 10.0.0.1 failed: timeout expired"), True),
        (ConnectionRefusedError(), False),
        (OSError("FATAL: sorry, too many clients already"), False),
    ],
    ids=lambda each: type(each).__name__,
)
def test_what_the_driver_says_is_an_answer_unless_it_gave_up(guarded, database, error, is_silent):
    database.error = error
    assert SecondOpinion(guarded).is_silent(30.0) is is_silent


def test_a_forked_child_suspects_nobody(guarded, ask):
    ask()
    guarded.cut_frozen()
    assert guarded.suspicion.waiting == 1
    guarded.forget(threading.RLock())
    assert guarded.suspicion.waiting == 0


def test_off_it_looks_at_nothing(make_pool, silence, clock, database):
    pool = make_pool(suspect_after_s=0)
    held = pool.connect()
    held.driver_connection.status = 1
    pool.cut_frozen()
    clock.move(10_000)
    assert pool.cut_frozen() == 0
    assert database.opened == 1
    held.close()


def test_of_a_driver_that_does_not_tell_nobody_is_suspected():
    assert not waits(object())
    assert transferred(object()) == ()


def test_the_keeper_rests_no_longer_than_half_the_limit(make_pool):
    keeper, pools = Keeper(every_s=10.0), [make_pool(suspect_after_s=limit_s) for limit_s in (0, 30, 3)]
    assert keeper._rest_s() == 10.0
    for pool, rest_s in zip(pools, (10.0, 10.0, 1.5), strict=True):
        keeper.watch(pool.stats)
        assert keeper._rest_s() == rest_s


def test_suspicion_begins_with_nobody():
    assert (Suspicion().waiting, Suspicion().is_asking) == (0, False)
