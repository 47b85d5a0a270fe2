"""`dbguard config --runtime`."""

from __future__ import annotations

import builtins
import json
import tomllib

import pytest
from jsonschema import Draft202012Validator

from pytest_dbguard.cli import runtime_settings
from pytest_dbguard.runtime.settings import DatabaseSettings

WIDE = """
    [project]
    name = "shop"
    [tool.dbguard]
    max-queries = 7
    [tool.dbguard.runtime]
    processes = 4
    url = "postgresql://me:hunter2@db/shop"
    roles.readonly.replicas = ["postgresql://one/shop", {url = "postgresql://me:hunter2@two/shop", weight = 2}]
    roles.readonly.pool.size = 3
    [tool.dbguard.runtime.test]
    url = "sqlite:///shop.db"
"""


def told(result):
    """Return value and source by key."""
    rows = (line.partition(" = ") for line in result.out.splitlines() if not line.startswith("#"))
    return {key: tuple(map(str.strip, rest.rsplit("  # ", 1))) for key, _, rest in rows}


def test_each_value_and_where_it_comes_from(dbguard, configured, monkeypatch):
    configured(WIDE)
    monkeypatch.setenv("DBGUARD_RUNTIME_POOL__SIZE", "9")
    result = dbguard("config", "--runtime")
    assert (result.status, result.err) == (0, "")
    settings = told(result)
    assert settings["profile"] == ('"development"', "default")
    assert settings["app"] == ('"shop"', "pyproject.toml [project]")
    assert settings["processes"] == ("4", "pyproject.toml [tool.dbguard.runtime]")
    assert settings["pool.size"] == ("9", "environment variable DBGUARD_RUNTIME_POOL__SIZE")
    assert settings["pool.overflow"] == ("3", "profile development")
    assert settings["pool.max-lifetime-s"] == ("1800.0", "default")
    assert settings["roles.readonly.pool.size"] == ("3", "pyproject.toml [tool.dbguard.runtime.roles.readonly.pool]")
    assert "roles.readonly.pool.overflow" not in settings
    assert "# roles.analytics.url is not set" in result.out
    assert "max-queries" not in result.out


@pytest.mark.parametrize("output_format", ["text", "json"])
def test_no_password_is_shown(dbguard, configured, monkeypatch, output_format):
    configured(WIDE)
    monkeypatch.setenv("DBGUARD_RUNTIME_PASSWORD", "hunter2")
    out = dbguard("config", "--runtime", "--output-format", output_format).out
    assert "hunter2" not in out
    assert "postgresql://me:***@db/shop" in out
    assert "postgresql://me:***@two/shop" in out


def test_json(dbguard, configured):
    configured(WIDE)
    document = json.loads(dbguard("config", "--runtime", "--output-format", "json").out)
    assert document["format"] == 1
    assert document["settings"]["processes"] == {"value": 4, "source": "pyproject.toml [tool.dbguard.runtime]"}
    assert document["settings"]["roles.readonly.replicas"]["value"][1]["weight"] == 2.0
    assert document["settings"]["password"]["value"] is None


@pytest.mark.parametrize("name", ["prod", "production"])
def test_as_in_another_profile(dbguard, configured, name):
    """Its settings are shown though they lack what only its servers have; that is told after them."""
    configured("")
    result = dbguard("config", "--runtime", "--profile", name)
    assert told(result)["profile"] == ('"production"', "flag --profile")
    assert told(result)["tls.mode"] == ('"require"', "profile production")
    assert result.status == 2
    assert result.err.splitlines() == [
        "dbguard: profile production: roles.primary.url: not set",
        "  set DBGUARD_RUNTIME_URL or DBGUARD_RUNTIME_URL_FILE",
    ]


def test_what_is_wrong_is_told_after_what_is_right(dbguard, configured):
    configured("[tool.dbguard.runtime]\npool.siz = 3\npool.overflow = -1\nprocesses = 4")
    result = dbguard("config", "--runtime")
    assert told(result)["processes"] == ("4", "pyproject.toml [tool.dbguard.runtime]")
    assert told(result)["pool.overflow"] == ("3", "profile development")
    assert result.status == 2
    assert result.err.startswith(
        "dbguard: 2 problems in the configuration\n  pyproject.toml: tool.dbguard.runtime.pool"
    )


@pytest.mark.parametrize("profile", ["development", "test"])
def test_the_text_is_toml_and_says_the_same(dbguard, configured, tmp_path, profile):
    configured(WIDE.replace(":hunter2", ""))
    printed = dbguard("config", "--runtime", "--profile", profile).out
    tomllib.loads(printed)
    before = DatabaseSettings.load(tmp_path, profile=profile, environ={})
    configured("\n".join(f"tool.dbguard.runtime.{line}" for line in printed.splitlines() if line[0] != "#"))
    assert DatabaseSettings.load(tmp_path, environ={}) == before


def test_a_file_that_is_named(dbguard, configured, tmp_path):
    configured("[runtime]\nprocesses = 8", tmp_path / "deploy.toml")
    result = dbguard("config", "--runtime", "--config", "deploy.toml")
    assert told(result)["processes"] == ("8", "deploy.toml [runtime]")


@pytest.mark.parametrize(
    ("arguments", "err"),
    [
        (("--profile", "test"), "dbguard: --profile: only the runtime has profiles\n  add --runtime\n"),
        (
            ("--runtime", "--profile", "prodution"),
            "dbguard: --profile: unknown profile 'prodution'\n  did you mean 'production'?\n",
        ),
    ],
)
def test_a_profile_that_cannot_be(dbguard, arguments, err):
    result = dbguard("config", *arguments)
    assert (result.status, result.out, result.err) == (2, "", err)


def test_where_the_runtime_is_not_installed(dbguard, monkeypatch):
    monkeypatch.setattr(runtime_settings, "find_spec", lambda name: None)
    result = dbguard("config", "--runtime")
    assert result.status == 2
    assert "pip install 'pytest-dbguard[runtime]'" in result.err


def test_the_configuration_of_tests_needs_nothing_of_the_runtime(dbguard, configured, monkeypatch):
    """Its settings are shown where what the runtime needs is not installed, and whatever stands in its table."""
    imported = builtins.__import__

    def refuse(name, *args, **keywords):
        assert "runtime" not in name
        assert not name.startswith("pydantic_settings")
        return imported(name, *args, **keywords)

    configured(WIDE + "nonsense = 1")
    monkeypatch.setenv("DBGUARD_RUNTIME_POOL__SIZ", "9")
    monkeypatch.setattr(builtins, "__import__", refuse)
    result = dbguard("config")
    assert (result.status, result.err) == (0, "")
    assert "max-queries = 7 " in result.out


def test_the_schema_describes_them(dbguard):
    document = json.loads(dbguard("config", "--schema").out)
    Draft202012Validator.check_schema(document)
    validator = Draft202012Validator(document)
    assert not list(validator.iter_errors(tomllib.loads("max-queries = 7\nruntime.pool.size = 3")))
    assert list(validator.iter_errors(tomllib.loads("runtime.pool.siz = 3")))
