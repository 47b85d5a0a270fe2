"""The JSON schema of [tool.dbguard.runtime]: it takes what the settings take."""

from __future__ import annotations

import tomllib

import pytest
from jsonschema import Draft202012Validator

from pytest_dbguard.runtime.settings.schema import runtime_schema

GOOD = """
    profile = "production"
    url = "postgresql://me@db/shop"
    processes = 4
    pool = {size = 3, max-lifetime-s = 60, lifetime-jitter = 0.1}
    tls = {mode = "verify-full", root-cert = "root.crt"}
    backup.schedule = "30 3 * * *"
    [roles]
    analytics = {url = "postgresql://a/shop", isolation = "REPEATABLE READ", pool.size = 2}
    readonly.replicas = ["postgresql://one/shop", {url = "postgresql://two/shop", weight = 2}]
    [production]
    pool.size = 7
    [dev]
    logging.statements = false
"""


@pytest.fixture(scope="module")
def validator():
    schema = runtime_schema()
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def test_good_settings(validator):
    assert list(validator.iter_errors(tomllib.loads(GOOD))) == []


@pytest.mark.parametrize(
    "text",
    [
        "pool.siz = 3",
        "pool.size = 0",
        "pool.size = '3'",
        "pool.lifetime-jitter = 0.6",
        "tls.mode = 'ful'",
        "profile = 'staging'",
        "production.profile = 'test'",
        "production.pool.siz = 3",
        "password-from = 'a:b'",
        "roles.readonly.replicas = [{weight = 1}]",
        "roles.readonly.replicas = ['sqlite://', {url = 'sqlite://', weight = -1}]",
        "roles.primary.statement-s = 'none'",
        "nonsense = 1",
    ],
)
def test_wrong_ones(validator, load, project, problems, text):
    assert list(validator.iter_errors(tomllib.loads(text)))
    project(f"[tool.dbguard.runtime]\n{text}")
    assert problems()


def test_what_is_good_in_one_is_good_in_the_other(load, project, tmp_path):
    (tmp_path / "root.crt").write_text("")
    lines = "\n".join(
        line.strip().replace("[", "[tool.dbguard.runtime.", 1) if line.strip().startswith("[") else line
        for line in GOOD.splitlines()
    )
    project(f"[tool.dbguard.runtime]\n{lines}")
    assert load().pool.size == 7


def test_every_setting_is_described():
    def undescribed(schema, key):
        for name, each in schema.get("properties", {}).items():
            if not each.get("description"):
                yield f"{key}.{name}"
            yield from undescribed(each, f"{key}.{name}")

    assert list(undescribed(runtime_schema(), "runtime")) == []
