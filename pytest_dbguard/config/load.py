"""Reads the configuration: defaults, then file, environment's table, `DBGUARD_*` variables, flags."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pytest_dbguard.config.model import Config, EnvConfig
from pytest_dbguard.core.errors import ConfigError, did_you_mean

_PREFIX = "DBGUARD_"
_TABLES = ("env", "rules", "baseline", "report")
_FLAGS_ONLY = frozenset({"update_baseline", "prune_baseline"})
_NOT_VARIABLES = frozenset({"envs", "rules"}) | _FLAGS_ONLY
_FOREIGN_VARIABLES = ("DBGUARD_RUNTIME_", "DBGUARD_REQUIRE_")


def load_config(
    root: Path,
    *,
    flags: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
    file: Path | None = None,
) -> Config:
    """Return the configuration of a project.

    Args:
        root: Directory that holds `pyproject.toml` or `dbguard.toml`.
        flags: Values by field name; None stands for "not given".
        environ: Environment variables; `DBGUARD_MAX_QUERIES` sets `max_queries`.
        file: Read this file instead.

    Raises:
        ConfigError: Naming the place, the value and the next step; all faults of one file at once.
    """
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    path, table = _read_table(root, file)
    for name, value in _from_table(path, table).items():
        values[name], sources[name] = value, path.name if path else "default"
    for name, (value, source) in _from_environ(environ or {}).items():
        values[name], sources[name] = value, source
    for name, value in (flags or {}).items():
        if value is not None:
            values[name], sources[name] = value, f"flag --dbguard-{name.replace('_', '-')}"
    config = _validated(values, sources)
    config = _with_environment(config, sources)
    config._sources.update(sources)
    return config


def _read_table(root: Path, file: Path | None) -> tuple[Path | None, dict[str, Any]]:
    if file is not None and not file.exists():
        raise ConfigError(f"{file}: no such file", hint="give the path of a dbguard.toml or pyproject.toml")
    for path in [file] if file is not None else [root / "dbguard.toml", root / "pyproject.toml"]:
        if path.exists():
            data = _parse(path)
            table = data.get("tool", {}).get("dbguard") if path.name == "pyproject.toml" else data
            if table is not None:
                if not isinstance(table, dict):
                    raise ConfigError(f"{path.name}: [tool.dbguard] must be a table, not {table!r}")
                return path, table
    return None, {}


def _parse(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path.name} is not valid TOML: {error}", hint="mend the file at that line") from None
    except OSError as error:
        raise ConfigError(f"{path.name} cannot be read: {error.strerror}") from None


def _from_table(path: Path | None, table: dict[str, Any]) -> dict[str, Any]:
    """Return values by field name; refuse unknown keys, all at once."""
    values: dict[str, Any] = {}
    problems = []
    known = {_kebab(name) for name in Config.model_fields if name not in _FLAGS_ONLY} - {"envs"} | set(_TABLES)
    place = "[tool.dbguard]" if path is not None and path.name == "pyproject.toml" else "top level"
    for key, value in table.items():
        name = _kebab(key)
        if name == "runtime":
            continue
        if name not in known:
            problems.append(f"{path.name if path else ''}: {place}: unknown key {key!r}; {did_you_mean(name, known)}")
        elif name == "env" and isinstance(value, dict):
            values["envs"] = value
        elif name == "baseline" and isinstance(value, dict):
            values["baseline"] = value.get("path", Config.model_fields["baseline"].default)
            file = path.name if path else ""
            problems += [
                f"{file}: [tool.dbguard.baseline]: unknown key {word!r}; {did_you_mean(word, ['path'])}"
                for word in value
                if word != "path"
            ]
        elif name == "report" and isinstance(value, dict):
            values["report"] = tuple(f"{kind}:{destination}" for kind, destination in value.items())
        else:
            values[name.replace("-", "_")] = value
    if problems:
        raise ConfigError("\n".join(problems))
    return values


def _from_environ(environ: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    found = {}
    known = {f"{_PREFIX}{name.upper()}": name for name in Config.model_fields if name not in _NOT_VARIABLES}
    for variable, value in environ.items():
        if not variable.startswith(_PREFIX) or variable.startswith(_FOREIGN_VARIABLES):
            continue
        if variable not in known:
            raise ConfigError(f"environment variable {variable} is not known", hint=did_you_mean(variable, known))
        found[known[variable]] = (value, f"environment variable {variable}")
    return found


def _validated(values: dict[str, Any], sources: Mapping[str, str]) -> Config:
    try:
        return Config(**values)
    except ValidationError as error:
        problems = [_problem(each, values, sources) for each in error.errors(include_url=False)]
    raise ConfigError("\n".join(problems))


def _problem(error: Any, values: Mapping[str, Any], sources: Mapping[str, str]) -> str:
    path = [str(part) for part in error["loc"] if part not in ("str", "int", "float", "bool")]
    field = path[0].replace("-", "_") if path else ""
    source = sources.get(field, "")
    dotted = ".".join(["env" if path and path[0] == "envs" else _kebab(field), *path[1:]])
    if error["type"] == "extra_forbidden":
        known = [_kebab(name) for name in EnvConfig.model_fields] if field == "envs" else list(Config.model_fields)
        return f"{source}: unknown key {dotted!r}; {did_you_mean(path[-1], known)}"
    value = "..." if "url" in path else repr(error["input"])
    hint = ""
    expected = error.get("ctx", {}).get("expected")
    if expected:
        words = [word.strip("'") for word in str(expected).replace(" or ", ", ").split(", ")]
        hint = f"; {did_you_mean(str(error['input']), words)}"
    return f"{source}: {dotted} = {value}: {error['msg'][0].lower()}{error['msg'][1:]}{hint}"


def _with_environment(config: Config, sources: dict[str, str]) -> Config:
    """Take the database from the chosen environment's table unless a variable or flag names one."""
    if config.envs and config.env not in config.envs and "env" in sources:
        raise ConfigError(
            f"{sources['env']}: there is no environment {config.env!r}", hint=did_you_mean(config.env, config.envs)
        )
    database = config.environment.database
    if database is None or sources.get("database", "").startswith(("flag", "environment variable")):
        return config
    sources["database"] = f"[tool.dbguard.env.{config.env}]"
    return config.model_copy(update={"database": database})


def _kebab(name: str) -> str:
    return name.replace("_", "-")
