"""What may stand in pyproject.toml and dbguard.toml, and what is said about the rest."""

from __future__ import annotations

import pytest

from pytest_dbguard.config.load import load_config
from pytest_dbguard.config.model import Config
from pytest_dbguard.core.errors import ConfigError


class TestWhichFile:
    def test_dbguard_toml_has_its_keys_at_the_top(self, load):
        config = load("fail-on = 'error'\n", name="dbguard.toml")
        assert config.fail_on == "error"
        assert config.sources["fail_on"] == "dbguard.toml"

    def test_dbguard_toml_stands_beside_a_pyproject_of_others(self, tmp_path, load):
        (tmp_path / "pyproject.toml").write_text("[project]\nname = 'shop'\n")
        assert load("max-queries = 1\n", name="dbguard.toml").max_queries == 1

    def test_both_are_refused(self, tmp_path, refusal):
        (tmp_path / "pyproject.toml").write_text("[tool.dbguard]\n")
        assert refusal("max-queries = 1\n", name="dbguard.toml") == (
            "settings stand both in dbguard.toml and in [tool.dbguard] of pyproject.toml\n  keep one of the two"
        )

    def test_given_file_wins(self, tmp_path, load):
        (tmp_path / "ci").mkdir()
        (tmp_path / "ci" / "guard.toml").write_text("max-queries = 5\n")
        config = load("[tool.dbguard]\nmax-queries = 1\n", file=tmp_path / "ci" / "guard.toml")
        assert (config.max_queries, config.sources["max_queries"]) == (5, "ci/guard.toml")

    def test_given_file_must_exist(self, refusal, tmp_path):
        assert refusal(file=tmp_path / "gone.toml").startswith("gone.toml: cannot be read: No such file")

    def test_given_file_outside_of_the_root_is_named_in_full(self, tmp_path, tmp_path_factory):
        outside = tmp_path_factory.mktemp("outside") / "guard.toml"
        outside.write_text("max-queries = 5\n")
        config = load_config(tmp_path, file=outside, environ={})
        assert config.sources["max_queries"] == str(outside)

    def test_pyproject_without_our_table(self, load):
        assert load("[tool.ruff]\nline-length = 80\n") == Config()
        assert load("tool = 3\n") == Config()


class TestKeys:
    def test_underscores_are_accepted(self, load):
        assert load("[tool.dbguard]\nfail_on = 'note'\n").fail_on == "note"

    def test_a_key_written_twice_is_refused(self, refusal):
        assert refusal("[tool.dbguard]\nfail_on = 'note'\nfail-on = 'error'\n") == (
            "pyproject.toml: tool.dbguard.fail-on: given twice\n  keep one of 'fail_on' and 'fail-on'"
        )

    def test_report_as_table(self, load):
        text = "[tool.dbguard.report]\njson = 'a.json'\nterm = true\nconcise = false\n"
        assert load(text).report == ("json:a.json", "term")

    def test_report_as_list(self, load):
        assert load("[tool.dbguard]\nreport = ['json:a.json', 'term']\n").report == ("json:a.json", "term")

    def test_baseline_as_table(self, load):
        assert load("[tool.dbguard.baseline]\npath = 'b.json'\n").baseline == "b.json"
        assert load("[tool.dbguard.baseline]\n").baseline == "dbguard-baseline.json"

    def test_tables_of_rules_are_kept_as_written(self, load):
        text = "[tool.dbguard.rules.n-plus-one]\nmin-repeats = 3\n"
        assert load(text).rules == {"n-plus-one": {"min-repeats": 3}}

    def test_runtime_belongs_to_others(self, load):
        assert load("[tool.dbguard.runtime]\nanything = 1\n") == Config()

    def test_a_whole_number_is_a_number(self, load):
        assert load("[tool.dbguard]\nslow-ms = 20\n").slow_ms == 20.0


TABLE = "[tool.dbguard]\n"
WRONG = [
    (TABLE + "faill-on = 'error'", "tool.dbguard: unknown key 'faill-on'\n  did you mean 'fail-on'?"),
    (TABLE + "max_querys = 1", "tool.dbguard: unknown key 'max_querys'\n  did you mean 'max-queries'?"),
    (
        TABLE + "fail-on = 'eror'",
        "tool.dbguard.fail-on: expected 'error', 'warning', 'note' or 'never', not 'eror'\n  did you mean 'error'?",
    ),
    (TABLE + "max-queries = -1", "tool.dbguard.max-queries: expected 0 or more, not -1"),
    (TABLE + "max-queries = '5'", "tool.dbguard.max-queries: expected a whole number, not '5'"),
    (TABLE + "max-queries = 1.5", "tool.dbguard.max-queries: expected a whole number, not 1.5"),
    (TABLE + "max-queries = true", "tool.dbguard.max-queries: expected a whole number, not true"),
    (TABLE + "slow-ms = 0", "tool.dbguard.slow-ms: expected more than 0, not 0"),
    (TABLE + "slow-ms = inf", "tool.dbguard.slow-ms: expected a finite number, not inf"),
    (TABLE + "slow-ms = 2026-11-24", "tool.dbguard.slow-ms: expected a number, not 2026-11-24"),
    (TABLE + "preview = 'yes'", "tool.dbguard.preview: expected true or false, not 'yes'"),
    (TABLE + "baseline = ''", "tool.dbguard.baseline: expected some text, not ''"),
    (TABLE + "baseline = [1]", "tool.dbguard.baseline: expected text, not a list"),
    (TABLE + "select = 'DBG1'", "tool.dbguard.select: expected a list, not 'DBG1'\n  write [\"DBG1\"]"),
    (TABLE + "select = [1]", "tool.dbguard.select[0]: expected text, not 1"),
    (TABLE + "select = {a = 1}", "tool.dbguard.select: expected a list, not a table"),
    (
        TABLE + "update-baseline = true",
        "tool.dbguard.update-baseline: only a flag can say so\n  use --dbguard-update-baseline",
    ),
    (
        TABLE + "prune_baseline = true",
        "tool.dbguard.prune_baseline: only a flag can say so\n  use --dbguard-prune-baseline",
    ),
    (TABLE + "runtime = 3", "tool.dbguard: unknown key 'runtime'"),
    ("tool.dbguard = 3", "tool.dbguard: expected a table, not 3\n  write [tool.dbguard]"),
    (TABLE + "env.test = 3", "tool.dbguard.env.test: expected a table, not 3"),
    (
        TABLE + "env = 'ci'",
        "tool.dbguard.env: expected tables [tool.dbguard.env.NAME], not 'ci'\n"
        '  to say which environment is in use, write default-env = "ci"',
    ),
    (TABLE + "env = 3", "tool.dbguard.env: expected tables [tool.dbguard.env.NAME], not 3\n  write a table"),
    (TABLE + "default-env = 3", "tool.dbguard.default-env: expected some text, not 3\n  name the environment"),
    (TABLE + "default-env = ''", "tool.dbguard.default-env: expected some text, not ''"),
    (TABLE + "defaut-env = 'ci'", "tool.dbguard: unknown key 'defaut-env'\n  did you mean 'default-env'?"),
    (
        TABLE + "per-path-ignores.'shop/*' = 'DBG1'",
        "tool.dbguard.per-path-ignores.shop/*: expected a list, not 'DBG1'\n  write [\"DBG1\"]",
    ),
    (
        "[tool.dbguard.env.test]\ndatabas = 'sqlite'",
        "tool.dbguard.env.test: unknown key 'databas'\n  did you mean 'database'?",
    ),
    (
        "[tool.dbguard.env.test]\nleaks = 'warning'",
        "tool.dbguard.env.test: unknown key 'leaks'",
    ),
    (
        "[tool.dbguard.env.test]\ndatabase = 'SQLite'",
        "tool.dbguard.env.test.database: expected a name of small letters, digits and hyphens, not 'SQLite'",
    ),
    (
        "[tool.dbguard.env.dev]\n[tool.dbguard.env.development]",
        "tool.dbguard.env.development: environment 'dev' has a table already\n  keep one of the two",
    ),
    ("[tool.dbguard.baseline]\nfile = 'x'", "tool.dbguard.baseline: unknown key 'file'\n  known: path"),
    ("[tool.dbguard.report]\njson = 3", "tool.dbguard.report.json: expected a path, true or false, not 3"),
    ("[tool.dbguard.rules]\nn-plus-one = 3", "tool.dbguard.rules.n-plus-one: expected a table, not 3"),
]


def test_what_is_known_is_what_a_file_may_hold(refusal):
    known = refusal(TABLE + "xyzzy = 1").partition("known: ")[2].split(", ")
    assert {"default-env", "env", "per-path-ignores"} <= set(known)
    assert {"update-baseline", "prune-baseline", "envs"}.isdisjoint(known)


@pytest.mark.parametrize(("text", "said"), WRONG, ids=[text.rpartition("\n")[2] for text, _ in WRONG])
def test_what_cannot_be_used_is_named(refusal, text, said):
    assert refusal(text).startswith(f"pyproject.toml: {said}")


@pytest.mark.parametrize("name", ["dbgaurd", "dbgard", "pytest-dbguard", "pytest_dbguard"])
def test_a_table_that_is_nearly_ours_is_not_passed_over(refusal, name):
    assert refusal(f"[tool.{name}]\n") == (
        f"pyproject.toml: nothing reads the table [tool.{name}]\n  did you mean [tool.dbguard]?"
    )


@pytest.mark.parametrize("name", ["dbgate", "dbt", "guard", "ruff"])
def test_tables_of_other_tools_are_theirs(load, name):
    assert load(f"[tool.{name}]\n") == Config()


def test_table_header_in_dbguard_toml(refusal):
    assert refusal("[tool.dbguard]\nmax-queries = 1\n", name="dbguard.toml") == (
        "dbguard.toml: unknown key 'tool.dbguard'\n  in dbguard.toml the keys stand at the top, without [tool.dbguard]"
    )


class TestBrokenFiles:
    def test_syntax_error_names_line_and_column(self, refusal):
        assert refusal("[tool.dbguard]\nmax-queries = \n").startswith("pyproject.toml:2:15: not valid TOML: ")
        assert refusal("[tool.dbguard").startswith("pyproject.toml: not valid TOML: ")

    def test_not_utf8(self, tmp_path):
        (tmp_path / "pyproject.toml").write_bytes(b"[tool.dbguard]\nbaseline = '\xff'\n")
        with pytest.raises(ConfigError, match=r"pyproject.toml: not UTF-8 at byte 27\n"):
            load_config(tmp_path, environ={})

    def test_directory_instead_of_a_file(self, tmp_path):
        (tmp_path / "guard.toml").mkdir()
        with pytest.raises(ConfigError, match=r"guard.toml: cannot be read: Is a directory"):
            load_config(tmp_path, environ={}, file=tmp_path / "guard.toml")


SECRETS = [
    "[tool.dbguard]\ndatabase = 'postgresql://me:hunter2@host/db'",
    "[tool.dbguard]\ndatabase = 'me:hunter2@host'",
    "[tool.dbguard]\nfail-on = 'host=h password=hunter2'",
    "[tool.dbguard]\nselect = 'postgresql://me:hunter2@host/db'",
    "[tool.dbguard]\nurls = 'postgresql://me:hunter2@host/db'",
    "[tool.dbguard.env.test]\npassword = 'hunter2'",
    "[tool.dbguard.env.test]\nurl = ['postgresql://me:hunter2@host/db']",
    "[tool.dbguard.env.test]\nurl = {password = 'hunter2'}",
    "[tool.dbguard.env]\ntest = 'postgresql://me:hunter2'",
]


@pytest.mark.parametrize("text", SECRETS, ids=[text.rpartition("\n")[2] for text in SECRETS])
def test_no_password_is_shown(refusal, text):
    assert "hunter2" not in refusal(text)
