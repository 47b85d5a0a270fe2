"""Describe the settings as JSON schema, for editors that complete and check TOML files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from pytest_dbguard.config.model import ENVIRONMENT_KEY, ONLY_AS_FLAG, Config, EnvConfig
from pytest_dbguard.config.nested import BaselineTable
from pytest_dbguard.config.table import key_name

Schema = dict[str, Any]

_NOT_IN_FILES = {"envs"} | ONLY_AS_FLAG
_TEXT: Mapping[str, Any] = {"type": "string", "minLength": 1}


def json_schema(rules: Mapping[str, type[BaseModel]] | None = None) -> Schema:
    """Return the schema of the table `[tool.dbguard]`.

    Args:
        rules: Models of the options of rules by the name of the rule; tables of other rules are not checked.
    """
    definitions: Schema = {}
    fields = _fields(Config, definitions)
    for name in _NOT_IN_FILES:
        del fields[key_name(name)]
    environments = {"type": "object", "additionalProperties": _table(EnvConfig, definitions)}
    reports = {"type": "object", "additionalProperties": {"type": ["string", "boolean"]}}
    fields[ENVIRONMENT_KEY] = fields["env"]
    fields["env"] = {"description": "Environments by name.", **environments}
    fields["baseline"] = _either(fields["baseline"], _TEXT, _table(BaselineTable, definitions))
    fields["report"] = _either(fields["report"], {"type": "array", "items": _TEXT}, reports)
    fields["rules"]["properties"] = {name: _table(model, definitions) for name, model in (rules or {}).items()}
    fields["runtime"] = {"description": "Settings of pytest_dbguard.runtime.", "type": "object"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "pytest-dbguard",
        "description": "Settings in [tool.dbguard] of pyproject.toml, or at the top of dbguard.toml.",
        "type": "object",
        "additionalProperties": False,
        "properties": fields,
        "$defs": {name: definitions[name] for name in sorted(definitions) if name != EnvConfig.__name__},
    }


def _table(model: type[BaseModel], definitions: Schema) -> Schema:
    return {"type": "object", "additionalProperties": False, "properties": _fields(model, definitions)}


def _fields(model: type[BaseModel], definitions: Schema) -> Schema:
    """Return the schemas of a model's fields by key; what they refer to is added to `definitions`."""
    schema = model.model_json_schema()
    definitions |= schema.get("$defs", {})
    # A title that pydantic makes up from the field's name only repeats the key.
    return {
        key_name(name): {word: value for word, value in field.items() if word != "title"}
        for name, field in schema.get("properties", {}).items()
    }


def _either(field: Schema, *schemas: Mapping[str, Any]) -> Schema:
    return {"description": field["description"], "default": field["default"], "anyOf": list(schemas)}
