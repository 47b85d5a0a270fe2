"""Checks a layer against the models, and leaves out what is wrong so that the rest can be checked further."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from pytest_dbguard.config.problems import Problem, problem_of
from pytest_dbguard.core.errors import nearest
from pytest_dbguard.runtime.settings.fields import Path, dotted, element_of, is_secret, section_of
from pytest_dbguard.runtime.settings.layers import Layer, Origin, is_below

_OF_OURS = frozenset({"database_url", "cron", "misplaced_url"})


def checked(model: type[BaseModel], layer: Layer) -> tuple[Layer, tuple[Path, ...]]:
    """Return the layer without its wrong values and with a problem for each; and where those stood."""
    values = _copied(dict(layer.values))
    problems: list[Problem] = []
    wrong: list[Path] = []
    while details := _errors(model, values):
        for detail in details:
            path: Path = tuple(detail["loc"])
            problems.append(_problem(model, detail, path, layer.origin(path) or Origin("settings", dotted(path))))
            wrong.append(_remove(values, path))
    origins = {path: origin for path, origin in layer.origins.items() if not is_below(path, wrong)}
    return Layer(values, origins, (*layer.problems, *problems)), tuple(wrong)


def _errors(model: type[BaseModel], values: dict[str, Any]) -> list[ErrorDetails]:
    try:
        # not by calling the class: its own way to be made reads the environment
        BaseModel.__init__(model.__new__(model), **values)
    except ValidationError as error:
        return error.errors(include_url=False)
    return []


def _problem(model: type[BaseModel], detail: ErrorDetails, path: Path, origin: Origin) -> Problem:
    """Return the problem of a value, which is quoted unless it may be a password."""
    place, key, info = origin.place, origin.key, _field(model, path)
    if detail["type"] == "missing":
        return Problem(place, key, "not set", f"add the key {path[-1]!r}")
    if detail["type"] == "callable_type":
        message = f"expected a function that returns the password, not {type(detail['input']).__name__}"
        return Problem(place, key, message, "pass the function itself, without calling it")
    if detail["type"] in _OF_OURS:
        message, _, hint = detail["msg"].partition("; ")
        return Problem(place, key, message, hint or _default(info))
    if info is not None and is_secret(info):
        return Problem(place, key, f"expected text, not {type(detail['input']).__name__}", _default(info))
    found = problem_of(detail, place, key)
    return Problem(place, key, found.message, found.hint or _meant(detail) or _default(info))


def _meant(detail: ErrorDetails) -> str | None:
    """Return the choice that is nearest, of choices in capitals."""
    if detail["type"] != "literal_error" or not isinstance(detail["input"], str):
        return None
    choices = re.findall(r"'([^']+)'", detail.get("ctx", {})["expected"])
    match = nearest(detail["input"].upper(), choices)
    return f"did you mean {match!r}?" if match else None


def _default(info: FieldInfo | None) -> str | None:
    """Return the next step that every setting has: what it is for, or to leave it out."""
    if info is None or section_of(info) is not None:
        return "a section is a table of settings"
    about = (info.description or "").partition("\n")[0].rstrip(".")
    return about if info.is_required() else f"{about}; leave it out for the profile's default"


def _field(model: type[BaseModel], path: Path) -> FieldInfo | None:
    inner: type[BaseModel] | None = model
    info: FieldInfo | None = None
    for part in path:
        if isinstance(part, int) or inner is None:
            continue
        info = inner.model_fields.get(part)
        inner = (section_of(info) or element_of(info)) if info is not None else None
    return info


def _remove(values: dict[str, Any], path: Path) -> Path:
    """Take out the value at the path, of a list the whole of it; return where what is taken out stood."""
    inner: Any = values
    for length, (part, after) in enumerate(pairwise((*path, None)), 1):
        if after is None or isinstance(after, int) or not isinstance(inner.get(part), dict):
            inner.pop(part, None)
            return path[:length]
        inner = inner[part]
    return path


def _copied(values: dict[str, Any]) -> dict[str, Any]:
    return dict(_copies(values))


def _copies(values: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        yield name, _copied(value) if isinstance(value, dict) else value
