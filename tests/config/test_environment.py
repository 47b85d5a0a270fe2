"""Settings in environment variables."""

from __future__ import annotations

import pytest

from pytest_dbguard.config.environment import variable_name
from pytest_dbguard.config.model import Config


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ("select", "DBG1, n-plus-one,", ("DBG1", "n-plus-one")),
        ("report", "json:a.json,term", ("json:a.json", "term")),
        ("max_queries", "5", 5),
        ("max_queries", "none", None),
        ("slow_ms", "2.5", 2.5),
        ("show_queries", "1", True),
        ("preview", "TRUE", True),
        ("preview", "off", False),
        ("fail_on", "error", "error"),
        ("baseline", "none", "none"),
        ("database", "sqlite", "sqlite"),
        ("database", "none", None),
    ],
)
def test_text_becomes_a_value(load, field, text, value):
    assert getattr(load(environ={variable_name(field): text}), field) == value


@pytest.mark.parametrize("text", ["", " "])
def test_an_empty_variable_says_nothing(load, text):
    config = load("[tool.dbguard]\nmax-queries = 1\n", environ={"DBGUARD_MAX_QUERIES": text})
    assert config.sources["max_queries"] == "pyproject.toml"


def test_variables_of_others_are_theirs(load):
    others = {"DBGUARD_RUNTIME_URL": "x", "DBGUARD_REQUIRE_DOCKER": "1", "DBGUARD_TEST_DATABASE": "x", "HOME": "/root"}
    assert load(environ=others) == Config()


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"DBGUARD_MAX_QUERIS": "3"}, "DBGUARD_MAX_QUERIS: unknown setting\n  did you mean DBGUARD_MAX_QUERIES?"),
        ({"DBGUARD_MAX_QUERY": "3"}, "DBGUARD_MAX_QUERY: unknown setting\n  did you mean DBGUARD_MAX_QUERIES?"),
        ({"DBGUARD_MAX_QUERIES": "many"}, "DBGUARD_MAX_QUERIES: expected a whole number, not 'many'"),
        ({"DBGUARD_MAX_QUERIES": "-1"}, "DBGUARD_MAX_QUERIES: expected 0 or more, not -1"),
        ({"DBGUARD_SLOW_MS": "nan"}, "DBGUARD_SLOW_MS: expected a finite number, not nan"),
        ({"DBGUARD_PREVIEW": "maybe"}, "DBGUARD_PREVIEW: expected true or false, not 'maybe'"),
        ({"DBGUARD_RULES": "x"}, "DBGUARD_RULES: only a file can say so\n  use tables in pyproject.toml"),
        (
            {"DBGUARD_UPDATE_BASELINE": "1"},
            "DBGUARD_UPDATE_BASELINE: only a flag can say so\n  use --dbguard-update-baseline",
        ),
    ],
    ids=str,
)
def test_what_cannot_be_used_is_named(refusal, environ, said):
    assert refusal(environ=environ).startswith(f"environment variable {said}")


@pytest.mark.parametrize("variable", ["DBGUARD_DATABASE", "DBGUARD_ENV", "DBGUARD_FAIL_ON"])
def test_no_password_is_shown(refusal, variable):
    assert "hunter2" not in refusal(environ={variable: "postgresql://me:hunter2@host/db"})
