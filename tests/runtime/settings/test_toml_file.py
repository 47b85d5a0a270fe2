"""[tool.dbguard.runtime] of pyproject.toml, and [runtime] of dbguard.toml."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_dbguard.config.load import load_config

WIDE = """
    [tool.dbguard]
    max-queries = 7
    [tool.dbguard.runtime]
    url = "sqlite:///shop.db"
    processes = 4
    [tool.dbguard.runtime.pool]
    max-lifetime-s = 900
    [tool.dbguard.runtime.prod.pool]
    size = 3
"""


def test_hyphens_and_underscores(project, load):
    project("[tool.dbguard.runtime.pool]\nmax-lifetime-s = 900\nmax_idle_s = 60")
    pool = load().pool
    assert (pool.max_lifetime_s, pool.max_idle_s) == (900.0, 60.0)


def test_a_file_of_our_own(project, load):
    project("[runtime]\nprocesses = 4\n[runtime.test]\nprocesses = 5", "dbguard.toml")
    assert load().processes == 4
    settings = load(profile="test")
    assert settings.processes == 5
    assert settings.source(("processes",)) == "dbguard.toml [runtime.test]"


def test_a_file_that_is_named(project, load):
    project("[runtime]\nprocesses = 4", "deploy.toml")
    assert load(file=Path("deploy.toml")).processes == 4


def test_no_file_at_all(load):
    assert load().processes == 1


def test_paths_and_lists(project, load, tmp_path):
    (tmp_path / "root.crt").write_text("")
    project(
        f"""
        [tool.dbguard.runtime]
        tls = {{mode = "verify-full", root-cert = "{tmp_path}/root.crt"}}
        [[tool.dbguard.runtime.roles.readonly.replicas]]
        url = "postgresql://one/shop"
        weight = 3
        [[tool.dbguard.runtime.roles.readonly.replicas]]
        url = "postgresql://two/shop"
        """
    )
    settings = load()
    assert settings.tls.root_cert == tmp_path / "root.crt"
    assert [(target.name, target.weight) for target in settings.targets()] == [("readonly-1", 3.0), ("readonly-2", 1.0)]


class TestTheTestsSide:
    def test_does_not_look_at_our_table(self, project):
        root = project(WIDE + "\n[tool.dbguard.runtime.nonsense]\nx = 1")
        config = load_config(root, environ={"DBGUARD_RUNTIME_POOL__SIZE": "3", "DBGUARD_RUNTIME_URL": "sqlite://"})
        assert config.max_queries == 7
        assert config.url is None

    def test_and_we_do_not_look_at_its_keys(self, project, load):
        project("[tool.dbguard]\nno-such-key = 1\nurl = 'sqlite:///tests.db'\n[tool.dbguard.runtime]\nprocesses = 4")
        settings = load()
        assert (settings.processes, settings.targets()) == (4, ())


class TestWhatIsWrong:
    @pytest.mark.parametrize(
        ("text", "line", "hint"),
        [
            ("pool.siz = 3", "pool: unknown key 'siz'", "did you mean 'size'?"),
            ("pol.size = 3", "tool.dbguard.runtime: unknown key 'pol'", "did you mean 'pool'?"),
            ("nonsense.size = 3", "unknown key 'nonsense'", "middleware, monitoring, password, pool, processes"),
            ("prodution.pool.size = 3", "tool.dbguard.runtime: unknown key 'prodution'", "did you mean 'production'?"),
            ("pool.max-lifetim = 3", "pool: unknown key 'max-lifetim'", "'max-lifetime-s'?"),
            ("pool = 3", "pool: expected a table, not 3", "a section is a table of settings"),
            ("pool.size = '3'", "pool.size: expected a whole number, not '3'", "Connections that"),
            ("pool.size = 0", "pool.size: expected 1 or more, not 0", "Connections that"),
            ("pool.size = true", "pool.size: expected a whole number, not true", "Connections"),
            (
                "pool.timeout-s = nan",
                "pool.timeout-s: expected a finite number, not nan",
                "Seconds",
            ),
            ("tls.mode = 'ful'", "tls.mode: expected 'disable', 'allow'", ""),
            (
                "profile = 'produktion'",
                "profile: expected 'development'",
                "did you mean 'production'?",
            ),
            (
                "pool.max-idle-s = 1\npool.max_idle_s = 1",
                "pool.max_idle_s: given twice",
                "keep one",
            ),
            (
                "url = 'sqlite://'\nroles.primary.url = 'sqlite://'",
                "url: given twice",
                "keep it or",
            ),
            ("password-from = 'a:b'", "password-from: only a keyword argument", "in the program"),
            ("prod.processes = 1\nproduction.processes = 1", "has a table already", "keep one of the two"),
            ("production.profile = 'test'", "production.profile: cannot stand here", "move it to"),
            ("url = 3", "url: expected a URL, not int", "Where its server is"),
            ("password = 3", "password: expected text, not int", "Password for all URLs"),
            ("url = 'mysql://h/d'", "url: the runtime does not know 'mysql'", "known: postgresql"),
            ("url = 'postgresq://h/d'", "the runtime does not know 'postgresq'", "did you mean 'postgresql'?"),
            (
                "backup.schedule = '61 * * * *'",
                "backup.schedule: '61' is no minute from 0 to 59",
                "When, as in a crontab",
            ),
            ("roles.readonly.replicas = 'sqlite://'", "roles.readonly.replicas: expected a list", ""),
            ("roles.readonly.replicas = [{}]", "roles.readonly.replicas[0].url: not set", "add the key 'url'"),
            (
                "roles.readonly.replicas = [{ur = 'x', url = 'sqlite://'}]",
                "[0]: unknown key 'ur'",
                "mean 'url'?",
            ),
            (
                "roles.readonly.replicas = [{url = 'sqlite://', weight = -1}]",
                "replicas[0].weight: expected 0 or more",
                "",
            ),
            ("roles.primary = 'sqlite://'", "roles.primary: expected a table", "a table"),
        ],
    )
    def test_has_its_key_and_a_next_step(self, project, problems, text, line, hint):
        project(f"[tool.dbguard.runtime]\n{text}")
        (told,) = problems()
        first, second = told.split("\n  ")
        assert first.startswith("pyproject.toml: tool.dbguard.runtime")
        assert line in first
        assert hint in second

    def test_the_table_itself(self, project, problems):
        project("[tool.dbguard]\nruntime = 3")
        assert problems() == [
            "pyproject.toml: tool.dbguard.runtime: expected a table, not 3\n  write [tool.dbguard.runtime]"
        ]

    @pytest.mark.parametrize(
        ("name", "table", "meant"),
        [
            ("pyproject.toml", "tool.dbguard.runtme", "tool.dbguard.runtime"),
            ("pyproject.toml", "tool.dbguard-runtime", "tool.dbguard.runtime"),
            ("dbguard.toml", "runtimes", "runtime"),
            ("dbguard.toml", "tool.dbguard.runtime", "runtime"),
        ],
    )
    def test_a_table_that_nobody_reads(self, project, problems, name, table, meant):
        """The application would start without its settings."""
        project(f"[{table}]\nprocesses = 4", name)
        assert problems() == [f"{name}: nothing reads the table [{table}]\n  did you mean [{meant}]?"]

    def test_a_broken_file_is_told_with_the_rest(self, project, problems):
        project("[tool.dbguard.runtime\n")
        lines = problems({"DBGUARD_RUNTIME_POOL__SIZ": "3"})
        assert lines[0].startswith("pyproject.toml:1:")
        assert "DBGUARD_RUNTIME_POOL__SIZ" in lines[1]

    def test_a_named_file_that_is_not_there(self, problems):
        (line,) = problems(file=Path("gone.toml"))
        assert line.startswith("gone.toml: cannot be read")

    def test_settings_in_two_files(self, project, problems):
        project("[tool.dbguard.runtime]")
        project("[runtime]", "dbguard.toml")
        (line,) = problems()
        assert "both in dbguard.toml and in [tool.dbguard] of pyproject.toml" in line


class TestTablesOfOtherProfiles:
    def test_are_checked_too(self, project, problems):
        """What is wrong in production's table is told in development, not on the server."""
        project("[tool.dbguard.runtime.production]\npool.siz = 3\ntimeouts.lock-s = 'x'")
        lines = problems(profile="test")
        assert [line.partition(" (")[0] for line in lines] == [
            "pyproject.toml: tool.dbguard.runtime.production.pool: unknown key 'siz'",
            "pyproject.toml: tool.dbguard.runtime.production.timeouts.lock-s: expected a number, not 'x'",
        ]

    def test_are_not_held_to_what_only_their_profile_asks_for(self, project, load):
        project("[tool.dbguard.runtime.production]\nurl = 'postgresql://db/shop?sslmode=disable'")
        assert load(profile="test").profile == "test"
