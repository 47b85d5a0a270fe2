"""Where settings come from, and which source wins."""

from __future__ import annotations

import pytest

from pytest_dbguard.runtime.settings import PoolSettings, ReplicaSettings, RoleSettings, RolesSettings
from pytest_dbguard.runtime.settings.model import DatabaseSettings

EVERYWHERE = """
    [project]
    name = "shop"
    [tool.dbguard.runtime]
    url = "postgresql:///common"
    pool.size = 21
    pool.overflow = 22
    pool.warm-up = 3
    [tool.dbguard.runtime.production]
    pool.size = 31
    pool.overflow = 32
    [tool.dbguard.runtime.development]
    pool.size = 41
"""


class TestWhichWins:
    def test_each_setting_by_itself(self, project, load):
        project(EVERYWHERE)
        settings = load({"DBGUARD_RUNTIME_POOL__SIZE": "11"}, profile="production", pool={"timeout_s": 1.5})
        assert settings.pool.timeout_s == 1.5
        assert settings.pool.size == 11
        assert settings.pool.overflow == 32
        assert settings.pool.warm_up == 3
        assert settings.pool.max_waiting == 100
        assert settings.pool.lifetime_jitter == 0.05

    def test_where_each_came_from(self, project, load):
        project(EVERYWHERE)
        settings = load({"DBGUARD_RUNTIME_POOL__SIZE": "11"}, profile="production", pool={"timeout_s": 1.5})
        assert settings.source(("pool", "timeout_s")) == "DatabaseSettings.load"
        assert settings.source(("pool", "size")) == "environment variable DBGUARD_RUNTIME_POOL__SIZE"
        assert settings.source(("pool", "overflow")) == "pyproject.toml [tool.dbguard.runtime.production.pool]"
        assert settings.source(("pool", "warm_up")) == "pyproject.toml [tool.dbguard.runtime.pool]"
        assert settings.source(("pool", "max_waiting")) == "profile production"
        assert settings.source(("routing", "wait_s")) == "default"
        assert settings.source(("app",)) == "pyproject.toml [project]"
        assert settings.source(("profile",)) == "DatabaseSettings.load"
        assert settings.source(("roles", "primary", "url")) == "pyproject.toml [tool.dbguard.runtime]"

    def test_a_keyword_wins_over_a_variable(self, load):
        assert load({"DBGUARD_RUNTIME_PROCESSES": "4"}, processes=2).processes == 2

    def test_only_the_table_of_the_profile_in_use_counts(self, project, load):
        project(EVERYWHERE)
        assert load(profile="development").pool.size == 41
        assert load(profile="test").pool.size == 21

    def test_who_leads_a_role_to_one_server_leaves_the_replicas_of_weaker_sources(self, project, load):
        project("tool.dbguard.runtime.roles.readonly.replicas = ['sqlite:///a.db', 'sqlite:///b.db']")
        settings = load({"DBGUARD_RUNTIME_ROLES__READONLY__URL": "sqlite:///c.db"})
        assert [target.url.shown for target in settings.targets()] == ["sqlite:///c.db"]
        assert len(load().targets()) == 2

    def test_replicas_are_replaced_as_a_whole(self, project, load):
        project("tool.dbguard.runtime.roles.readonly.replicas = ['sqlite:///a.db', 'sqlite:///b.db']")
        settings = load({"DBGUARD_RUNTIME_ROLES__READONLY__REPLICAS__1__URL": "sqlite:///c.db"})
        assert [target.url.shown for target in settings.targets()] == ["sqlite:///c.db"]


class TestWhichProfile:
    @pytest.mark.parametrize(
        ("keyword", "variable", "in_file", "shared", "wanted"),
        [
            ("test", "production", "development", "production", "test"),
            (None, "test", "production", "production", "test"),
            (None, None, "test", "production", "test"),
            (None, None, None, "test", "test"),
            (None, None, None, None, "development"),
        ],
    )
    def test_the_strongest_source_that_says_it(self, project, load, keyword, variable, in_file, shared, wanted):
        project(f"[tool.dbguard.runtime]\nprofile = '{in_file}'" if in_file else "")
        environ = {"DBGUARD_RUNTIME_PROFILE": variable or "", "DBGUARD_ENV": shared or ""}
        settings = load(environ, profile=keyword)
        assert settings.profile == wanted
        assert settings.pool.overflow == {"test": 20, "development": 3}[wanted]

    @pytest.mark.parametrize(("short", "full"), [("dev", "development"), ("prod", "production")])
    def test_short_names(self, project, load, short, full):
        project(f"[tool.dbguard.runtime.{short}]\nprocesses = 7")
        url = {"url": "sqlite:///shop.db"}
        for settings in (
            load(profile=short, **url),
            load({"DBGUARD_RUNTIME_PROFILE": short}, **url),
            load({"DBGUARD_ENV": short}, **url),
        ):
            assert (settings.profile, settings.processes) == (full, 7)

    def test_an_environment_that_is_no_profile_is_refused(self, problems):
        """It may be a server's: development's settings would be too weak for it, and nobody would notice."""
        (line,) = problems({"DBGUARD_ENV": "staging"})
        assert line.startswith("environment variable DBGUARD_ENV: 'staging' is no profile of the runtime")
        assert "known: development, production, test; else set DBGUARD_RUNTIME_PROFILE" in line

    def test_such_an_environment_does_not_matter_where_the_profile_is_said(self, load):
        assert load({"DBGUARD_ENV": "staging", "DBGUARD_RUNTIME_PROFILE": "test"}).profile == "test"


class TestByACall:
    def test_reads_the_variables_of_the_process(self, monkeypatch):
        monkeypatch.setenv("DBGUARD_RUNTIME_POOL__SIZE", "9")
        settings = DatabaseSettings(pool={"overflow": 1})
        assert (settings.pool.size, settings.pool.overflow) == (9, 1)

    def test_reads_no_file(self, project):
        project("[tool.dbguard.runtime]\nprocesses = 9")
        assert DatabaseSettings().processes == 1

    def test_takes_sections_as_tables_and_as_models(self):
        as_tables = DatabaseSettings(
            pool={"size": 3},
            roles={"readonly": {"replicas": [{"url": "sqlite:///a.db", "weight": 2}], "pool": {"size": 1}}},
        )
        replica = ReplicaSettings(url="sqlite:///a.db", weight=2)
        as_models = DatabaseSettings(
            pool=PoolSettings(size=3),
            roles=RolesSettings(readonly=RoleSettings(replicas=[replica], pool=PoolSettings(size=1))),
        )
        assert as_tables == as_models
        assert hash(as_tables) == hash(as_models)
        assert as_models.pool.overflow == 3  # the profile's: what a model does not say is left to it
        assert as_models.pool_of("readonly") == PoolSettings(size=1, overflow=3, leak_after_s=30.0)

    def test_never_changes(self):
        with pytest.raises(ValueError, match="frozen"):
            DatabaseSettings().processes = 3

    def test_one_setting_differs(self):
        assert DatabaseSettings() != DatabaseSettings(processes=2)

    def test_a_subclass_has_settings_of_its_own(self, monkeypatch):
        class ShopSettings(DatabaseSettings):
            tenant: str = "all"

        monkeypatch.setenv("DBGUARD_RUNTIME_TENANT", "one")
        assert ShopSettings().tenant == "one"
