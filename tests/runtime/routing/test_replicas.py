"""Which replica is chosen: by weight, lag, failures and position, asked in bounded time."""

from __future__ import annotations

import asyncio
import os
import threading
from collections import Counter

import pytest

from pytest_dbguard.runtime.routing import LATEST, Position
from tests.runtime.routing.small_servers import WATCHDOG_S, ServersManager, SmallServer
from tests.runtime.waiting import eventually


def primary(lsn=100, **options):
    return SmallServer(lsn, is_standby=False, **options)


def chosen(manager, needed=None, times=1):
    return {manager.replicas.choose(needed) for _ in range(times)}


def eventually_good(manager):
    def is_good():
        manager.replicas.choose()
        return manager.state().state == "good"

    eventually(is_good, "the answer of the replica")


def test_without_replicas_there_is_nothing_to_choose():
    manager = ServersManager(primary())
    assert chosen(manager) == {None}
    assert not manager.replicas.are_there


def test_reads_are_shared_by_weight():
    manager = ServersManager(primary(), SmallServer(), SmallServer(), SmallServer(), weights=[3.0, 1.0, 0.0])
    counts = Counter(manager.replicas.choose() for _ in range(4000))
    assert 2800 < counts["readonly-1"] < 3200
    assert counts["readonly-1"] + counts["readonly-2"] == 4000
    assert manager.servers["readonly-3"].asked == 0


def test_what_is_known_is_not_asked_again_at_once():
    manager = ServersManager(primary(), SmallServer())
    assert chosen(manager, times=100) == {"readonly-1"}
    assert [server.asked for server in manager.servers.values()] == [1, 1]
    manager.clock.now += 1.5
    assert chosen(manager, times=100) == {"readonly-1"}
    assert [server.asked for server in manager.servers.values()] == [2, 2]


def test_a_position_is_as_old_as_the_question_for_it():
    manager = ServersManager(primary(), SmallServer())
    manager.clock.now += 5.0
    manager.replicas.committed(Position(200, timeline=1), manager.clock.monotonic() - 1.0)
    assert manager.replicas.primary_since(manager.clock.monotonic()) is None
    assert manager.replicas.primary_since(manager.clock.monotonic() - 1.0) == Position(200, timeline=1)


def test_who_commits_need_not_ask_primary():
    manager = ServersManager(primary(), SmallServer())
    chosen(manager)
    for lsn in range(101, 110):
        manager.clock.now += 0.5
        manager.replicas.committed(Position(lsn, timeline=1), manager.clock.monotonic())
        chosen(manager)
    assert manager.servers["primary"].asked == 1


def test_a_replica_that_lags_behind_takes_no_reads_until_it_has_caught_up():
    manager = ServersManager(primary(), SmallServer())
    assert chosen(manager) == {"readonly-1"}
    manager.servers["primary"].lsn = 200
    for _ in range(9):
        manager.clock.now += 1.0
        chosen(manager)
    assert manager.state().state == "good"
    manager.clock.now += 1.0
    assert chosen(manager) == {None}
    assert (manager.state().state, manager.state().lag_s) == ("lagging", 9.0)
    assert manager.state().reason == "lags behind for more than 8 s"
    manager.servers["readonly-1"].lsn = 200
    manager.clock.now += 1.0
    assert chosen(manager) == {"readonly-1"}
    assert manager.state().to_dict()["lag_s"] == 0.0


def test_one_that_lagged_behind_before_anybody_looked_is_found_out_by_the_age_of_what_it_has_replayed():
    manager = ServersManager(primary(200), SmallServer(100, age_s=3600.0), SmallServer(100, age_s=1.0))
    assert chosen(manager, times=20) == {"readonly-2"}
    assert manager.state().lag_s == 3600.0


def test_one_that_has_replayed_all_does_not_lag_however_long_ago_that_was():
    manager = ServersManager(primary(100), SmallServer(100, age_s=3600.0))
    assert chosen(manager) == {"readonly-1"}


def test_one_that_fails_takes_no_reads_and_is_ejected_when_it_fails_again_and_again():
    manager = ServersManager(primary(), SmallServer(), SmallServer(), eject_after=2, return_after_s=30.0)
    assert chosen(manager, times=30) == {"readonly-1", "readonly-2"}
    manager.servers["readonly-1"].error = ConnectionRefusedError("secret")
    for state in ("unknown", "ejected", "ejected"):
        manager.clock.now += 1.5
        assert chosen(manager, times=30) == {"readonly-2"}
        assert manager.state().state == state
    assert [event.reason for event in manager.told] == [
        "takes no reads any more: ConnectionRefusedError (failure 2 in a row)"
    ]
    asked = manager.servers["readonly-1"].asked
    manager.servers["readonly-1"].error = None
    manager.clock.now += 20.0
    assert chosen(manager, times=30) == {"readonly-2"}
    assert manager.servers["readonly-1"].asked == asked
    manager.clock.now += 10.0
    assert chosen(manager, times=30) == {"readonly-1", "readonly-2"}
    assert [(event.target, event.reason) for event in manager.told[1:]] == [("readonly-1", "takes reads again")]


def test_one_that_fails_on_trial_is_out_as_long_again():
    manager = ServersManager(primary(), SmallServer(), eject_after=1, return_after_s=30.0)
    manager.servers["readonly-1"].error = OSError()
    for _ in range(3):
        assert chosen(manager) == {None}
        manager.clock.now += 30.0
    assert len(manager.told) == 1
    manager.servers["readonly-1"].error = None
    assert chosen(manager) == {"readonly-1"}


def test_what_others_report_counts():
    manager = ServersManager(primary(), SmallServer(), eject_after=2)
    assert chosen(manager) == {"readonly-1"}
    manager.replicas.report_failure("readonly-1", "OperationalError")
    assert (manager.state().state, manager.state().failures) == ("unknown", 1)
    manager.replicas.report_failure("readonly-1", "OperationalError")
    assert (manager.state().state, manager.state().reason) == ("ejected", "OperationalError")
    assert chosen(manager) == {None}
    manager.replicas.report_success("readonly-1")
    assert chosen(manager) == {"readonly-1"}
    assert [event.reason[:11] for event in manager.told] == ["takes no re", "takes reads"]
    manager.replicas.report_failure("analytics")
    manager.replicas.report_success("analytics")


def test_when_all_are_down_primary_is_read_from():
    manager = ServersManager(primary(), SmallServer(), SmallServer(), eject_after=1)
    for name in ("readonly-1", "readonly-2"):
        manager.servers[name].error = OSError()
    assert chosen(manager, times=5) == {None}


def test_a_frozen_replica_holds_up_one_caller_for_a_moment_and_nobody_else():
    manager = ServersManager(primary(), SmallServer(), SmallServer(), wait_s=1.0)
    frozen = manager.servers["readonly-1"]
    with frozen.frozen():
        assert chosen(manager, times=50) == {"readonly-2"}
        for _ in range(5):
            manager.clock.now += 1.5
            assert chosen(manager, times=50) == {"readonly-2"}
        assert frozen.asked == 1
    eventually_good(manager)
    assert chosen(manager, times=50) == {"readonly-1", "readonly-2"}


def test_a_frozen_primary_holds_up_nobody_for_long():
    manager = ServersManager(primary(), SmallServer(), wait_s=1.0)
    with manager.servers["primary"].frozen():
        assert chosen(manager, times=5) == {"readonly-1"}
        assert chosen(manager, Position(100)) == {"readonly-1"}
        assert chosen(manager, Position(101)) == {None}
        assert chosen(manager, LATEST) == {None}


def test_replicas_are_read_from_while_primary_is_down():
    manager = ServersManager(primary(), SmallServer())
    chosen(manager)
    manager.servers["primary"].error = OSError()
    for _ in range(100):
        manager.clock.now += 1.5
        assert chosen(manager) == {"readonly-1"}
    assert manager.servers["primary"].asked == 1


def test_a_replica_is_chosen_that_has_reached_the_position():
    manager = ServersManager(primary(200), SmallServer(100), SmallServer(200))
    assert chosen(manager, Position(200, timeline=1), times=20) == {"readonly-2"}
    assert chosen(manager, Position(100, timeline=1), times=40) == {"readonly-1", "readonly-2"}


def test_a_replica_is_waited_for():
    manager = ServersManager(primary(200), SmallServer(100))
    replica = manager.servers["readonly-1"]

    def replay():
        replica.lsn += 10

    replica.before_answer = replay
    assert chosen(manager, Position(200, timeline=1)) == {"readonly-1"}
    assert replica.asked == 10


def test_the_wait_is_bounded():
    manager = ServersManager(primary(200), SmallServer(100), wait_s=0.5)
    began = manager.clock.now
    assert chosen(manager, Position(200, timeline=1)) == {None}
    assert manager.clock.now - began <= 0.5


def test_nobody_waits_where_that_is_not_wanted():
    manager = ServersManager(primary(200), SmallServer(200), wait_s=0.0)
    eventually_good(manager)
    assert chosen(manager, Position(200, timeline=1)) == {"readonly-1"}
    manager.replicas.committed(Position(300, timeline=1), manager.clock.monotonic())
    assert chosen(manager, Position(300, timeline=1)) == {None}


def test_many_callers_ask_a_replica_one_after_the_other():
    manager = ServersManager(primary(200), SmallServer(200))
    chosen(manager)
    replica = manager.servers["readonly-1"]
    most, now = [0], [0]
    lock = threading.Lock()
    connect = replica.raw_connection

    def count():
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        connection = connect()

        def close():
            with lock:
                now[0] -= 1

        connection.close = close
        return connection

    replica.raw_connection = count
    found = []
    needed = Position(300, timeline=1)
    manager.replicas.committed(needed, manager.clock.monotonic())
    replica.lsn = 300
    threads = [threading.Thread(target=lambda: found.append(manager.replicas.choose(needed))) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WATCHDOG_S)
    assert found == ["readonly-1"] * 16
    assert most == [1]


@pytest.mark.parametrize("forged", [LATEST, Position(2**63, timeline=1), Position(0, timeline=99), Position(201)])
def test_no_position_is_believed_beyond_primarys_own(forged):
    manager = ServersManager(primary(200), SmallServer(200))
    assert chosen(manager, forged, times=3) == {"readonly-1"}
    manager.servers["primary"].lsn = 300
    manager.clock.now += 0.1
    manager.servers["readonly-1"].lsn = 250
    manager.clock.now += 0.1
    assert chosen(manager, LATEST) == {None}


def test_after_a_failover_that_lost_something_old_positions_are_none():
    manager = ServersManager(primary(200), SmallServer(200))
    chosen(manager)
    manager.servers["primary"] = primary(150, timeline=2)
    manager.servers["readonly-1"] = SmallServer(150, timeline=2)
    manager.clock.now += 1.5
    assert chosen(manager, Position(200, timeline=1)) == {"readonly-1"}
    assert chosen(manager, Position(150, timeline=2)) == {"readonly-1"}


def test_a_replica_that_follows_the_old_primary_is_not_read_from():
    manager = ServersManager(primary(150, timeline=2), SmallServer(200, timeline=1), SmallServer(150, timeline=2))
    assert chosen(manager, times=20) == {"readonly-2"}
    assert chosen(manager, Position(150, timeline=2), times=20) == {"readonly-2"}
    assert manager.state().reason == "follows a server that is not primary any more"


def test_a_replica_that_was_promoted_is_read_from_only_when_it_is_primary():
    manager = ServersManager(primary(200), SmallServer(200))
    assert chosen(manager) == {"readonly-1"}
    promoted = manager.servers["readonly-1"]
    promoted.is_standby, promoted.timeline = False, 2
    manager.clock.now += 1.5
    assert chosen(manager) == {None}
    assert manager.state().reason == "has become a primary of its own"
    manager.servers["primary"] = promoted
    manager.clock.now += 1.5
    assert chosen(manager, LATEST) == {"readonly-1"}


def test_roles_that_lead_to_one_server_need_no_positions():
    one = primary(200)
    manager = ServersManager(one, one)
    one.lsn = 300
    assert chosen(manager, Position(250, timeline=1)) == {"readonly-1"}


def test_another_server_that_is_no_replica_is_never_taken_for_one_that_has_a_write():
    manager = ServersManager(primary(200), primary(10**6))
    assert chosen(manager) == {"readonly-1"}
    assert chosen(manager, Position(150, timeline=1)) == {None}


@pytest.mark.parametrize("timeline", [None, 1])
def test_who_may_not_see_timelines_goes_by_positions(timeline):
    manager = ServersManager(primary(200), SmallServer(200, timeline=timeline, age_s=None))
    assert chosen(manager, Position(200, timeline=1)) == {"readonly-1"}


def test_one_that_tells_no_position_has_reached_none():
    manager = ServersManager(primary(200), SmallServer(None))
    assert chosen(manager) == {"readonly-1"}
    assert chosen(manager, Position(1, timeline=1)) == {None}


def test_a_pool_that_is_used_up_is_no_fault_of_the_server():
    manager = ServersManager(primary(), SmallServer(), eject_after=1)
    chosen(manager)
    replica = manager.servers["readonly-1"]
    pool = replica.pool
    pool._max_overflow, pool.checkedin, pool.overflow = 10, lambda: 0, lambda: 10
    for _ in range(10):
        manager.clock.now += 1.5
        assert chosen(manager) == {"readonly-1"}
    assert replica.asked == 1
    pool.checkedin = lambda: 1
    manager.clock.now += 1.5
    chosen(manager)
    assert replica.asked == 2


def test_those_that_are_excluded_are_not_chosen():
    manager = ServersManager(primary(), SmallServer(), SmallServer())
    assert {manager.replicas.choose(without=["readonly-2"]) for _ in range(20)} == {"readonly-1"}
    assert manager.replicas.choose(without=["readonly-1", "readonly-2"]) is None


async def test_in_an_event_loop_nobody_waits():
    manager = ServersManager(primary(), SmallServer(), eject_after=1)
    with manager.servers["readonly-1"].frozen():
        assert manager.replicas.choose(by_threads=True) == "readonly-1"
        assert manager.replicas.choose(Position(1), by_threads=True) is None
    async with asyncio.timeout(WATCHDOG_S):
        while manager.state().state != "good":
            await asyncio.sleep(0.001)
    assert manager.replicas.choose(Position(1, timeline=1), by_threads=True) == "readonly-1"
    manager.replicas.report_failure("readonly-1")
    assert manager.replicas.choose(by_threads=True) is None


def test_a_driver_that_is_missing_is_no_fault_of_the_server():
    manager = ServersManager(primary(), SmallServer(), eject_after=1)
    for server in manager.servers.values():
        server.error = ModuleNotFoundError("psycopg")
    for _ in range(3):
        assert chosen(manager) == {"readonly-1"}
        assert chosen(manager, Position(1)) == {None}
        manager.clock.now += 1.5


def test_without_threads_primary_is_read_from(monkeypatch):
    manager = ServersManager(primary(), SmallServer())

    def refuse(self):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        assert chosen(manager) == {None}
    manager.clock.now += 1.5
    assert chosen(manager) == {"readonly-1"}


def test_a_forked_child_chooses_whoever_held_what_in_its_parent():
    manager = ServersManager(primary(), SmallServer())
    known = manager.replicas._known
    manager.servers["readonly-1"].lsn = 100
    with known._lock:
        assert known._watches["readonly-1"].claim(manager.clock.now)
        child = os.fork()
        if child == 0:
            os._exit(0 if manager.replicas.choose() == "readonly-1" else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
