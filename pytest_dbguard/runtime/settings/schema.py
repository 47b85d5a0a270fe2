"""Describes [tool.dbguard.runtime] as JSON schema, for editors that complete and check TOML files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from pytest_dbguard.config.table import key_name
from pytest_dbguard.runtime.settings.fields import ONLY_KEYWORDS, element_of, section_of
from pytest_dbguard.runtime.settings.model import DatabaseSettings
from pytest_dbguard.runtime.settings.profiles import PROFILES

Schema = dict[str, Any]

_PROFILE = "profile"
_NAMES = (*PROFILES, "dev", "prod")


def runtime_schema() -> Schema:
    """Return the schema of the table; tables of profiles hold the same keys but the profile's own name."""
    fields = _fields(DatabaseSettings)
    shared = {key: value for key, value in fields.items() if key != _PROFILE}
    profiles = {name: {**_table(shared), "description": f"What the profile {name} says instead."} for name in _NAMES}
    return {"description": "Settings of pytest_dbguard.runtime.", **_table(fields | profiles)}


def _table(fields: Mapping[str, Any]) -> Schema:
    return {"type": "object", "additionalProperties": False, "properties": dict(fields)}


def _fields(model: type[BaseModel]) -> Schema:
    """Return the schemas of a section's settings by key; what only a program can say is left out."""
    values = model.model_json_schema()["properties"]
    described: Schema = {}
    for name, info in model.model_fields.items():
        section, element = section_of(info), element_of(info)
        if name in ONLY_KEYWORDS:
            continue
        if section is not None:
            schema = _table(_fields(section))
        elif element is not None:
            fields = _fields(element)
            schema = {"type": "array", "items": {"anyOf": [fields["url"], {**_table(fields), "required": ["url"]}]}}
        else:
            schema = _value(values[name])
        described[key_name(name)] = {"description": info.description, **schema}
    return described


def _value(schema: Schema) -> Schema:
    # None cannot be written in TOML, and a title that is made of the name only repeats it
    plain = {word: value for word, value in schema.items() if word not in ("title", "anyOf") and value is not None}
    choices = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    return plain | (choices[0] if len(choices) == 1 else {"anyOf": choices} if choices else {})
