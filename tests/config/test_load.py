"""Where values come from, and which source wins."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_dbguard.config.load import load_config
from pytest_dbguard.config.model import Config
from pytest_dbguard.core.findings import Severity


def test_defaults(tmp_path):
    config = load_config(tmp_path, environ={})
    assert config == Config()
    assert set(config.sources.values()) == {"default"}
    assert set(config.sources) == set(Config.model_fields)


def test_variables_are_those_of_the_process_unless_given(tmp_path, monkeypatch):
    monkeypatch.setenv("DBGUARD_MAX_QUERIES", "7")
    assert load_config(tmp_path).max_queries == 7
    assert load_config(tmp_path, environ={}).max_queries is None


def test_every_value_knows_its_source(load):
    text = "[tool.dbguard]\nmax-queries = 1\n"
    environ = {"DBGUARD_MAX_QUERIES": "2"}
    assert load(text).sources["max_queries"] == "pyproject.toml"
    assert load(text, environ=environ).sources["max_queries"] == "environment variable DBGUARD_MAX_QUERIES"
    assert load(text, environ=environ, flags={"max_queries": 3}).sources["max_queries"] == "flag --dbguard-max-queries"
    assert load(text, environ=environ, flags={"max_queries": None}).max_queries == 2


KINDS = ("sqlite", "postgres-embedded", "auto")
SOURCES = ("file", "table", "variable", "flag")


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(SOURCES), st.sampled_from(KINDS)))
def test_the_last_source_that_says_something_wins(tmp_path_factory, said):
    root = tmp_path_factory.mktemp("project")
    lines = ["[tool.dbguard]"]
    lines += [f'database = "{said["file"]}"'] if "file" in said else []
    lines += ["[tool.dbguard.env.test]", f'database = "{said["table"]}"'] if "table" in said else []
    (root / "pyproject.toml").write_text("\n".join(lines))
    config = load_config(
        root,
        environ={"DBGUARD_DATABASE": said["variable"]} if "variable" in said else {},
        flags={"database": said.get("flag")},
    )
    last = next((source for source in reversed(SOURCES) if source in said), None)
    assert config.database == said.get(last)
    places = {
        None: "default",
        "file": "pyproject.toml",
        "table": "pyproject.toml [tool.dbguard.env.test]",
        "variable": "environment variable DBGUARD_DATABASE",
        "flag": "flag --dbguard-database",
    }
    assert config.sources["database"] == places[last]


class TestEnvironments:
    TEXT = """
        [tool.dbguard.env.test]
        database = "sqlite"
        [tool.dbguard.env.ci]
        database = "postgres-embedded"
        url = "postgresql://me:hunter2@host/db"
        """

    def test_is_test_when_nobody_chooses(self, load):
        assert load(self.TEXT).database == "sqlite"
        assert load(self.TEXT).environment.url is None

    @pytest.mark.parametrize(
        "arguments",
        [{"environ": {"DBGUARD_ENV": "ci"}}, {"flags": {"env": "ci"}}],
        ids=["variable", "flag"],
    )
    def test_is_chosen_by(self, load, arguments):
        config = load(self.TEXT, **arguments)
        assert config.database == "postgres-embedded"
        assert config.environment.url == "postgresql://me:hunter2@host/db"

    def test_is_chosen_by_the_file(self, load):
        assert load('[tool.dbguard]\ndefault-env = "ci"\n' + self.TEXT).database == "postgres-embedded"

    def test_test_needs_no_table(self, load):
        assert load("[tool.dbguard.env.ci]\n").env == "test"
        assert load("[tool.dbguard.env.ci]\n", environ={"DBGUARD_ENV": "test"}).database is None

    def test_table_of_dbguard_toml_is_named_as_it_stands_there(self, load):
        config = load('[env.test]\ndatabase = "sqlite"\n', name="dbguard.toml")
        assert config.sources["database"] == "dbguard.toml [env.test]"

    @pytest.mark.parametrize(
        ("table", "asked"), [("dev", "development"), ("development", "dev"), ("prod", "production"), ("own", "own")]
    )
    def test_short_and_full_names_are_the_same(self, load, table, asked):
        config = load(f'[tool.dbguard.env.{table}]\nreset = "clone"\n', environ={"DBGUARD_ENV": asked})
        assert config.reset == config.environment.reset == "clone"

    def test_unknown(self, refusal):
        message = refusal(self.TEXT, environ={"DBGUARD_ENV": "tst"})
        assert message == (
            "environment variable DBGUARD_ENV: unknown environment 'tst'\n"
            "  did you mean 'test'? (or add a table [tool.dbguard.env.NAME] to pyproject.toml)"
        )

    def test_unknown_in_dbguard_toml(self, refusal):
        message = refusal("[env.ci]\n", name="dbguard.toml", flags={"env": "prod"})
        assert message.endswith("  known: ci, test (or add a table [env.NAME] to dbguard.toml)")


def test_problems_of_all_sources_are_told_at_once(refusal):
    message = refusal(
        "[tool.dbguard]\nslow-ms = 'x'\nfail-onn = 'note'\n",
        environ={"DBGUARD_MAX_QUERIES": "many"},
        flags={"test_code": "lots"},
    )
    assert message.splitlines() == [
        "4 problems in the configuration",
        "  pyproject.toml: tool.dbguard.slow-ms: expected a number, not 'x'",
        "  pyproject.toml: tool.dbguard: unknown key 'fail-onn' (did you mean 'fail-on'?)",
        "  environment variable DBGUARD_MAX_QUERIES: expected a whole number, not 'many'",
        "  flag --dbguard-test-code: expected 'note', 'report' or 'off', not 'lots'",
    ]


class TestModel:
    def test_fail_level(self):
        assert Config(fail_on="note").fail_level is Severity.NOTE
        assert Config(fail_on="never").fail_level is None

    def test_baseline_path(self):
        assert Config().baseline_path(Path("/shop")) == Path("/shop/dbguard-baseline.json")
        assert Config(baseline="none").baseline_path(Path("/shop")) is None

    def test_is_frozen_and_travels(self, load):
        config = load("[tool.dbguard]\nmax-queries = 1\n")
        with pytest.raises(ValueError, match="frozen"):
            config.max_queries = 2
        assert pickle.loads(pickle.dumps(config)).sources == config.sources

    def test_repr_shows_no_password(self, load):
        config = load("[tool.dbguard.env.test]\nurl = 'postgresql://me:hunter2@host/db'\n")
        assert "hunter2" not in repr(config) + str(config)
