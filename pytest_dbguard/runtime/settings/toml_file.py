"""Reads the settings that stand in [tool.dbguard.runtime] of pyproject.toml, or in [runtime] of dbguard.toml."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
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
_LOOK_ALIKES: Final = ("dbguard-runtime", "dbguard_runtime")
_SLIP_RATIO: Final = 0.8


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
    problems = list(_misplaced(content, place, key, is_project=is_project))
    if table is not None and not isinstance(table, Mapping):
        problems.append(Problem(place, key, f"expected a table, not {quote(table)}", f"write [{key}]"))
        table = None
    shared, by_profile = _split(table or {}, place, key, problems)
    common = TableReader(model, place, is_file=True, besides=PROFILES).read(shared, key)
    tables = {
        profile: TableReader(model, place, is_file=True).read(values, at)
        for profile, (at, values) in by_profile.items()
    }
    return FileSettings(Layer(common.values, common.origins, (*common.problems, *problems)), tables, project)


def _misplaced(content: Mapping[str, Any], place: str, key: str, *, is_project: bool) -> Iterator[Problem]:
    """Yield tables whose names are slips of the pen for ours: an application would start without its settings."""
    tool = _inner(content, "tool")
    beside = (_inner(tool, "dbguard") if is_project else content) or {}
    names = [*get_close_matches(TABLE, list(beside) if isinstance(beside, Mapping) else [], cutoff=_SLIP_RATIO)]
    slips = [dotted_key(key.rpartition(".")[0], name) for name in names if name != TABLE]
    slips += [f"tool.{name}" for name in _LOOK_ALIKES if _inner(tool, name) is not None]
    if not is_project and _inner(tool, "dbguard", TABLE) is not None:
        slips.append(dotted_key(_ABOVE, TABLE))
    yield from (Problem(place, "", f"nothing reads the table [{slip}]", f"did you mean [{key}]?") for slip in slips)


def _split(
    table: Mapping[str, Any], place: str, key: str, problems: list[Problem]
) -> tuple[dict[str, Any], dict[str, tuple[str, Mapping[str, Any]]]]:
    """Return what is said for every profile, and the table of each profile with its key."""
    shared: dict[str, Any] = {}
    by_profile: dict[str, tuple[str, Mapping[str, Any]]] = {}
    for name, value in table.items():
        profile, at = canonical(name), dotted_key(key, name)
        if profile not in PROFILES or not isinstance(value, Mapping):
            shared[name] = value
        elif profile in by_profile:
            problems.append(Problem(place, at, f"the profile {profile} has a table already", "keep one of the two"))
        elif "profile" in value:
            problems.append(Problem(place, dotted_key(at, "profile"), "cannot stand here", f"move it to [{key}]"))
        else:
            by_profile[profile] = at, value
    return shared, by_profile


def _project(name: object, place: str) -> Layer:
    if not isinstance(name, str) or not name:
        return Layer()
    return Layer({"app": name}, {("app",): Origin(place, "project.name", is_file=True)})


def _inner(table: object, *names: str) -> Any:
    for name in names:
        table = table.get(name) if isinstance(table, Mapping) else None
    return table
