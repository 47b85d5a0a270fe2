"""What the profiles stand for."""

from __future__ import annotations

import pytest

from pytest_dbguard.runtime.settings import PROFILES, DatabaseSettings
from pytest_dbguard.runtime.settings.checking import checked
from pytest_dbguard.runtime.settings.profiles import defaults_of

SAFE = "postgresql://me@db/shop"


@pytest.mark.parametrize("profile", PROFILES)
def test_its_defaults_are_settings(profile):
    _, wrong = checked(DatabaseSettings, defaults_of(profile))
    assert wrong == ()


def test_development():
    settings = DatabaseSettings(profile="development")
    assert settings.logging.statements
    assert settings.pool.size + settings.pool.overflow == 5
    assert not settings.backup.enabled
    assert (settings.monitoring.enabled, settings.monitoring.level, settings.monitoring.alerts) == (
        True,
        "light",
        False,
    )
    assert settings.security.secrets == "anywhere"


def test_production():
    settings = DatabaseSettings(profile="production", url=SAFE)
    assert not settings.logging.statements
    assert settings.backup.enabled
    assert settings.backup.schedule == "30 3 * * *"
    assert (settings.monitoring.enabled, settings.monitoring.level, settings.monitoring.alerts) == (True, "full", True)
    assert settings.tls.mode == "require"
    assert settings.security.require_tls
    assert settings.security.secrets == "environment-or-files"
    assert settings.statement_s("primary") == 30
    assert settings.statement_s("analytics") == 600


def test_the_numbers_of_production_fit_together():
    """What is given up first must leave time for what waits for it."""
    settings = DatabaseSettings(profile="production", url=SAFE)
    pool, timeouts = settings.pool, settings.timeouts
    assert timeouts.lock_s < timeouts.statement_s <= timeouts.idle_in_transaction_s
    assert pool.check_timeout_s < timeouts.connect_s < pool.timeout_s < timeouts.statement_s
    assert timeouts.shutdown_s < 30, "Kubernetes and gunicorn kill after 30 s"
    assert timeouts.health_s < settings.monitoring.health_interval_s
    assert pool.keepalive_s < pool.max_idle_s < pool.max_lifetime_s
    assert 6 * (pool.size + pool.overflow) <= 100 - 3, "six processes fit into PostgreSQL's own max_connections"


def test_tests():
    settings = DatabaseSettings(profile="test")
    assert settings.target("primary").url.is_memory
    assert not settings.backup.enabled
    assert not settings.monitoring.enabled
    assert not settings.security.require_tls


def test_tests_with_a_database_of_their_own():
    settings = DatabaseSettings(profile="test", url="sqlite:///shop.db")
    assert settings.target("primary").url.shown == "sqlite:///shop.db"


class TestWhatProductionAsksFor:
    def test_a_database(self, problems):
        (line,) = problems(profile="production")
        assert line.splitlines() == [
            "profile production: roles.primary.url: not set",
            "  set DBGUARD_RUNTIME_URL or DBGUARD_RUNTIME_URL_FILE",
        ]

    @pytest.mark.parametrize(
        "url",
        [
            "sqlite:////srv/shop.db",
            "postgresql://me@/shop?host=/var/run/postgresql",
            "postgresql:///shop",
            "postgresql://me@db/shop",
            "postgresql://me@db/shop?sslmode=verify-full",
            "postgresql+asyncpg://me@db/shop?ssl=require",
            "postgresql+asyncpg://me@db/shop?ssl=true",
        ],
    )
    def test_what_goes_over_no_network_or_is_encrypted(self, load, url):
        assert load({"DBGUARD_RUNTIME_URL": url}, profile="production").url.reveal().database

    @pytest.mark.parametrize(
        ("url", "mode", "place"),
        [
            ("postgresql://db/shop", "prefer", "DatabaseSettings.load: tls.mode: "),
            ("postgresql://127.0.0.1/shop", "disable", "DatabaseSettings.load: tls.mode: "),
            ("postgresql://db/shop?sslmode=prefer", "require", "environment variable DBGUARD_RUNTIME_URL: "),
            ("postgresql+asyncpg://db/shop?ssl=disable", "require", "environment variable DBGUARD_RUNTIME_URL: "),
            ("postgresql://me@/shop?host=/run&host=db", "allow", "DatabaseSettings.load: tls.mode: "),
        ],
    )
    def test_tls(self, problems, url, mode, place):
        (line,) = problems({"DBGUARD_RUNTIME_URL": url}, profile="production", tls={"mode": mode})
        assert line.startswith(f"{place}the connection may go over the network unencrypted")
        assert "security.require_tls = false" in line

    def test_tls_for_every_server(self, problems):
        replicas = ["postgresql://one/d", "postgresql://two/d?sslmode=disable"]
        lines = problems(profile="production", url=SAFE, roles={"readonly": {"replicas": replicas}})
        assert len(lines) == 1
        assert "roles.readonly.replicas[1].url: the connection may go over the network unencrypted" in lines[0]

    def test_a_tunnel_is_said_to_be_one(self, load):
        settings = load(profile="production", url=SAFE, tls={"mode": "disable"}, security={"require_tls": False})
        assert settings.tls.mode == "disable"

    @pytest.mark.parametrize(
        ("text", "key", "variable"),
        [
            ("url = 'postgresql://me:hunter2@db/shop'", "url", "URL"),
            ("url = 'postgresql://db/shop?password=hunter2'", "url", "URL"),
            ("production.url = 'postgresql://me:hunter2@db/shop'", "production.url", "URL"),
            ("password = 'hunter2'", "password", "PASSWORD"),
            ("roles.analytics.password = 'hunter2'", "roles.analytics.password", "ROLES__ANALYTICS__PASSWORD"),
            (
                "roles.readonly.replicas = ['postgresql://one/d', 'postgresql://me:hunter2@two/d']",
                "roles.readonly.replicas[1].url",
                "ROLES__READONLY__REPLICAS__2__URL",
            ),
        ],
    )
    def test_no_password_in_toml(self, project, problems, text, key, variable):
        """Also where a variable overrides it: it is committed with the code."""
        project(f"[tool.dbguard.runtime]\n{text}")
        environ = {"DBGUARD_RUNTIME_URL": SAFE, "DBGUARD_RUNTIME_ROLES__READONLY__URL": SAFE}
        (line,) = problems(environ, profile="production")
        assert line.startswith(f"pyproject.toml: tool.dbguard.runtime.{key}: a password in a file that is committed")
        assert f"DBGUARD_RUNTIME_{variable}_FILE" in line
        assert "hunter2" not in line

    def test_a_password_in_the_table_of_another_profile(self, project, load):
        project("[tool.dbguard.runtime.development]\nurl = 'postgresql://me:hunter2@localhost/shop'")
        assert load({"DBGUARD_RUNTIME_URL": SAFE}, profile="production").url.reveal().password is None

    def test_passwords_from_variables_and_files(self, load, tmp_path):
        (tmp_path / "secret").write_text("postgresql://me:hunter2@db/shop")
        for environ in (
            {"DBGUARD_RUNTIME_URL": "postgresql://me:hunter2@db/shop"},
            {"DBGUARD_RUNTIME_URL_FILE": str(tmp_path / "secret")},
        ):
            assert load(environ, profile="production").url.reveal().password == "hunter2"

    def test_its_strictness_cannot_be_lifted_in_the_file(self, project, problems):
        project("[tool.dbguard.runtime.production]\nsecurity.secrets = 'anywhere'\npassword = 'hunter2'")
        (line,) = problems({"DBGUARD_RUNTIME_URL": SAFE}, profile="production")
        assert "security.secrets: production takes no password from TOML" in line
