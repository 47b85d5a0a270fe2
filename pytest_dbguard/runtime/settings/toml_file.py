"""Reads the settings that stand in [tool.dbguard.runtime] of pyproject.toml, or in [runtime] of dbguard.toml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel

from pytest_dbguard.config.file import PYPROJECT, find_file, shown_path
from pytest_dbguard.config.model import canonical
from pytest_dbguard.config.problems import Problem, quote
from pytest_dbguard.config.table import dotted_key
from pytest_dbguard.config.toml import parse_toml
from pytest_dbguard.core.errors import ConfigError
from pytest_dbguard.runtime.settings.layers import Layer, Origin
from pytest_dbguard.runtime.settings.profiles import PROFILES
from pytest_dbguard.runtime.settings.tables import TableReader

TABLE: Final = "runtime"
_ABOVE: Final = "tool.dbguard"


@dataclass(frozen=True, slots=True)
class FileSettings:
    """What a file says: for every profile, for each one by name, and the application's name as the project has it."""

    common: Layer = field(default_factory=Layer)
    by_profile: Mapping[str, Layer] = field(default_factory=dict)
    project: Layer = field(default_factory=Layer)


def read_toml(model: type[BaseModel], root: Path, file: Path | None = None) -> FileSettings:
    """Return what the project's file says, or the file that is named, relative to the root.

    Also that it cannot be read is told as a problem: together with all others, and without what the file holds, which
    is among the variables of who reads TOML.
    """
    try:
        path = find_file(root) if file is None else root / file
        place = "" if path is None else shown_path(path, root)
        content = {} if path is None else parse_toml(path, place)
    except ConfigError as error:
        return FileSettings(Layer(problems=(Problem("", "", error.message, error.hint),)))
    return FileSettings() if path is None else _read_content(model, path, place, content)


def _read_content(model: type[BaseModel], path: Path, place: str, content: Mapping[str, Any]) -> FileSettings:
    is_project = path.name == PYPROJECT
    table = _inner(content, "tool", "dbguard", TABLE) if is_project else content.get(TABLE)
    key = dotted_key(_ABOVE, TABLE) if is_project else TABLE
    project = _project(_inner(content, "project", "name"), place) if is_project else Layer()
    if table is None:
        return FileSettings(project=project)
    if not isinstance(table, Mapping):
        wrong = Problem(place, key, f"expected a table, not {quote(table)}", f"write [{key}]")
        return FileSettings(Layer(problems=(wrong,)), project=project)
    return _read(model, table, place, key, project)


def _read(model: type[BaseModel], table: Mapping[str, Any], place: str, key: str, project: Layer) -> FileSettings:
    common: dict[str, Any] = {}
    by_profile: dict[str, Layer] = {}
    problems: list[Problem] = []
    for name, value in table.items():
        profile = canonical(name)
        if profile not in PROFILES or not isinstance(value, Mapping):
            common[name] = value
            continue
        at = dotted_key(key, name)
        if profile in by_profile:
            problems.append(Problem(place, at, f"the profile {profile} has a table already", "keep one of the two"))
        elif "profile" in value:
            problems.append(Problem(place, dotted_key(at, "profile"), "cannot stand here", f"move it to [{key}]"))
        else:
            by_profile[profile] = TableReader(model, place, is_file=True).read(value, at)
    read = TableReader(model, place, is_file=True, besides=PROFILES).read(common, key)
    return FileSettings(Layer(read.values, read.origins, (*read.problems, *problems)), by_profile, project)


def _project(name: object, place: str) -> Layer:
    if not isinstance(name, str) or not name:
        return Layer()
    return Layer({"app": name}, {("app",): Origin(place, "project.name", is_file=True)})


def _inner(table: object, *names: str) -> Any:
    for name in names:
        table = table.get(name) if isinstance(table, Mapping) else None
    return table
