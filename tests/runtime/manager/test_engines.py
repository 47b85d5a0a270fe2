"""Engines by role: each made once, read-only where they must be, and told of."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError

from pytest_dbguard.runtime.errors import NotConfigured, NotStarted, ShuttingDown
from tests.runtime.manager.conftest import address

READS = "SELECT 1"
MAKES = "CREATE TABLE made (id int)"


def test_many_threads_get_the_same_engine(manager):
    shared, together = manager(profile="test"), Barrier(16)

    def ask(_):
        together.wait()
        return shared.engine(), shared.engine("readonly"), shared.async_engine()

    with ThreadPoolExecutor(16) as threads:
        answers = set(threads.map(ask, range(16)))
    assert len(answers) == 1
    assert len(shared.engines()) == 2


def test_nothing_is_made_before_it_is_asked_for(manager):
    lazy = manager(url="postgresql://nobody@127.0.0.1:1/nowhere")
    assert (lazy.state, lazy.engines()) == ("new", ())
    engine = lazy.engine()
    assert [each.engine for each in lazy.engines()] == [engine]
    assert lazy.state == "started"


def test_all_can_be_made_at_once(manager):
    eager = manager(
        roles={
            "primary": {"url": "postgresql://one/shop"},
            "readonly": {"replicas": ["postgresql://two/shop", "postgresql://three/shop"]},
            "analytics": {"url": "postgresql://four/shop"},
        }
    )
    made = eager.engines(make=True)
    assert [(each.target.name, each.is_async) for each in made] == [
        (name, is_async) for name in ("primary", "readonly-1", "readonly-2", "analytics") for is_async in (False, True)
    ]
    assert eager.engine("analytics").url.host == "four"
    assert eager.engine("readonly", target="readonly-2").url.host == "three"
    assert eager.async_engine("readonly", target="readonly-1").url.host == "two"
    assert not eager.fallbacks
    assert [target.name for target in eager.roles()["readonly"]] == ["readonly-1", "readonly-2"]


def test_each_role_has_a_pool_of_its_own_size(manager):
    sized = manager(
        url="postgresql://one/shop",
        pool={"size": 7},
        roles={"analytics": {"url": "postgresql://two/shop", "pool": {"size": 2}}},
    )
    assert (sized.engine().pool.size(), sized.engine("analytics").pool.size()) == (7, 2)


def test_an_unknown_target_is_named(manager):
    with pytest.raises(NotConfigured, match="'primry'") as caught:
        manager(profile="test").engine(target="primry")
    assert "did you mean 'primary'?" in str(caught.value)


@pytest.mark.parametrize("ask", ["engine", "async_engine", "session", "drain", "warm_up"])
def test_a_role_that_does_not_exist_is_named(manager, ask):
    with pytest.raises(NotConfigured, match="there is no role 'primry'") as caught:
        getattr(manager(profile="test"), ask)("primry")
    assert "did you mean 'primary'?" in str(caught.value)


class TestRoleThatIsNotConfigured:
    """Primary serves it, and says so."""

    def test_says_so_once(self, manager, caplog):
        single = manager(profile="test")
        with caplog.at_level(logging.WARNING, "pytest_dbguard.runtime"):
            for _ in range(3):
                single.engine("readonly")
                single.async_engine("readonly")
        assert [record.getMessage() for record in caplog.records] == [single.fallbacks["readonly"]]
        assert "'readonly'" in single.fallbacks["readonly"]
        assert single.roles()["readonly"] == single.roles()["primary"]

    def test_shares_primarys_pool(self, manager):
        single = manager(profile="test")
        assert single.engine("readonly").pool is single.engine().pool
        assert [each.target.role for each in single.engines()] == ["primary"]

    def test_sqlite_refuses_writes_on_it_and_on_no_other(self, manager):
        single = manager(profile="test", pool={"size": 1, "overflow": 0})
        with (
            single.engine("readonly").connect() as connection,
            pytest.raises(OperationalError, match="readonly"),
        ):
            connection.execute(text(MAKES))
        with single.engine().begin() as connection:
            connection.execute(text(MAKES))
        with single.engine("readonly").connect() as connection:
            assert connection.execute(text("SELECT count(*) FROM made")).scalar() == 0

    async def test_asynchronous_sqlite_refuses_writes_on_it_and_on_no_other(self, manager):
        single = manager(profile="test", pool={"size": 1, "overflow": 0})
        async with single.async_engine("readonly").connect() as connection:
            with pytest.raises(OperationalError, match="readonly"):
                await connection.execute(text(MAKES))
        async with single.async_engine().begin() as connection:
            await connection.execute(text(MAKES))
        await single.stop_async()

    async def test_postgresql_refuses_writes_on_it_and_on_no_other(self, client, accounts):
        used = client(pool={"size": 1, "overflow": 0})
        pid = await used.ask("SELECT pg_backend_pid()")
        with pytest.raises(DBAPIError) as caught:
            await used.ask("UPDATE accounts SET amount = 0", "analytics")
        assert not caught.value.connection_invalidated
        await used.ask("UPDATE accounts SET amount = 5")
        assert await used.ask("SELECT pg_backend_pid()") == pid
        assert accounts() == [5, 5]


class TestRoleWithoutServerWhoseEngineDiffers:
    """Primary's server serves it, by an engine that keeps to what the settings say of the role."""

    ROLES = {"analytics": {"statement_s": 900.0, "isolation": "repeatable read", "pool": {"size": 1, "overflow": 0}}}

    async def test_keeps_to_it(self, client, accounts):
        used = client(roles=self.ROLES)
        wanted = {"statement_timeout": "15min", "transaction_isolation": "repeatable read"}
        assert {name: await used.ask(f"SHOW {name}", "analytics") for name in wanted} == wanted
        with pytest.raises(DBAPIError):
            await used.ask("UPDATE accounts SET amount = 0", "analytics")
        assert await used.ask("SHOW transaction_isolation") == "read committed"
        assert accounts() == [10, 10]

    def test_says_so_once(self, manager, caplog):
        used = manager(url="postgresql://one/shop", roles=self.ROLES)
        with caplog.at_level(logging.WARNING, "pytest_dbguard.runtime"):
            pools = {id(used.engine(role).pool) for role in ("primary", "analytics", "analytics", "primary")}
            used.async_engine("analytics")
        (record,) = caplog.records
        assert record.getMessage().startswith("the role 'analytics' has no server of its own")
        assert len(pools) == 2

    def test_says_nothing_of_a_server_that_was_named(self, manager, caplog):
        url = "postgresql://one/shop"
        used = manager(url=url, roles={"analytics": {"url": url}, "readonly": {"replicas": [url]}})
        with caplog.at_level(logging.WARNING, "pytest_dbguard.runtime"):
            used.engines(make=True)
        assert not caplog.records


class TestSqlite:
    """Right transactions, on a disk."""

    def test_commits_wait_for_the_disk_and_keys_are_enforced(self, manager, file_url):
        with manager(url=file_url).engine().connect() as connection:
            asked = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("synchronous", "foreign_keys")]
        assert asked == [2, 1]

    def test_what_was_made_is_rolled_back(self, manager, file_url):
        engine = manager(url=file_url).engine()
        with engine.connect() as connection:
            connection.execute(text(MAKES))
            connection.rollback()
            assert connection.execute(text("SELECT count(*) FROM sqlite_master")).scalar() == 0

    def test_a_session_that_has_read_keeps_nobody_from_writing(self, manager, file_url):
        engine = manager(url=file_url, timeouts={"lock_s": 0.001}).engine()
        with engine.begin() as connection:
            connection.execute(text(MAKES))
        with engine.connect() as reader:
            reader.execute(text("SELECT * FROM made")).all()
            with engine.begin() as writer:
                writer.execute(text("INSERT INTO made VALUES (1)"))


class TestDatabaseInMemory:
    """Lives as long as the manager runs, whatever becomes of connections."""

    async def test_outlives_its_connections(self, manager):
        used = manager(profile="test")
        with used.engine().begin() as connection:
            connection.execute(text(MAKES))
        used.engine().dispose()
        async with used.async_engine().connect() as connection:
            assert (await connection.execute(text("SELECT count(*) FROM made"))).scalar() == 0
        await used.stop_async()

    def test_goes_with_the_manager(self, manager):
        used = manager(profile="test")
        with used.engine().begin() as connection:
            connection.execute(text(MAKES))
        used.stop()
        with used.start().engine().connect() as connection:
            assert connection.execute(text("SELECT count(*) FROM sqlite_master")).scalar() == 0

    def test_is_not_another_managers(self, manager):
        first, second = manager(profile="test"), manager(profile="test")
        with first.engine().begin() as connection:
            connection.execute(text(MAKES))
        with second.engine().connect() as connection:
            assert connection.execute(text("SELECT count(*) FROM sqlite_master")).scalar() == 0


class TestSessions:
    """Sessions are of the role, and options go through."""

    def test_by_role(self, manager):
        single = manager(profile="test")
        with single.session("readonly", expire_on_commit=False) as session:
            assert session.get_bind() is single.engine("readonly")
            assert session.expire_on_commit is False
        with single.sessionmaker(expire_on_commit=False)() as session:
            assert session.get_bind() is single.engine()
            assert session.expire_on_commit is False

    async def test_asynchronous_ones_by_role(self, manager):
        single = manager(profile="test")
        async with single.async_session("readonly") as session:
            assert session.bind is single.async_engine("readonly")
        async with single.async_sessionmaker(expire_on_commit=False)() as session:
            assert session.bind is single.async_engine()
            assert session.sync_session.expire_on_commit is False
            assert (await session.execute(text(READS))).scalar() == 1
        await single.stop_async()

    def test_a_maker_chooses_a_server_for_each_session(self, manager, postgres, replica):
        replica.catch_up()
        replicas = manager(
            url=address(postgres.url),
            roles={"readonly": {"replicas": [address(replica.url)] * 2}},
            routing={"wait_s": 5.0},  # a busy machine connects late, and reads would go to primary
        )
        make, asked = replicas.sessionmaker("readonly"), set()
        for _ in range(64):
            with make() as session:
                assert session.scalar(text("SELECT pg_is_in_recovery()"))
                asked.add(session.get_bind())
        assert asked == {replicas.engine("readonly", target=f"readonly-{number}") for number in (1, 2)}

    def test_a_session_may_begin_by_the_maker(self, manager):
        single = manager(profile="test")
        with single.sessionmaker().begin() as session:
            session.execute(text(MAKES))
        with single.session() as session:
            assert session.execute(text("SELECT count(*) FROM made")).scalar() == 0


class TestLife:
    """new, started, stopping, stopped."""

    def test_is_started_by_use_and_stopped_for_good(self, manager):
        used = manager(profile="test")
        engine = used.engine()
        used.stop()
        assert used.state == "stopped"
        for ask in (used.engine, used.async_engine, used.session, used.routing_session):
            with pytest.raises(NotStarted, match="stopped"):
                ask()
        with pytest.raises(ShuttingDown):
            engine.connect()

    def test_can_be_started_anew(self, manager):
        used = manager(profile="test")
        first = used.engine()
        used.stop()
        assert used.start().state == "started"
        assert used.engine() is not first
        with used.session() as session:
            assert session.execute(text(READS)).scalar() == 1

    def test_twice_is_once(self, manager):
        used = manager(profile="test")
        used.start()
        used.start()
        engine = used.engine()
        used.start()
        assert used.engine() is engine
        used.stop()
        used.stop()
        assert used.state == "stopped"

    def test_stopping_what_was_never_started(self, manager):
        used = manager(profile="test")
        used.stop()
        assert used.state == "stopped"

    def test_as_a_context_manager(self, manager):
        with manager(profile="test") as used:
            assert used.state == "started"
        assert used.state == "stopped"

    async def test_as_an_asynchronous_context_manager(self, manager):
        async with manager(profile="test") as used, used.async_session() as session:
            assert (await session.execute(text(READS))).scalar() == 1
        assert used.state == "stopped"

    async def test_an_eager_start_opens_a_connection(self, client, postgres):
        used = client()
        before = postgres.sessions()
        await used.start(eager=True)
        assert postgres.sessions() == before + 1

    async def test_an_eager_start_opens_as_many_as_the_settings_say(self, client, postgres):
        used = client(pool={"size": 3, "warm_up": 3})
        before = postgres.sessions()
        await used.start(eager=True)
        assert postgres.sessions() == before + 3

    async def test_an_eager_start_does_without_a_replica(self, client, postgres, proxy, caplog):
        between = proxy()
        between.refuse()
        used = client(roles={"readonly": {"url": address(between.url(postgres.url))}})
        with caplog.at_level(logging.WARNING, "pytest_dbguard.runtime"):
            await used.start(eager=True)
        assert any("cannot be reached at the start" in record.getMessage() for record in caplog.records)
        assert await used.ask() == 1

    async def test_an_eager_start_that_fails_leaves_nothing_open(self, client, postgres, proxy):
        between = proxy()
        between.refuse()
        used = client(between.url(postgres.url))
        with pytest.raises((DBAPIError, OSError)):
            await used.start(eager=True)
        assert (used.manager.state, used.manager.engines()) == ("new", ())


def test_a_manager_is_no_ones_that_forgot_it():
    """Nothing keeps a manager alive once nobody has it: no hook for the end of Python, no hook for forks."""
    import gc
    from weakref import ref

    from pytest_dbguard.runtime.manager import DatabaseManager
    from pytest_dbguard.runtime.settings import DatabaseSettings

    used = DatabaseManager(DatabaseSettings(profile="test"))
    with used.session() as session:
        session.execute(text(READS))
    weak = ref(used)
    del used, session
    gc.collect()
    assert weak() is None


async def test_serves_one_event_loop_after_another(client):
    used = client()
    assert await used.ask() == 1

    def elsewhere():
        return asyncio.run(used.ask())

    assert await asyncio.to_thread(elsewhere) == 1


@pytest.mark.parametrize("timing", [True, False])
def test_statements_are_timed_unless_the_settings_say_otherwise(manager, timing):
    used = manager(profile="test", middleware={"timing": timing})
    heard = []
    used.events.subscribe("query", heard.append)
    with used.engine().connect() as connection:
        connection.execute(text("SELECT 42"))
    assert len(heard) == sum(each.calls for each in used.metrics().statements.values()) == int(timing)
