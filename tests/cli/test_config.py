"""`dbguard config`."""

from __future__ import annotations

import json
import re
import tomllib

from jsonschema import Draft202012Validator


def test_each_value_and_where_it_comes_from(dbguard, configured, monkeypatch):
    configured("[tool.dbguard]\nmax-queries = 7\nselect = ['DBG1']\n[tool.dbguard.rules.n-plus-one]\nthreshold = 3\n")
    monkeypatch.setenv("DBGUARD_FAIL_ON", "error")
    result = dbguard("config")
    assert result.status == 0
    told = {
        line.split(" = ")[0]: " ".join(line.split(" = ", 1)[1].split())
        for line in result.out.splitlines()
        if not line.startswith("#")
    }
    assert told["max-queries"] == "7 # pyproject.toml"
    assert told["select"] == '["DBG1"] # pyproject.toml'
    assert told["rules.n-plus-one"] == "{threshold = 3} # pyproject.toml"
    assert told["fail-on"] == '"error" # environment variable DBGUARD_FAIL_ON'
    assert told["slow-ms"] == "500.0 # default"
    assert told["default-env"] == '"test" # default'
    assert re.search(r"^# database is not set +# default$", result.out, re.MULTILINE)
    assert "update-baseline" not in told


def test_the_text_is_toml_and_says_the_same(dbguard, configured):
    """What is printed can be written into a file, and gives the same settings again."""
    text = """
        [tool.dbguard]
        default-env = "ci"
        max-queries = 7
        ignore = ["DBG103:product"]
        [tool.dbguard.per-path-ignores]
        "shop/legacy/*" = ["DBG1"]
        "tests/slow/*" = ["DBG601", "n-plus-one"]
        [tool.dbguard.env.ci]
        database = "sqlite"
        [tool.dbguard.rules.n-plus-one]
        threshold = 3
        """
    configured(text)
    printed = dbguard("config").out
    assert 'per-path-ignores."shop/legacy/*" = ["DBG1"]' in printed
    shown = tomllib.loads(printed)
    given = tomllib.loads(text)["tool"]["dbguard"]
    assert {key: shown[key] for key in given} == given
    configured("\n".join(f"tool.dbguard.{line}" if line[0] != "#" else line for line in printed.splitlines()))
    again = tomllib.loads(dbguard("config").out)
    assert again == shown


def test_json(dbguard, configured):
    configured("[tool.dbguard.env.test]\ndatabase = 'sqlite'\n")
    document = json.loads(dbguard("config", "--output-format", "json").out)
    assert document["format"] == 1
    assert document["settings"]["database"] == {"value": "sqlite", "source": "pyproject.toml [tool.dbguard.env.test]"}
    assert document["settings"]["env.test"] == {"value": {"database": "sqlite"}, "source": "pyproject.toml"}


def test_shows_no_password(dbguard, configured):
    configured(
        """
        [tool.dbguard.env.test]
        url = "postgresql://me:hunter2@host/shop"
        [tool.dbguard.rules.of-others]
        hosts = ["postgresql://me:hunter2@host/shop"]
        """
    )
    for output_format in ("text", "json"):
        out = dbguard("config", "--output-format", output_format).out
        assert "hunter2" not in out
        assert "postgresql://me:***@host/shop" in out


def test_schema(dbguard):
    result = dbguard("config", "--schema")
    assert result.status == 0
    schema = json.loads(result.out)
    Draft202012Validator.check_schema(schema)
    assert "max-queries" in schema["properties"]
    assert "threshold" in schema["properties"]["rules"]["properties"]["n-plus-one"]["properties"]


def test_what_cannot_be_used(dbguard, configured):
    configured("[tool.dbguard]\nmax-queries = 'x'\n")
    result = dbguard("config")
    assert result.status == 2
    assert result.err == "dbguard: pyproject.toml: tool.dbguard.max-queries: expected a whole number, not 'x'\n"
    assert result.out == ""


class TestWhichProject:
    def test_the_nearest_upwards(self, dbguard, configured, tmp_path, monkeypatch):
        configured("[tool.dbguard]\nmax-queries = 7\n")
        (tmp_path / "shop" / "views").mkdir(parents=True)
        monkeypatch.chdir(tmp_path / "shop" / "views")
        assert "max-queries = 7 " in dbguard("config").out

    def test_the_one_that_is_named(self, dbguard, configured, tmp_path, monkeypatch):
        configured("[tool.dbguard]\nmax-queries = 7\n")
        monkeypatch.chdir("/")
        assert "max-queries = 7 " in dbguard("config", "--directory", tmp_path).out

    def test_the_file_that_is_named(self, dbguard, configured, tmp_path):
        configured("max-queries = 8\n", tmp_path / "ci.toml")
        assert "max-queries = 8 " in dbguard("config", "--config", "ci.toml").out

    def test_a_named_file_must_exist(self, dbguard):
        result = dbguard("config", "--config", "gone.toml")
        assert result.status == 2
        assert result.err.startswith("dbguard: gone.toml: cannot be read: No such file")
