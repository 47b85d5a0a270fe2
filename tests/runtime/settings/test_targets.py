"""The servers by role, and the URLs that engines get."""

from __future__ import annotations

import pytest

from pytest_dbguard.core.errors import ConfigError
from pytest_dbguard.runtime.settings import DatabaseSettings


def rotating():
    return "now"


class TestTargets:
    def test_the_primary_first_and_replicas_in_their_order(self):
        settings = DatabaseSettings(
            url="postgresql://p/d",
            roles={
                "analytics": {"url": "postgresql://a/d"},
                "readonly": {"replicas": ["postgresql://one/d", {"url": "postgresql://two/d", "weight": 0}]},
            },
        )
        assert [(each.role, each.name, each.weight) for each in settings.targets()] == [
            ("primary", "primary", 1.0),
            ("readonly", "readonly-1", 1.0),
            ("readonly", "readonly-2", 0.0),
            ("analytics", "analytics", 1.0),
        ]

    def test_one_readonly_server_has_a_number_too(self):
        settings = DatabaseSettings(roles={"readonly": {"url": "postgresql://r/d"}})
        assert [target.name for target in settings.targets()] == ["readonly-1"]

    def test_a_role_without_a_server_is_led_to_the_primary(self):
        settings = DatabaseSettings(url="postgresql://p/d", roles={"analytics": {"url": "postgresql://a/d"}})
        assert settings.target("readonly").name == "primary"
        assert settings.target("analytics").name == "analytics"

    @pytest.mark.parametrize(
        "wish", [{"statement_s": 900.0}, {"isolation": "repeatable read"}, {"pool": {"size": 2}}], ids=str
    )
    @pytest.mark.parametrize(("role", "name"), [("readonly", "readonly-1"), ("analytics", "analytics")])
    def test_a_role_without_a_server_has_its_own_engine_where_that_should_differ(self, role, name, wish):
        primary = {"password": "secret", "password_from": rotating}
        settings = DatabaseSettings(url="postgresql://me@p/d", roles={"primary": primary, role: wish})
        target = settings.target(role)
        assert (target.role, target.name, target.weight) == (role, name, 1.0)
        assert (target.url, target.password_from) == (settings.target("primary").url, rotating)
        assert len(settings.targets()) == 2

    def test_but_not_for_what_a_profile_says(self):
        """Which is meant for a server of the role: all processes would open more connections on the primary."""
        settings = DatabaseSettings(profile="production", url="postgresql://p/d")
        assert settings.statement_s("analytics") == 600.0
        assert [target.name for target in settings.targets()] == ["primary"]

    def test_nor_for_a_role_alone(self):
        assert DatabaseSettings(roles={"analytics": {"statement_s": 900.0}}).targets() == ()

    def test_by_name(self):
        settings = DatabaseSettings(roles={"readonly": {"replicas": ["postgresql://one/d", "postgresql://two/d"]}})
        assert settings.target("readonly", "readonly-2").url.reveal().host == "two"
        with pytest.raises(ConfigError, match="there is no server 'readonly-3'") as raised:
            settings.target("readonly", "readonly-3")
        assert "did you mean 'readonly-" in raised.value.hint

    @pytest.mark.parametrize("ask", [DatabaseSettings.target, DatabaseSettings.engine_options])
    def test_of_a_role_that_does_not_exist(self, ask):
        with pytest.raises(ConfigError, match="there is no role 'primry'") as raised:
            ask(DatabaseSettings(profile="test"), "primry")
        assert raised.value.hint == "did you mean 'primary'?"

    def test_none_at_all(self):
        with pytest.raises(ConfigError, match="nothing says where the primary database is") as raised:
            DatabaseSettings().engine_options()
        assert "DBGUARD_RUNTIME_URL" in raised.value.hint

    def test_the_password_that_is_nearest(self):
        settings = DatabaseSettings(
            url="postgresql://me:own@p/d",
            password="common",
            roles={
                "readonly": {"replicas": ["postgresql://one/d", "postgresql://me:own@two/d"]},
                "analytics": {"url": "postgresql://a/d", "password": "analytics"},
            },
        )
        passwords = {target.name: target.url.reveal().password for target in settings.targets()}
        assert passwords == {"primary": "own", "readonly-1": "common", "readonly-2": "own", "analytics": "analytics"}

    def test_sqlite_takes_no_password(self):
        settings = DatabaseSettings(url="sqlite:///shop.db", password="common")
        assert settings.target("primary").url.reveal().password is None

    def test_the_function_that_is_nearest(self):
        def own():
            return "own"

        roles = {"analytics": {"url": "postgresql://a/d", "password_from": own}}
        settings = DatabaseSettings(url="postgresql://p/d", password_from=rotating, roles=roles)
        assert [target.password_from for target in settings.targets()] == [rotating, own]


class TestUrls:
    @pytest.mark.parametrize(
        ("given", "sync", "asynchronous"),
        [
            ("postgresql://h/d", "postgresql+psycopg://h/d", "postgresql+psycopg://h/d"),
            ("postgres://h/d", "postgresql+psycopg://h/d", "postgresql+psycopg://h/d"),
            ("postgresql+psycopg://h/d", "postgresql+psycopg://h/d", "postgresql+psycopg://h/d"),
            ("postgresql+psycopg_async://h/d", "postgresql+psycopg://h/d", "postgresql+psycopg_async://h/d"),
            ("postgresql+psycopg2://h/d", "postgresql+psycopg2://h/d", "postgresql+psycopg://h/d"),
            ("postgresql+asyncpg://h/d", "postgresql+psycopg://h/d", "postgresql+asyncpg://h/d"),
            ("sqlite:///a.db", "sqlite:///a.db", "sqlite+aiosqlite:///a.db"),
            ("sqlite+pysqlite:///a.db", "sqlite+pysqlite:///a.db", "sqlite+aiosqlite:///a.db"),
            ("sqlite+aiosqlite:///a.db", "sqlite:///a.db", "sqlite+aiosqlite:///a.db"),
        ],
    )
    def test_the_driver_is_completed(self, given, sync, asynchronous):
        settings = DatabaseSettings(url=given)
        target = settings.target("primary")
        assert str(settings.engine_url(target)) == sync
        assert str(settings.engine_url(target, is_async=True)) == asynchronous

    @pytest.mark.parametrize(
        ("given", "sync", "asynchronous"),
        [
            ("postgresql+asyncpg://h/d?ssl=require", {"sslmode": "require"}, {"ssl": "require"}),
            ("postgresql+asyncpg://h/d?sslmode=require", {"sslmode": "require"}, {"ssl": "require"}),
            ("postgresql://h/d?sslmode=require", {"sslmode": "require"}, {"sslmode": "require"}),
            ("postgresql://h/d?ssl=require", {"sslmode": "require"}, {"sslmode": "require"}),
        ],
    )
    def test_tls_in_the_words_of_the_driver(self, given, sync, asynchronous):
        settings = DatabaseSettings(url=given)
        target = settings.target("primary")
        assert settings.engine_url(target).query == sync
        assert settings.engine_url(target, is_async=True).query == asynchronous

    @pytest.mark.parametrize("given", ["sqlite://", "sqlite:///:memory:", "sqlite+aiosqlite://"])
    def test_engines_share_a_database_in_memory(self, given):
        settings = DatabaseSettings(url=given)
        target = settings.target("primary")
        sync, asynchronous = settings.engine_url(target), settings.engine_url(target, is_async=True)
        assert sync.set(drivername="x") == asynchronous.set(drivername="x")
        assert sync.database not in (None, ":memory:")

    def test_other_settings_have_another_one(self):
        one, other = DatabaseSettings(url="sqlite://"), DatabaseSettings(url="sqlite://")
        assert one.engine_url(one.target("primary")) != other.engine_url(other.target("primary"))
        copied = one.model_copy()
        assert copied.engine_url(copied.target("primary")) == one.engine_url(one.target("primary"))
