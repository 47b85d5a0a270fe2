"""A catalog as JSON and back, and the short hash that tells one schema from another."""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields, is_dataclass
from enum import StrEnum
from functools import cache
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from pytest_dbguard.schema.catalog import Catalog

_ID_LENGTH = 16
_NOT_THE_SCHEMA = ("version", "source")


def catalog_to_json(catalog: Catalog) -> str:
    """Return a catalog as JSON, fields with their defaults left out; equal catalogs give equal bytes."""
    return _text(_plain(catalog))


def catalog_from_json(text: str) -> Catalog:
    """Return the catalog that `catalog_to_json` wrote.

    Raises:
        ValueError: When it did not.
    """
    try:
        found: Catalog = _read(Catalog, json.loads(text))
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"no catalog: {error}") from error
    return found


def catalog_id(catalog: Catalog) -> str:
    """Return a hash that is the same for the same schema, whatever server and version it was read from."""
    document = _plain(catalog)
    for name in _NOT_THE_SCHEMA:
        document.pop(name, None)
    return hashlib.sha256(_text(document).encode()).hexdigest()[:_ID_LENGTH]


def _text(document: Any) -> str:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        held = ((field, getattr(value, field.name)) for field in fields(value))
        return {field.name: _plain(item) for field, item in held if item != field.default}
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


@cache
def _hints(kind: Any) -> dict[str, Any]:
    # a catalog holds thousands of objects of few classes
    return get_type_hints(kind)


def _read(kind: Any, value: Any) -> Any:
    """Return a value of a type as annotations have it, from what `_plain` made of it."""
    if is_dataclass(kind):
        made: Any = kind
        hints = _hints(made)
        return made(**{name: _read(hints[name], item) for name, item in value.items()})
    if isinstance(kind, UnionType):
        return None if value is None else _read(get_args(kind)[0], value)
    if get_origin(kind) is tuple:
        of = get_args(kind)
        return tuple(_read(of[0] if of[-1] is ... else of[number], item) for number, item in enumerate(value))
    return kind(value) if issubclass(kind, StrEnum) else value
