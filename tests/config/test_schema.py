"""The JSON schema accepts what the loader accepts."""

from __future__ import annotations

import tomllib
from typing import Annotated

import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel, ConfigDict, Field

from pytest_dbguard.config.model import ONLY_AS_FLAG, Config
from pytest_dbguard.config.schema import json_schema
from pytest_dbguard.core.findings import Severity


class Options(BaseModel):
    """Options of a rule."""

    model_config = ConfigDict(extra="forbid")

    min_repeats: Annotated[int, Field(ge=2)] = 2
    severity: Severity | None = None


@pytest.fixture(scope="module")
def validator():
    schema = json_schema({"n-plus-one": Options})
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


ACCEPTED = """
fail-on = "error"
select = ["DBG1"]
max-queries = 5
slow-ms = 2.5
baseline = "none"
report = ["json:a.json"]
database = "sqlite"
[env.test]
database = "sqlite"
url = "sqlite://"
[rules.n-plus-one]
min-repeats = 3
severity = "note"
[rules.of-somebody-else]
anything = 1
"""


@pytest.mark.parametrize(
    "text",
    [
        ACCEPTED,
        "",
        "default-env = 'ci'\nenv.ci.database = 'sqlite'",
        "[per-path-ignores]\n'shop/*' = ['DBG1']",
        "[baseline]\npath = 'a'",
        "[report]\njson = 'a.json'\nterm = true",
        "[runtime]\nx = 1",
    ],
)
def test_accepts_what_the_loader_accepts(validator, load, text):
    load(text, name="dbguard.toml", flags={"env": "test"})
    validator.validate(tomllib.loads(text))


@pytest.mark.parametrize(
    "text",
    [
        "max-querys = 1",
        "fail-on = 'eror'",
        "update-baseline = true",
        "select = 'DBG1'",
        "max-queries = -1",
        "env = 'ci'",
        "default-env = 3",
        "[per-path-ignores]\n'shop/*' = 'DBG1'",
        "[env.test]\ndatabas = 'x'",
        "[baseline]\nfile = 'x'",
        "[report]\njson = 3",
    ],
)
def test_refuses_what_the_loader_refuses(validator, refusal, text):
    refusal(text, name="dbguard.toml")
    assert not validator.is_valid(tomllib.loads(text))


def test_refuses_wrong_options_of_rules(validator):
    assert not validator.is_valid({"rules": {"n-plus-one": {"min-repeats": 1}}})
    assert not validator.is_valid({"rules": {"n-plus-one": {"severity": "bad"}}})


def test_every_setting_is_described():
    properties = json_schema()["properties"]
    fields = Config.model_fields.keys() - ONLY_AS_FLAG - {"envs"}
    assert {key.replace("-", "_") for key in properties} == fields | {"runtime", "default_env"}
    assert [key for key, field in properties.items() if not field.get("description")] == []
