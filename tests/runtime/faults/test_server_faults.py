"""Faults of the server: restarted, crashed, its sessions ended, read-only, out of reach, its passwords changed."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import DBAPIError

from pytest_dbguard.runtime.sqlstates import sqlstate_of
from tests.runtime.faults.clients import UNREACHABLE, until
from tests.runtime.faults.server import GUARDED


def events_of(used, kind):
    told = []
    used.manager.events.subscribe(kind, told.append)
    return told


@pytest.mark.parametrize("end", ["stop", "crash"])
async def test_a_restart_between_requests_is_not_seen(client, postgres, end):
    used = client()
    assert await used.ask() == 1
    getattr(postgres, end)()
    postgres.start()
    assert await used.ask() == 1


async def test_a_restart_is_told_to_who_does_not_check(client, postgres):
    used = client(pool={"check_after_idle_s": 3600.0, "size": 2})
    async with used.held(), used.held():
        pass
    assert used.figures().idle == 2
    postgres.restart()
    with pytest.raises(DBAPIError) as caught:
        await used.ask()
    assert caught.value.connection_invalidated
    assert await used.ask() == 1
    assert await used.ask() == 1


async def test_while_the_server_is_down_each_request_fails_and_after_it_none(client, postgres):
    used = client()
    assert await used.ask() == 1
    postgres.stop()
    for _ in range(3):
        with pytest.raises(UNREACHABLE):
            await used.ask()
    assert used.figures().in_use == 0
    postgres.start()
    assert await used.ask() == 1


async def test_all_sessions_are_ended(client, postgres):
    used = client()
    failovers = events_of(used, "failover")
    async with used.held() as execute, used.held():
        await execute("SELECT 1")
        assert postgres.terminate_all() == 2
        with pytest.raises(DBAPIError) as caught:
            await execute("SELECT 1")
        assert caught.value.connection_invalidated
        # asyncpg may have closed the connection by itself when it was told
        assert sqlstate_of(caught.value.orig) in ("57P01", "08003")
    assert await used.ask() == 1
    assert (failovers[0].role, failovers[0].sqlstate) in (("primary", "57P01"), ("primary", "08003"))


async def test_a_transaction_is_done_again_when_its_session_is_ended(client, postgres, notes):
    used, attempts = client(), []

    def end_first():
        attempts.append(1)
        if len(attempts) == 1:
            postgres.terminate_all()

    await used.run(notes.insert, end_first)
    assert len(attempts) == 2
    assert notes.count() == 1


async def test_primary_turns_read_only_and_back(client, postgres, notes):
    used = client()
    failovers = events_of(used, "failover")
    await used.ask(notes.insert)
    postgres.make_read_only()
    for _ in range(2):
        with pytest.raises(DBAPIError) as caught:
            await used.ask(notes.insert)
        assert sqlstate_of(caught.value.orig) == "25006"
        assert caught.value.connection_invalidated
    assert failovers[0].sqlstate == "25006"
    postgres.make_read_only(False)
    await used.ask(notes.insert)
    assert notes.count() == 2


async def test_primary_becomes_another_server(client, postgres, replica, proxy, notes):
    """The service address leads to the replica first, which is promoted later."""
    replica.catch_up()
    between = proxy(postgres)
    used = client(between.url(postgres.url))
    await used.ask(notes.insert)
    replica.catch_up()
    between.lead_to(replica.socket)
    with pytest.raises(DBAPIError) as caught:
        await used.ask(notes.insert)
    assert sqlstate_of(caught.value.orig) == "25006"
    replica.promote()
    await used.ask(notes.insert)
    assert replica.scalar("SELECT count(*) FROM fault_notes") == 2
    assert notes.count() == 1


async def test_a_name_is_given_to_another_server_while_connections_to_the_old_one_stay(
    client, postgres, replica, proxy, notes
):
    between = proxy(postgres)
    used = client(between.url(postgres.url))
    async with used.held(), used.held():
        pass
    replica.catch_up()
    between.lead_to(replica.socket, keep_open=True)
    replica.promote()
    postgres.make_read_only()
    with pytest.raises(DBAPIError) as caught:
        await used.ask(notes.insert)
    assert sqlstate_of(caught.value.orig) == "25006"
    await used.ask(notes.insert)
    await used.ask(notes.insert)
    assert replica.scalar("SELECT count(*) FROM fault_notes") == 2


async def test_the_readonly_role_refuses_writes_and_that_is_no_failover(client, notes):
    used = client()
    failovers = events_of(used, "failover")
    pid = await used.ask("SELECT pg_backend_pid()", "readonly")
    with pytest.raises(DBAPIError) as caught:
        await used.ask(notes.insert, "readonly")
    assert sqlstate_of(caught.value.orig) == "25006"
    assert not caught.value.connection_invalidated
    assert await used.ask("SELECT pg_backend_pid()", "readonly") == pid
    assert failovers == []
    await used.ask(notes.insert)
    assert notes.count() == 1


async def test_refused_at_the_start(client, postgres, proxy):
    between = proxy(postgres)
    between.refuse()
    used = client(between.url(postgres.url))
    with pytest.raises(UNREACHABLE):
        await used.start(eager=True)
    with pytest.raises(UNREACHABLE):
        await used.ask()
    between.ok()
    await used.start(eager=True)
    assert await used.ask() == 1


async def test_a_connection_that_the_server_closed_for_idling_is_not_seen(client, postgres):
    used = client(pool={"size": 1})
    await used.ask("SET idle_session_timeout = 1")
    await until(lambda: not postgres.sessions(), "the end of the idle session")
    assert await used.ask("SHOW idle_session_timeout") == "0"


@pytest.fixture
def guarded(postgres):
    """The address for a role that gives a password, and a function that changes it."""

    def change(password):
        postgres.execute(f"ALTER ROLE {GUARDED} PASSWORD '{password}'")

    postgres.execute(f"CREATE ROLE {GUARDED} LOGIN PASSWORD 'first'")
    yield postgres.url.set(username=GUARDED), change
    postgres.terminate_all()
    postgres.execute(f"DROP ROLE {GUARDED}")


async def test_a_password_that_rotates_is_asked_for_and_once_more_when_it_is_refused(client, postgres, guarded):
    url, change = guarded
    asked, passwords = [], ["first"]

    def password():
        asked.append(passwords[0])
        return passwords.pop(0) if len(passwords) > 1 else passwords[0]

    used = client(roles={"primary": {"url": url, "password_from": password}})
    assert await used.ask() == 1
    change("second")
    passwords[:] = ["first", "second"]  # what is handed out lags behind at first
    postgres.terminate_all()
    assert await used.ask("SELECT current_user") == GUARDED
    assert asked == ["first", "first", "second"]


async def test_a_password_that_is_wrong_is_told_without_it(client, postgres, guarded):
    url, change = guarded
    used = client(url.set(password="first"))
    errors = events_of(used, "error")
    assert await used.ask() == 1
    change("second")
    assert await used.ask() == 1
    postgres.terminate_all()
    # before version 2.1, SQLAlchemy passes asyncpg's errors of connecting on as they are
    with pytest.raises(Exception, match="password authentication failed") as caught:
        await used.ask()
    assert "first" not in f"{caught.value!r}{caught.value}{errors}"
    change("first")
    assert await used.ask() == 1


async def test_connections_are_replaced_when_credentials_are_said_to_have_changed(client):
    used = client()
    async with used.held() as execute:
        (old,) = (await execute("SELECT pg_backend_pid()")).one()
        used.manager.drain("primary")
        assert (await execute("SELECT pg_backend_pid()")).one() == (old,)
    new = {await used.ask("SELECT pg_backend_pid()") for _ in range(3)}
    assert old not in new
