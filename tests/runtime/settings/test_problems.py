"""Everything that is wrong is told at once."""

from __future__ import annotations

import pytest

from pytest_dbguard.core.errors import ConfigError
from pytest_dbguard.runtime.settings.model import DatabaseSettings


def test_of_all_sources_and_of_all_kinds_at_once(project, problems):
    project(
        """
        [tool.dbguard.runtime]
        processes = 0
        roles.analytics.replicas = ["postgresql://one/shop"]
        [tool.dbguard.runtime.production]
        security.secrets = "anywhere"
        [tool.dbguard.runtime.test]
        pool.size = "two"
        """
    )
    environ = {"DBGUARD_RUNTIME_POOL__SIZ": "3", "DBGUARD_RUNTIME_TIMEOUTS__LOCK_S": "soon"}
    lines = problems(environ, profile="production", tls={"mode": "prefer"}, nonsense=1)
    told = [line.partition(" (")[0] for line in lines]
    assert told == [
        "pyproject.toml: tool.dbguard.runtime.processes: expected 1 or more, not 0",
        "environment variable DBGUARD_RUNTIME_POOL__SIZ: unknown setting",
        "environment variable DBGUARD_RUNTIME_TIMEOUTS__LOCK_S: expected a number, not 'soon'",
        "DatabaseSettings.load: unknown key 'nonsense'",
        "pyproject.toml: tool.dbguard.runtime.test.pool.size: expected a whole number, not 'two'",
        "profile production: roles.primary.url: not set",
        "pyproject.toml: tool.dbguard.runtime.roles.analytics.replicas: only readonly has replicas",
        "DatabaseSettings.load: tls.mode: the connection may go over the network unencrypted",
        "pyproject.toml: tool.dbguard.runtime.production.security.secrets: production takes no password from TOML",
    ]
    assert all(line.endswith(")") for line in lines), "each has a next step"


def test_a_call_tells_all_too(problems):
    lines = problems(call=DatabaseSettings, pool={"size": "x", "timeout": 3}, polo={}, app="")
    assert [line.partition(" (")[0] for line in lines] == [
        "DatabaseSettings: pool: unknown key 'timeout'",
        "DatabaseSettings: unknown key 'polo'",
        "DatabaseSettings: app: expected some text, not ''",
        "DatabaseSettings: pool.size: expected a whole number, not 'x'",
    ]


def test_keywords_have_underscores_in_hints(problems):
    (line,) = problems(call=DatabaseSettings, pool={"max_lifetime": 3})
    assert "did you mean 'max_lifetime_s'?" in line


def test_a_wrong_value_is_not_told_a_second_time_as_missing(problems):
    (line,) = problems({"DBGUARD_RUNTIME_URL": "nonsense"}, profile="production")
    assert line.startswith("environment variable DBGUARD_RUNTIME_URL: cannot be read as a URL")


def test_a_wrong_value_is_told_though_a_stronger_source_overrides_it(project, problems):
    project("[tool.dbguard.runtime]\npool.size = 'x'")
    (line,) = problems({"DBGUARD_RUNTIME_POOL__SIZE": "3"})
    assert line.startswith("pyproject.toml: tool.dbguard.runtime.pool.size: expected a whole number")


def test_pydantic_validates_by_the_same_way():
    with pytest.raises(ConfigError, match="pool: unknown key 'siz'"):
        DatabaseSettings.model_validate({"pool": {"siz": 3}})


@pytest.mark.parametrize(
    ("keywords", "said"),
    [
        ({"password_from": "secret"}, "password_from: expected a function that returns the password, not str"),
        ({"roles": {"primary": {"isolation": "SERIALISABLE"}}}, "did you mean 'SERIALIZABLE'?"),
        ({"roles": 3}, "roles: expected a table, not 3"),
        ({"url": "sqlite://", "roles": 3}, "roles: expected a table, not 3"),
        ({"url": "sqlite://", "roles": {"primary": {"url": "sqlite://"}}}, "url: given twice"),
        ({"pool": {"lifetime_jitter": 0.6}}, "pool.lifetime_jitter: expected 0.5 or less, not 0.6"),
        ({"pool": {"size": 2, "warm_up": 3}}, "pool.warm_up: 3 is more than the pool's size, 2"),
        ({"roles": {"readonly": {"pool": {"warm_up": 9}}}}, "roles.readonly.pool.warm_up: 9 is more than"),
        ({"pool": {"size": 9}, "roles": {"readonly": {"pool": {"size": 1, "warm_up": 2}}}}, "warm_up: 2 is more than"),
        ({"tls": {"cert": "gone.crt"}}, "tls.cert: there is no file 'gone.crt'"),
        ({"tls": {"cert": "gone.crt"}}, "tls.cert: given without tls.key"),
        ({"tls": {"mode": "verify-ca"}}, "tls.mode: verify-ca needs to know whom to trust"),
        ({"tls": {"mode": "verify-ca", "root_cert": "system"}}, "'system' needs the mode verify-full"),
        ({"url": "postgresql://h/d?sslmode=ful"}, "url: what the URL says of TLS is no mode of it"),
        (
            {"roles": {"readonly": {"url": "sqlite://", "replicas": ["sqlite://"]}}},
            "roles.readonly.replicas: given beside roles.readonly.url",
        ),
        (
            {"roles": {"readonly": {"replicas": [{"url": "sqlite://", "weight": 0}]}}},
            "roles.readonly.replicas: no replica has a weight above 0",
        ),
        (
            {"roles": {"primary": {"url": "postgresql://me:one@h/d", "password": "two"}}},
            "roles.primary.password: the URL has a password already",
        ),
    ],
)
def test_what_makes_no_sense(problems, keywords, said):
    assert said in "\n".join(problems(call=DatabaseSettings, **keywords))
