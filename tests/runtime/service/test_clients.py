"""The clients that a service gives: sessions by role, blocks, and whole transactions."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from pytest_dbguard.runtime import DatabaseService, DatabaseSettings, RuntimeFault

COUNT = text("SELECT count(*) FROM item")
INSERT = text("INSERT INTO item (name) VALUES ('new')")
ROLES = ("client", "readonly", "analytics", "routed")


@pytest.mark.parametrize("role", ROLES)
def test_gives_sessions(service, role):
    client = getattr(service, role)()
    with client as session, client.session() as other:
        assert session is not other
        assert session.scalar(COUNT) == other.scalar(COUNT) == 1


@pytest.mark.parametrize("role", ROLES)
async def test_gives_asynchronous_sessions(service, role):
    client = getattr(service, role)()
    async with client as session, client.async_session() as other:
        assert session is not other
        assert await session.scalar(COUNT) == await other.scalar(COUNT) == 1
    await service.stop_async()


@pytest.mark.parametrize("is_committed", [False, True])
def test_a_block_commits_nothing_by_itself(service, is_committed):
    with service.client() as session:
        session.execute(INSERT)
        if is_committed:
            session.commit()
    with service.client() as session:
        assert session.scalar(COUNT) == 1 + is_committed
    assert service.metrics().pools["primary"].in_use == 0


@pytest.mark.parametrize("is_committed", [False, True])
async def test_an_asynchronous_block_commits_nothing_by_itself(service, is_committed):
    async with service.client() as session:
        await session.execute(INSERT)
        if is_committed:
            await session.commit()
    async with service.client() as session:
        assert await session.scalar(COUNT) == 1 + is_committed
    await service.stop_async()


@pytest.mark.parametrize("role", ["readonly", "analytics"])
def test_roles_for_reading_refuse_to_write(service, role):
    with getattr(service, role)() as session, pytest.raises(DBAPIError):
        session.execute(INSERT)


def test_a_role_without_a_server_reads_from_the_primary(tmp_path, service):
    lonely = DatabaseService(DatabaseSettings(profile="test", url=f"sqlite:///{tmp_path}/shop.db"))
    with lonely, lonely.readonly() as session:
        assert session.scalar(COUNT) == 1
        with pytest.raises(DBAPIError):
            session.execute(INSERT)


def test_runs_transactions(service):
    def work(session):
        session.execute(INSERT)
        return session.scalar(COUNT)

    assert service.client().run(work) == 2
    with service.client() as session:
        assert session.scalar(COUNT) == 2


async def test_runs_asynchronous_transactions(service):
    async def work(session):
        await session.execute(INSERT)
        return await session.scalar(COUNT)

    assert await service.client().run_async(work) == 2
    async with service.client() as session:
        assert await session.scalar(COUNT) == 2
    await service.stop_async()


def test_a_client_gives_one_session_at_a_time(service):
    client = service.client()
    with client as session:
        with pytest.raises(RuntimeFault, match="client.session"), client:
            raise AssertionError
        assert session.scalar(COUNT) == 1
    with client as session:
        assert session.scalar(COUNT) == 1


async def test_a_client_gives_one_asynchronous_session_at_a_time(service):
    client = service.client()
    async with client as session:
        with pytest.raises(RuntimeFault, match="client.session"):
            async with client:
                raise AssertionError
        assert await session.scalar(COUNT) == 1
    await service.stop_async()
