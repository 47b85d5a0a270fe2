"""Servers that turn read-only, end their sessions or go: what is left of the pool, and who is told."""

from __future__ import annotations

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError

from pytest_dbguard.runtime.events import FailoverEvent
from pytest_dbguard.runtime.failover import follow_primary
from tests.runtime.faults.clients import until

PID = "SELECT pg_backend_pid()"
WRITE = "UPDATE accounts SET amount = amount + 1"


def told(used, kind):
    events = []
    used.manager.events.subscribe(kind, events.append)
    return events


async def test_a_primary_that_turns_read_only_is_left_and_come_back_to(client, postgres, accounts):
    used = client()
    failovers = told(used, "failover")
    pid = await used.ask(PID)
    postgres.make_read_only()
    for _ in range(2):
        with pytest.raises(DBAPIError) as caught:
            await used.ask(WRITE)
        assert caught.value.connection_invalidated
    postgres.make_read_only(False)
    await used.ask(WRITE)
    assert await used.ask(PID) != pid
    assert accounts() == [11, 11]
    assert failovers == [
        FailoverEvent("primary", "primary", "primary refuses to write", "25006"),
        FailoverEvent("primary", "primary", "of use again", None),
    ]


async def test_all_connections_of_a_read_only_primary_are_left(client, postgres, accounts):
    used = client(pool={"size": 2})
    async with used.held() as execute, used.held() as other:
        pids = [(await each(PID)).scalar() for each in (execute, other)]
        postgres.make_read_only()
        await execute("ROLLBACK")
        with pytest.raises(DBAPIError):
            await execute(WRITE)
    postgres.make_read_only(False)
    async with used.held() as execute, used.held() as other:
        assert not {(await each(PID)).scalar() for each in (execute, other)} & set(pids)


def test_a_transaction_that_is_read_only_on_purpose_is_no_failover(manager, postgres, accounts):
    from tests.runtime.manager.conftest import address

    used = manager(url=address(postgres.url), pool={"size": 1, "overflow": 0})
    failovers = []
    used.events.subscribe("failover", failovers.append)

    def by_option(connection):
        return connection.execution_options(postgresql_readonly=True)

    def by_driver(connection):
        connection.connection.driver_connection.read_only = True
        return connection

    for ask in (by_option, by_driver):
        with used.engine().connect() as connection, pytest.raises(DBAPIError) as caught:
            ask(connection).execute(text(WRITE))
        assert caught.value.orig.sqlstate == "25006"
        assert not caught.value.connection_invalidated
    assert failovers == []


async def test_sessions_that_the_server_ends_take_the_pool_with_them(client, postgres):
    used = client(pool={"size": 2})
    failovers = told(used, "failover")
    async with used.held() as execute, used.held() as other:
        await execute("SELECT 1")
        await other("SELECT 1")
    async with used.held() as execute:
        postgres.terminate_all()
        with pytest.raises(DBAPIError) as caught:
            await execute("SELECT 1")
        assert caught.value.connection_invalidated
    assert [await used.ask() for _ in range(3)] == [1, 1, 1]
    assert [event.reason for event in failovers][1:] == ["of use again"]
    assert failovers[0].target == "primary"


async def test_a_time_limit_of_one_session_leaves_the_others_alone(client, postgres):
    used = client(pool={"size": 2})
    failovers, errors = told(used, "failover"), told(used, "error")
    async with used.held() as other, used.held() as execute:
        pid = (await other(PID)).scalar()
        # not at once: what the server says together with its answer, libpq takes for a notice, and tells of no SQLSTATE
        await execute("SET idle_in_transaction_session_timeout = 300")
        await until(lambda: postgres.sessions() == 1, "the end of the idle session")
        with pytest.raises(Exception):
            await execute("SELECT 1")
    if errors[0].sqlstate == "25P03":
        assert await used.ask(PID) == pid
        assert failovers == []
    else:  # a driver that finds that it cannot write before it reads what the server said takes the server for lost
        assert failovers
    assert await used.ask() == 1


async def test_each_error_is_told_without_its_text(client, accounts):
    used = client()
    errors = told(used, "error")
    with pytest.raises(DBAPIError):
        await used.ask("INSERT INTO accounts VALUES (1, 77)")
    (event,) = errors
    assert (event.role, event.target, event.sqlstate, event.is_disconnect) == ("primary", "primary", "23505", False)
    assert "77" not in repr(event)
    assert await used.ask() == 1


async def test_a_server_that_lets_nobody_in_is_told_once_and_so_is_its_return(client, postgres):
    used = client()
    failovers = told(used, "failover")
    postgres.stop()
    for _ in range(3):
        with pytest.raises((DBAPIError, OSError)):
            await used.ask()
    postgres.start()
    assert await used.ask() == 1
    assert [event.reason for event in failovers] == ["no connection could be opened", "of use again"]


async def test_a_listener_that_raises_hides_no_error(client, accounts):
    used = client()

    def raises(_):
        raise ValueError("of the listener")

    used.manager.events.subscribe("error", raises)
    used.manager.events.subscribe("failover", raises)
    with pytest.raises(DBAPIError) as caught:
        await used.ask("INSERT INTO accounts VALUES (1, 77)")
    assert caught.value.orig.sqlstate == "23505"
    assert used.manager.events.faults == 1


@pytest.mark.parametrize(
    ("url", "is_led"),
    [
        ("postgresql+psycopg://u@/shop?host=one:5432&host=two:5432", True),
        ("postgresql+psycopg://u@/shop?host=one,two", True),
        ("postgresql+asyncpg://u@/shop?host=one:5432&host=two:5432", True),
        ("postgresql+psycopg://u@/shop?host=one&host=two&target_session_attrs=any", False),
        ("postgresql+psycopg://u@one/shop", False),
        ("postgresql+psycopg://u@/shop?host=/run/postgresql", False),
        ("sqlite:///one,two.db", False),
    ],
)
def test_of_several_servers_the_one_that_may_write_is_primary(url, is_led):
    said = make_url(url).query.get("target_session_attrs")
    led = follow_primary(make_url(url)).query.get("target_session_attrs")
    assert led == ("read-write" if is_led else said)


async def test_of_several_servers_a_replica_is_not_taken_for_primary(client, postgres, replica):
    hosts = [f"{server.directory.path}:{server.port}" for server in (replica, postgres)]
    url = postgres.url.difference_update_query(["port"]).update_query_dict({"host": hosts})
    used = client(url)
    assert await used.ask("SELECT pg_is_in_recovery()") is False
    assert await used.ask("SELECT pg_is_in_recovery()", "readonly") is False
