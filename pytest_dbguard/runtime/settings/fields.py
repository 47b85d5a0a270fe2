"""Walks the fields of the settings: which are sections, lists of sections, or values, and what kind of value."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from pytest_dbguard.runtime.settings.database_url import DatabaseUrl
from pytest_dbguard.runtime.settings.password import Password

Path = tuple[str | int, ...]
"""Where a setting stands, by fields: ("roles", "readonly", "replicas", 0, "url")."""

ONLY_KEYWORDS = frozenset({"password_from"})
"""Settings that are functions, which no file and no variable can hold."""


def section_of(info: FieldInfo) -> type[BaseModel] | None:
    """Return the model of a field that is a section."""
    return _model(info.annotation)


def element_of(info: FieldInfo) -> type[BaseModel] | None:
    """Return the model of the elements of a field that is a list of sections."""
    return _model(next(iter(get_args(info.annotation)), None)) if get_origin(info.annotation) is tuple else None


def kinds_of(info: FieldInfo) -> tuple[Any, ...]:
    """Return the types that a value may have."""
    annotation = info.annotation
    members = get_args(annotation) if type(None) in get_args(annotation) else (annotation,)
    return tuple(get_args(each)[0] if get_origin(each) is Annotated else each for each in members)


def is_secret(info: FieldInfo) -> bool:
    """Tell whether the value may hold a password."""
    return not {DatabaseUrl, Password}.isdisjoint(kinds_of(info))


def leaves(model: type[BaseModel], above: Path = ()) -> Iterator[tuple[Path, FieldInfo]]:
    """Yield every setting with where it stands; of a list of sections the list itself."""
    for name, info in model.model_fields.items():
        section = section_of(info)
        if section is None:
            yield (*above, name), info
        else:
            yield from leaves(section, (*above, name))


def dotted(path: Path) -> str:
    """Return a path as it is written for people: "roles.readonly.replicas[0].url"."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _model(annotation: Any) -> type[BaseModel] | None:
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None
