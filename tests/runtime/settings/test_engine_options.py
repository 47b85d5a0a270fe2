"""What engines get, on the databases themselves."""

from __future__ import annotations

import subprocess

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import create_async_engine

from pytest_dbguard.core.errors import ConfigError
from pytest_dbguard.runtime.pools.policy import PoolPolicy
from pytest_dbguard.runtime.settings import DatabaseSettings

SHOWN = {
    "application_name": "shop:analytics",
    "statement_timeout": "90s",
    "lock_timeout": "1500ms",
    "idle_in_transaction_session_timeout": "7s",
    "transaction_isolation": "repeatable read",
}
DRIVERS = [
    ("postgresql", False),
    ("postgresql", True),
    ("postgresql+psycopg2", True),
    ("postgresql+asyncpg", False),
    ("postgresql+asyncpg", True),
]


def settings_for(url, **more):
    return DatabaseSettings(
        profile="test",
        url=url,
        app="shop",
        timeouts={"lock_s": 1.5, "statement_s": 3, "idle_in_transaction_s": 7},
        roles={"analytics": {"statement_s": 90, "isolation": "repeatable-read"}},
        **more,
    )


async def answers(settings, statements, role="primary", *, is_async):
    """Return the first value of the first row that each statement gives, in one connection of a new engine."""
    url = settings.engine_url(settings.target(role), is_async=is_async)
    options = settings.engine_options(role, is_async=is_async)
    if is_async:
        engine = create_async_engine(url, **options)
        try:
            async with engine.connect() as connection:
                return [(await connection.execute(text(statement))).scalar() for statement in statements]
        finally:
            await engine.dispose()
    engine = create_engine(url, **options)
    try:
        with engine.connect() as connection:
            return [connection.execute(text(statement)).scalar() for statement in statements]
    finally:
        engine.dispose()


class TestPostgres:
    @pytest.mark.parametrize(("driver", "is_async"), DRIVERS)
    async def test_what_the_server_was_told(self, postgres, driver, is_async):
        settings = settings_for(postgres.url.set(drivername=driver))
        found = await answers(settings, [f"SHOW {name}" for name in SHOWN], "analytics", is_async=is_async)
        assert dict(zip(SHOWN, found, strict=True)) == SHOWN

    @pytest.mark.parametrize(("driver", "is_async"), DRIVERS)
    async def test_limits_that_are_off_are_left_to_the_server(self, postgres, driver, is_async):
        off = {"lock_s": 0, "statement_s": 0, "idle_in_transaction_s": 0}
        settings = DatabaseSettings(profile="test", url=postgres.url.set(drivername=driver), timeouts=off)
        options = settings.engine_options(is_async=is_async)["connect_args"]
        assert "options" not in options
        assert await answers(settings, ["SHOW statement_timeout"], is_async=is_async) == ["0"]

    @pytest.mark.parametrize("is_async", [False, True])
    async def test_what_the_url_says_itself_is_left_to_it(self, postgres, is_async):
        url = postgres.url.update_query_dict(
            {"application_name": "own", "connect_timeout": "9", "options": "-c lock_timeout=4s -c work_mem=5MB"}
        )
        settings = settings_for(url)
        shown = ["application_name", "lock_timeout", "work_mem", "statement_timeout"]
        found = await answers(settings, [f"SHOW {name}" for name in shown], is_async=is_async)
        assert found == ["own", "4s", "5MB", "3s"]
        assert "connect_timeout" not in settings.engine_options(is_async=is_async)["connect_args"]

    @pytest.mark.parametrize("is_async", [False, True])
    async def test_a_statement_that_takes_too_long(self, postgres, is_async):
        settings = DatabaseSettings(profile="test", url=postgres.url, timeouts={"statement_s": 0.05})
        with pytest.raises(OperationalError, match="statement timeout"):
            await answers(settings, ["SELECT pg_sleep(60)"], is_async=is_async)

    def test_libpq_takes_whole_seconds_and_two_at_least(self):
        def connect_timeout(seconds):
            settings = DatabaseSettings(url="postgresql://h/d", timeouts={"connect_s": seconds})
            return settings.engine_options()["connect_args"]["connect_timeout"]

        assert [connect_timeout(seconds) for seconds in (0.5, 2, 2.1, 30)] == [2, 2, 3, 30]


class TestTls:
    @pytest.mark.parametrize(("driver", "is_async"), DRIVERS)
    @pytest.mark.parametrize("mode", ["require", "verify-ca", "verify-full"])
    async def test_is_used_and_the_authority_checked(self, tls_postgres, driver, is_async, mode):
        tls = {"mode": mode, "root_cert": tls_postgres.root_cert}
        settings = settings_for(tls_postgres.tcp_url.set(drivername=driver), tls=tls)
        query = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
        assert await answers(settings, [query], is_async=is_async) == [True]

    @pytest.mark.parametrize(("driver", "is_async"), DRIVERS)
    async def test_a_server_under_another_name(self, tls_postgres, driver, is_async):
        """Its certificate is for "localhost": whoever stands in between has none for the name that is asked."""
        url = tls_postgres.tcp_url.set(drivername=driver, host="127.0.0.1")
        known = {"root_cert": tls_postgres.root_cert}
        one = [1]
        assert (
            await answers(settings_for(url, tls={"mode": "verify-ca", **known}), ["SELECT 1"], is_async=is_async) == one
        )
        with pytest.raises((OperationalError, OSError), match=r"127\.0\.0\.1"):
            await answers(settings_for(url, tls={"mode": "verify-full", **known}), ["SELECT 1"], is_async=is_async)

    @pytest.mark.parametrize(("driver", "is_async"), DRIVERS)
    async def test_an_authority_that_nobody_trusts(self, tls_postgres, driver, is_async):
        settings = settings_for(
            tls_postgres.tcp_url.set(drivername=driver), tls={"mode": "verify-full", "root_cert": "system"}
        )
        with pytest.raises((OperationalError, OSError), match="(?i)certificate"):
            await answers(settings, ["SELECT 1"], is_async=is_async)

    @pytest.mark.parametrize(("driver", "is_async"), DRIVERS)
    async def test_production_by_its_defaults(self, tls_postgres, driver, is_async):
        settings = DatabaseSettings(profile="production", url=tls_postgres.tcp_url.set(drivername=driver))
        query = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
        assert await answers(settings, [query], is_async=is_async) == [True]

    @pytest.fixture
    def client(self, tmp_path):
        """A certificate of the client, which the server takes from anybody."""
        cert, key = tmp_path / "client.crt", tmp_path / "client.key"
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        command += ["-subj", "/CN=shop", "-days", "2", "-keyout", str(key), "-out", str(cert)]
        subprocess.run(command, check=True, capture_output=True)
        key.chmod(0o600)
        return {"cert": cert, "key": key}

    @pytest.mark.parametrize(("driver", "is_async"), DRIVERS)
    @pytest.mark.parametrize("mode", ["require", "verify-full"])
    async def test_with_a_certificate_of_the_client(self, tls_postgres, client, driver, is_async, mode):
        tls = {"mode": mode, **client, **({"root_cert": tls_postgres.root_cert} if mode == "verify-full" else {})}
        settings = settings_for(tls_postgres.tcp_url.set(drivername=driver), tls=tls)
        query = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
        assert await answers(settings, [query], is_async=is_async) == [True]

    def test_a_certificate_that_is_none(self, client):
        client["cert"].write_text("nothing of the kind")
        settings = DatabaseSettings(url="postgresql+asyncpg://h/d", tls={"mode": "require", **client})
        with pytest.raises(ConfigError, match=r"tls.cert: .*client.crt' cannot be used"):
            settings.engine_options(is_async=True)

    def test_a_file_that_holds_no_certificate(self, tmp_path):
        (tmp_path / "root.crt").write_text("nothing of the kind")
        tls = {"mode": "verify-full", "root_cert": tmp_path / "root.crt"}
        settings = DatabaseSettings(url="postgresql+asyncpg://h/d", tls=tls)
        with pytest.raises(ConfigError, match=r"tls.root_cert: .*root.crt' cannot be used"):
            settings.engine_options(is_async=True)


class TestSqlite:
    @pytest.mark.parametrize("is_async", [False, True])
    @pytest.mark.parametrize("where", ["sqlite://", "sqlite:///shop.db"])
    async def test_works(self, where, is_async):
        settings = DatabaseSettings(profile="test", url=where, roles={"primary": {"isolation": "READ COMMITTED"}})
        assert await answers(settings, ["SELECT 7", "PRAGMA busy_timeout"], is_async=is_async) == [7, 5000]

    async def test_all_engines_of_a_database_in_memory_see_the_same(self):
        settings = DatabaseSettings(profile="test")
        engine = create_engine(settings.engine_url(settings.target("primary")), **settings.engine_options())
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE t (x)"))
            connection.execute(text("INSERT INTO t VALUES (42)"))
        assert await answers(settings, ["SELECT x FROM t"], "analytics", is_async=True) == [42]
        assert await answers(settings, ["SELECT x FROM t"], "readonly", is_async=False) == [42]
        engine.dispose()

    def test_waits_as_its_driver_does_where_there_is_no_limit(self):
        settings = DatabaseSettings(url="sqlite://", timeouts={"lock_s": 0})
        assert settings.engine_options()["connect_args"]["timeout"] == 5.0


class TestPool:
    def test_each_role_has_its_own(self):
        pool = {"size": 4, "overflow": 1, "timeout_s": 2, "max_waiting": 9}
        analytics = {"pool": {"size": 1}, "isolation": "AUTOCOMMIT"}
        settings = DatabaseSettings(url="postgresql://h/d", pool=pool, roles={"analytics": analytics})
        primary, other = settings.engine_options(), settings.engine_options("analytics", is_async=True)
        assert (primary["pool_size"], primary["max_overflow"], primary["pool_timeout"]) == (4, 1, 2)
        assert (other["pool_size"], other["max_overflow"], other["pool_timeout"]) == (1, 1, 2)
        assert "isolation_level" not in primary
        assert other["isolation_level"] == "AUTOCOMMIT"

    def test_the_policy_is_the_settings(self):
        pool = {"max_lifetime_s": 1, "lifetime_jitter": 0.1, "keepalive_s": 2, "max_idle_s": 3}
        pool |= {"check_after_idle_s": 4, "check_timeout_s": 5, "max_waiting": 6}
        pool |= {"leak_after_s": 7, "suspect_after_s": 8}
        settings = DatabaseSettings(url="postgresql://h/d", pool=pool, timeouts={"connect_s": 9})
        policy = PoolPolicy(
            max_lifetime_s=1,
            lifetime_jitter=0.1,
            keepalive_s=2,
            max_idle_s=3,
            check_after_idle_s=4,
            check_timeout_s=5,
            max_waiting=6,
            leak_after_s=7,
            suspect_after_s=8,
            connect_timeout_s=9,
        )
        assert settings.pool_policy("readonly") == policy
        assert settings.engine_options("readonly")["policy"] == policy

    @pytest.mark.parametrize("url", ["sqlite://", "sqlite:///file:/shop?vfs=memdb&uri=true"])
    def test_connections_to_memory_stay(self, url):
        """The data would go with the last of them."""
        policy = DatabaseSettings(profile="development", url=url).pool_policy("analytics")
        assert (policy.max_lifetime_s, policy.max_idle_s) == (0, 0)
        policy = DatabaseSettings(profile="development", url="sqlite:///shop.db").pool_policy("analytics")
        assert (policy.max_lifetime_s, policy.max_idle_s) == (1800, 600)

    def test_what_is_opened_at_the_start_gives_way_to_the_size(self):
        settings = DatabaseSettings(profile="production", url="postgresql://h/d", pool={"size": 1})
        assert settings.pool_of("primary").warm_up == 1
        roles = {"readonly": {"pool": {"size": 2}}}
        settings = DatabaseSettings(pool={"size": 5, "warm_up": 3}, roles=roles)
        assert settings.pool_of("readonly").warm_up == 2

    def test_any_number_may_wait_where_there_is_no_limit(self):
        assert DatabaseSettings(pool={"max_waiting": 0}).pool_policy("primary").max_waiting is None

    @pytest.mark.parametrize("profile", ["development", "production", "test"])
    @pytest.mark.parametrize("role", ["primary", "readonly", "analytics"])
    def test_every_profile_makes_engines(self, profile, role):
        settings = DatabaseSettings(profile=profile, url="postgresql://me@h/d")
        engine = create_engine(settings.engine_url(settings.target(role)), **settings.engine_options(role))
        assert engine.pool.size() == settings.pool_of(role).size
        assert engine.hide_parameters


class TestStatementLog:
    def test_names_the_server_and_holds_no_values(self, caplog):
        settings = DatabaseSettings(profile="development", url="sqlite://")
        engine = create_engine(settings.engine_url(settings.target("primary")), **settings.engine_options())
        with engine.connect() as connection:
            assert connection.execute(text("SELECT :x"), {"x": "private"}).scalar() == "private"
        engine.dispose()
        records = [record for record in caplog.records if "SELECT ?" in record.getMessage()]
        assert [record.name for record in records] == ["sqlalchemy.engine.Engine.primary"]
        assert "private" not in caplog.text

    def test_is_off_in_production(self):
        assert DatabaseSettings(profile="production", url="sqlite:///x.db").engine_options()["echo"] is False
