"""Roles that must not write: the database refuses, however statements get there, and primary writes as before."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.runtime.manager.conftest import address

READS = "SELECT 1"
COMMITS = {"isolation_level": "AUTOCOMMIT"}
"""An option of connections: engines that are views of others take none in SQLAlchemy 2.0.30."""


class TestStatementsThatCommitByThemselves:
    """No transaction begins that could be read-only: the session has to be."""

    WRITE = text("UPDATE accounts SET amount = amount + 1")

    @pytest.fixture(params=["by the caller", "by the settings"])
    def used(self, request, manager, postgres, accounts):
        """Primary's only connection, which "readonly" takes as well, and how to have its statements commit."""
        by_settings = request.param == "by the settings"
        roles = {"primary": {"isolation": "AUTOCOMMIT"}} if by_settings else {}
        return manager(url=address(postgres.url), pool={"size": 1, "overflow": 0}, roles=roles)

    def test_are_refused_on_it_and_on_no_other(self, used, accounts):
        for _ in range(2):
            with used.engine("readonly").connect().execution_options(**COMMITS) as connection:
                assert connection.execute(text(READS)).scalar() == 1
                with pytest.raises(DBAPIError) as caught:
                    connection.execute(self.WRITE)
            assert caught.value.orig.sqlstate == "25006"
            assert not caught.value.connection_invalidated
        with used.engine().connect().execution_options(**COMMITS) as connection:
            connection.execute(self.WRITE)
            pid = connection.execute(text("SELECT pg_backend_pid()")).scalar()
        with used.engine("readonly").connect() as connection:
            assert connection.execute(text("SELECT pg_backend_pid()")).scalar() == pid
        assert accounts() == [11, 11]

    def test_are_refused_where_the_settings_say_so(self, used, accounts):
        with used.session("analytics") as session, pytest.raises(DBAPIError):
            session.execute(self.WRITE)
        assert accounts() == [10, 10]

    def test_are_refused_on_a_connection_that_goes_on_otherwise(self, used, accounts):
        with used.engine("readonly").connect() as connection:
            for level in ("AUTOCOMMIT", "READ COMMITTED", "AUTOCOMMIT"):
                connection.execution_options(isolation_level=level)
                with pytest.raises(DBAPIError):
                    connection.execute(self.WRITE)
                connection.rollback()
            connection.execution_options(isolation_level="READ COMMITTED")
            connection.execute(text(READS))
        with used.engine().execution_options(isolation_level="READ COMMITTED").begin() as connection:
            connection.execute(self.WRITE)
        assert accounts() == [11, 11]

    @pytest.mark.parametrize("idle", [False, True])
    def test_are_refused_on_another_connection_below(self, used, postgres, accounts, idle):
        with used.engine("readonly").connect().execution_options(**COMMITS) as connection:
            connection.execute(text(READS))
            if idle:
                connection.rollback()
            postgres.terminate_all()
            with pytest.raises(DBAPIError) as caught:
                connection.execute(text(READS))
            assert caught.value.connection_invalidated
            connection.rollback()
            with pytest.raises(DBAPIError) as caught:
                connection.execute(self.WRITE)
        assert caught.value.orig.sqlstate == "25006"
        with used.engine().begin() as connection:
            connection.execute(self.WRITE)
        assert accounts() == [11, 11]

    def test_end_with_a_connection_that_broke_meanwhile(self, used, postgres, accounts):
        with used.engine("readonly").connect().execution_options(**COMMITS) as connection:
            connection.execute(text(READS))
            postgres.terminate_all()
        with used.engine().begin() as connection:
            connection.execute(self.WRITE)
        assert accounts() == [11, 11]

    @pytest.mark.parametrize("drivername", ["postgresql", "postgresql+asyncpg"])
    async def test_are_refused_asynchronously_as_well(self, manager, postgres, accounts, drivername):
        used = manager(url=address(postgres.url, drivername), pool={"size": 1, "overflow": 0})
        async with used.async_engine("readonly").connect() as connection:
            await connection.execution_options(**COMMITS)
            with pytest.raises(DBAPIError) as caught:
                await connection.execute(self.WRITE)
        assert caught.value.orig.sqlstate == "25006"
        async with used.async_engine().begin() as connection:
            await connection.execute(self.WRITE)
        assert accounts() == [11, 11]
        await used.stop_async()


class TestConnectionThatWasReplaced:
    """SQLAlchemy opens another one below a `Connection` that goes on after its server has ended the first."""

    WRITE = text("UPDATE accounts SET amount = 0")

    def test_refuses_writes_as_well(self, manager, postgres, accounts):
        used = manager(url=address(postgres.url), pool={"size": 1, "overflow": 0})
        with used.engine("readonly").connect() as connection:
            connection.execute(text(READS))
            postgres.terminate_all()
            with pytest.raises(DBAPIError):
                connection.execute(text(READS))
            connection.rollback()
            with pytest.raises(DBAPIError) as caught:
                connection.execute(self.WRITE)
        assert caught.value.orig.sqlstate == "25006"
        with used.engine().begin() as connection:
            connection.execute(self.WRITE)
        assert accounts() == [0, 0]

    @pytest.mark.parametrize("drivername", ["postgresql", "postgresql+asyncpg"])
    async def test_refuses_writes_asynchronously_as_well(self, manager, postgres, accounts, drivername):
        used = manager(url=address(postgres.url, drivername), pool={"size": 1, "overflow": 0})
        async with used.async_engine("readonly").connect() as connection:
            await connection.execute(text(READS))
            postgres.terminate_all()
            with pytest.raises(DBAPIError):
                await connection.execute(text(READS))
            await connection.rollback()
            with pytest.raises(DBAPIError) as caught:
                await connection.execute(self.WRITE)
        assert caught.value.orig.sqlstate == "25006"
        async with used.async_engine().begin() as connection:
            await connection.execute(self.WRITE)
        assert accounts() == [0, 0]
        await used.stop_async()


async def test_a_configured_readonly_role_refuses_writes(client, postgres, accounts):
    url = address(postgres.url)
    used = client(roles={"readonly": {"url": url}})
    with pytest.raises(DBAPIError) as caught:
        await used.ask("UPDATE accounts SET amount = 0", "readonly")
    assert caught.value.orig.sqlstate == "25006"
    assert not caught.value.connection_invalidated
    assert accounts() == [10, 10]
