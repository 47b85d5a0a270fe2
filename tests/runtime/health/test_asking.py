"""What is learned of real servers, by every driver, on connections beside the pools."""

from __future__ import annotations

import os
import socket
import threading
from types import SimpleNamespace

import pytest
from sqlalchemy import event, make_url

from pytest_dbguard.runtime.health.lines import Cut, Line
from pytest_dbguard.runtime.health.questions import ask
from tests.runtime.waiting import eventually

DRIVERS = ["psycopg", "async psycopg", "asyncpg"]


def urls_of(url, driver, **others):
    name = f"postgresql+{driver.split()[-1]}"
    return {each: at.set(drivername=name) for each, at in {"primary": url, **others}.items()}


def is_async(driver):
    return driver != "psycopg"


def write(postgres):
    postgres.execute("CREATE TABLE IF NOT EXISTS lagging (id int)")
    postgres.execute("INSERT INTO lagging VALUES (1)")


@pytest.fixture
def alembic_version(postgres):
    """A table as Alembic makes it, for as long as the test runs."""
    postgres.execute("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
    yield lambda *versions: [postgres.execute(f"INSERT INTO alembic_version VALUES ('{each}')") for each in versions]
    postgres.execute("DROP TABLE alembic_version")


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_primary(small, postgres, driver):
    manager, checker = small(urls_of(postgres.url, driver), is_async=is_async(driver))
    found = checker.health().targets["primary"]
    assert (found.status, found.reachable, found.read_only, found.reason) == ("healthy", True, False, "")
    assert (found.lag_s, found.lag_bytes, found.revision, found.disk_free_bytes) == (None, None, None, None)
    assert found.latency_ms > 0
    assert found.connect_ms > 0
    assert found.checked_at == manager.clock.wall()
    # nothing of it went through the pool, and nothing stays
    (engine,) = manager.made.values()
    assert engine.pool.checkedin() + engine.pool.checkedout() == 0
    assert eventually(lambda: postgres.sessions() == 0, "the connection to be closed")


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize(("versions", "told"), [((), None), (("b2",), "b2"), (("b2", "a1"), "a1, b2")])
def test_the_migration(small, postgres, alembic_version, driver, versions, told):
    alembic_version(*versions)
    _, checker = small(urls_of(postgres.url, driver), is_async=is_async(driver))
    assert checker.health().targets["primary"].revision == told


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_migration_that_the_user_may_not_read_is_no_trouble(small, postgres, alembic_version, driver):
    alembic_version("a1")
    postgres.execute("DROP ROLE IF EXISTS nobody_special")
    postgres.execute("CREATE ROLE nobody_special LOGIN")
    url = postgres.url.set(username="nobody_special", password=None)
    _, checker = small(urls_of(url, driver), is_async=is_async(driver))
    found = checker.health().targets["primary"]
    assert (found.status, found.reason, found.revision) == ("healthy", "", None)


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_primary_that_refuses_writes_and_accepts_them_again(small, postgres, driver):
    _, checker = small(urls_of(postgres.url, driver), is_async=is_async(driver))
    postgres.make_read_only()
    health = checker.health()
    assert (health.status, health.ok, health.reason) == ("unhealthy", False, "primary: refuses writes")
    assert health.targets["primary"].read_only is True
    postgres.make_read_only(False)
    assert checker.health().status == "healthy"


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_replica_that_keeps_up_that_lags_and_that_catches_up(small, postgres, replica, driver):
    urls = urls_of(postgres.url, driver, **{"readonly-1": replica.url})
    manager, checker = small(urls, is_async=is_async(driver))
    replica.catch_up()
    found = checker.health().targets["readonly-1"]
    assert (found.status, found.read_only, found.lag_s, found.lag_bytes) == ("healthy", True, 0.0, 0)
    replica.pause()
    write(postgres)
    manager.clock.now_s += 60.0
    lagging = checker.health()
    found = lagging.targets["readonly-1"]
    assert found.lag_bytes > 0
    # the commit is a moment old by the server's clock; by ours, the primary was seen there 60 s ago: the smaller holds
    assert 0 <= found.lag_s <= 60.0
    assert lagging.ok
    replica.resume()
    replica.catch_up()
    assert checker.health().targets["readonly-1"].lag_bytes == 0


def test_a_lag_above_the_limit_degrades(small, postgres, replica):
    manager, checker = small(urls_of(postgres.url, "psycopg", **{"readonly-1": replica.url}))
    manager.settings.routing.max_lag_s = 0.0
    replica.catch_up()
    checker.health()
    replica.pause()
    write(postgres)
    manager.clock.now_s += 1.0
    health = checker.health()
    assert (health.status, health.roles["readonly"].status) == ("degraded", "degraded")
    assert "replay is paused" in health.reason


def test_a_replica_that_was_promoted_serves_data_of_its_own(small, postgres, replica):
    urls = urls_of(postgres.url, "psycopg", **{"readonly-1": replica.url})
    manager, checker = small(urls)
    replica.promote()
    health = checker.check_once()
    assert (health.status, health.reason) == ("degraded", "readonly-1: was promoted and follows primary no more")
    assert manager.replicas.reports == [("readonly-1", False)]
    # where the address of primary leads to it, reading from it is right
    _, after_failover = small(urls_of(replica.url, "psycopg", **{"readonly-1": replica.url}))
    assert after_failover.health().status == "healthy"
    # and while there is no other primary, nobody knows better
    postgres.make_read_only()
    assert checker.health().targets["readonly-1"].status == "healthy"


@pytest.mark.parametrize("driver", DRIVERS)
def test_many_questions_leave_no_descriptor_and_no_thread(small, postgres, driver):
    _, checker = small(urls_of(postgres.url, driver), is_async=is_async(driver))
    assert checker.health().ok
    before = eventually(lambda: not asking() and len(os.listdir("/proc/self/fd")), "the thread to end")
    for deadline_s in [60.0, 0.0, 0.001, 0.01] * 10:
        checker.health(deadline_s)
    assert checker.health(60.0).ok
    assert eventually(lambda: not asking() and len(os.listdir("/proc/self/fd")) <= before, "all to be closed")


@pytest.mark.parametrize("driver", DRIVERS)
def test_listeners_that_change_how_an_engine_connects_are_heard(small, postgres, driver):
    manager, checker = small(urls_of(postgres.url, driver), is_async=is_async(driver))
    assert checker.health().ok
    (engine,) = manager.made.values()
    seen = []

    @event.listens_for(getattr(engine, "sync_engine", engine), "do_connect")
    def connecting(dialect, record, arguments, options):
        seen.append(record.info)
        options["user"] = "nobody-of-this-name"

    assert checker.health().targets["primary"].reachable is False
    assert seen == [{}]


def test_a_database_of_another_kind_is_pinged():
    pinged = []
    dialect = SimpleNamespace(name="mysql", do_ping=pinged.append)
    answer = ask(dialect, "connection", make_url("mysql://"), 1.0)
    assert (answer.reachable, answer.read_only, pinged) == (True, None, ["connection"])
    assert answer.latency_ms >= 0


def test_a_line_cuts_drivers_that_tell_their_socket_by_number():
    ours, theirs = socket.socketpair()
    line = Line()
    with ours, theirs:
        line.hold(SimpleNamespace(get_driver_connection=lambda connection: connection), ours)
        line.cut()
        assert theirs.recv(1) == b""
        line.release()
    late = Line()
    late.cut()
    with pytest.raises(Cut):
        late.hold(SimpleNamespace(get_driver_connection=lambda connection: connection), object())


def asking():
    return [each for each in threading.enumerate() if each.name.startswith("dbguard-health")]


def test_a_user_without_privileges_learns_the_same_of_a_replica(small, postgres, replica):
    postgres.execute("DROP ROLE IF EXISTS nobody_special")
    postgres.execute("CREATE ROLE nobody_special LOGIN")
    replica.catch_up()
    gone = postgres.url.set(port=1)
    urls = urls_of(gone, "psycopg", **{"readonly-1": replica.url.set(username="nobody_special", password=None)})
    _, checker = small(urls)
    # without its primary, only one that streams is known to have all there is
    assert checker.health().targets["readonly-1"].lag_s == 0.0


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_replica_in_the_place_of_primary_is_unhealthy(small, replica, driver):
    _, checker = small(urls_of(replica.url, driver), is_async=is_async(driver))
    health = checker.health()
    assert (health.status, health.reason) == ("unhealthy", "primary: is a replica")


@pytest.mark.parametrize("driver", DRIVERS)
def test_replicas_are_judged_without_their_primary(small, postgres, replica, proxy, driver):
    gone = proxy(postgres)
    gone.refuse()
    replica.catch_up()
    urls = urls_of(gone.url(postgres.url), driver, **{"readonly-1": replica.url})
    _, checker = small(urls, is_async=is_async(driver))
    health = checker.health()
    assert health.status == "unhealthy"
    assert health.targets["primary"].reason.startswith("refuses connections")
    assert (health.targets["readonly-1"].status, health.targets["readonly-1"].lag_s) == ("healthy", 0.0)


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_server_without_connections_for_others_is_not_down(small, postgres, driver):
    postgres.execute("DROP ROLE IF EXISTS only_one")
    postgres.execute("CREATE ROLE only_one LOGIN CONNECTION LIMIT 0")
    url = postgres.url.set(username="only_one", password=None)
    _, checker = small(urls_of(url, driver), is_async=is_async(driver))
    found = checker.health().targets["primary"]
    assert (found.status, found.reachable) == ("degraded", True)
    assert "53300" in found.reason
