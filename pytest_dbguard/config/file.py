"""Read the settings that stand in pyproject.toml or dbguard.toml."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pytest_dbguard.config.flags import flag_name
from pytest_dbguard.config.layer import Layer
from pytest_dbguard.config.model import ENVIRONMENT_KEY, ONLY_AS_FLAG, Config, EnvConfig, canonical
from pytest_dbguard.config.nested import baseline_text, report_texts
from pytest_dbguard.config.problems import Problem, quote
from pytest_dbguard.config.table import check_table, dotted_key, field_name
from pytest_dbguard.config.toml import parse_toml
from pytest_dbguard.core.errors import ConfigError

PYPROJECT = "pyproject.toml"
OWN_FILE = "dbguard.toml"

_TABLE = "tool.dbguard"
_LOOK_ALIKES = frozenset({"pytest-dbguard", "pytest_dbguard"})


def find_file(root: Path) -> Path | None:
    """Return the file under `root` that holds settings of dbguard, or None.

    Raises:
        ConfigError: When both pyproject.toml and dbguard.toml do, so that none is silently passed over.
    """
    own, project = root / OWN_FILE, root / PYPROJECT
    if not own.is_file():
        return project if project.is_file() else None
    if project.is_file() and "dbguard" in _tool_table(project, PYPROJECT):
        raise ConfigError(
            f"settings stand both in {OWN_FILE} and in [{_TABLE}] of {PYPROJECT}", hint="keep one of the two"
        )
    return own


def read_file(path: Path, root: Path) -> Layer:
    """Return what the file says, with all that is wrong with it.

    Raises:
        ConfigError: When the file cannot be read or is not TOML.
    """
    place = shown_path(path, root)
    if path.name == PYPROJECT:
        tool = _tool_table(path, place)
        return _layer(tool["dbguard"], place, _TABLE) if "dbguard" in tool else _without_table(tool, place)
    content = parse_toml(path, place)
    if "dbguard" in _as_table(content.get("tool")):
        hint = f"in {path.name} the keys stand at the top, without [{_TABLE}]"
        return Layer(problems=(Problem(place, "", f"unknown key {_TABLE!r}", hint),))
    return _layer(content, place, "")


def shown_path(path: Path, root: Path) -> str:
    """Return a path relative to the root directory when it lies inside, else as it is."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def _layer(table: object, place: str, key: str) -> Layer:
    if not isinstance(table, Mapping):
        return Layer(problems=(Problem(place, key, f"expected a table, not {quote(table)}", f"write [{key}]"),))
    plain, problems = _flattened(table, place, key)
    config, wrong = check_table(Config, plain, place=place, key=key)
    fields = config.model_fields_set if config else frozenset()
    values = {name: getattr(config, name) for name in fields}
    return Layer(values, dict.fromkeys(fields, place), (*problems, *wrong))


def _flattened(table: Mapping[str, Any], place: str, key: str) -> tuple[dict[str, Any], list[Problem]]:
    """Return the table with its nested tables as the values that `Config` knows, leaving out the wrong ones."""
    plain: dict[str, Any] = {}
    problems: list[Problem] = []
    environments: dict[str, EnvConfig] = {}
    for name, value in table.items():
        at = dotted_key(key, name)
        match field_name(name), value:
            case "env" | "envs", Mapping():
                for environment, settings in value.items():
                    _add_environment(environments, environment, settings, place, at, problems)
            case "default_env", str() if value:
                plain["env"] = value
            case "env" | "envs" | "default_env", _:
                problems.append(_not_an_environment(field_name(name), value, place, at, key))
            case "baseline", Mapping():
                plain |= baseline_text(value, place, at, problems)
            case "report", Mapping():
                plain |= report_texts(value, place, at, problems)
            case field, _ if field in ONLY_AS_FLAG:
                problems.append(Problem(place, at, "only a flag can say so", f"use {flag_name(field)}"))
            case "runtime", Mapping():
                continue  # read by pytest_dbguard.runtime alone
            case _:
                plain[name] = value
    if environments:
        plain["envs"] = environments
    return plain, problems


def _add_environment(
    environments: dict[str, EnvConfig], name: str, settings: object, place: str, key: str, problems: list[Problem]
) -> None:
    at = dotted_key(key, name)
    if not isinstance(settings, Mapping):
        hint = f"an environment is a table: [{at}]"
        problems.append(Problem(place, at, f"expected a table, not {quote(settings)}", hint))
        return
    twin = next((other for other in environments if canonical(other) == canonical(name)), None)
    if twin is not None:
        problems.append(Problem(place, at, f"environment {quote(twin)} has a table already", "keep one of the two"))
        return
    environment, wrong = check_table(EnvConfig, settings, place=place, key=at)
    problems.extend(wrong)
    if environment is not None:
        environments[name] = environment


def _not_an_environment(field: str, value: object, place: str, at: str, key: str) -> Problem:
    if field == "default_env":
        return Problem(place, at, f"expected some text, not {quote(value)}", "name the environment in use")
    table = dotted_key(key, "env", "NAME")
    if isinstance(value, str):
        hint = f"to say which environment is in use, write {ENVIRONMENT_KEY} = {quote(value)}".replace("'", '"')
    else:
        hint = f"write a table [{table}]"
    return Problem(place, at, f"expected tables [{table}], not {quote(value)}", hint)


def _without_table(tool: Mapping[str, Any], place: str) -> Layer:
    """Return an empty layer, with a problem when a table's name looks like a slip of the pen for ours."""
    slips = [*(name for name in tool if name in _LOOK_ALIKES), *get_close_matches("dbguard", tool, cutoff=0.85)]
    hint = f"did you mean [{_TABLE}]?"
    return Layer(problems=tuple(Problem(place, "", f"nothing reads the table [tool.{name}]", hint) for name in slips))


def _tool_table(path: Path, place: str) -> Mapping[str, Any]:
    return _as_table(parse_toml(path, place).get("tool"))


def _as_table(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
