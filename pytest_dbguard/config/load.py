"""Merge the settings of all sources into one `Config`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_dbguard.config.environment import read_environment
from pytest_dbguard.config.file import PYPROJECT, find_file, read_file, shown_path
from pytest_dbguard.config.flags import read_flags
from pytest_dbguard.config.layer import Layer, stacked
from pytest_dbguard.config.model import DEFAULT_ENVIRONMENT, Config, EnvConfig, canonical
from pytest_dbguard.config.problems import quote, raise_problems
from pytest_dbguard.core.errors import ConfigError, did_you_mean


def load_config(
    root: Path,
    *,
    flags: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
    file: Path | None = None,
) -> Config:
    """Return the settings in force; later sources win.

    The order is: default, file, table of the environment in use (`[tool.dbguard.env.NAME]`), variables `DBGUARD_*`,
    flags.

    Args:
        root: Directory of the project; the file is looked for here.
        flags: Values by field of `Config`; None means not given.
        environ: Environment variables; those of the process when None.
        file: Read this file (relative to `root`) instead of looking for one. It must exist.

    Raises:
        ConfigError: That tells everything that is wrong in all sources.
    """
    path = find_file(root) if file is None else root / file
    in_file = Layer() if path is None else read_file(path, root)
    above = stacked(read_environment(os.environ if environ is None else environ), read_flags(flags or {}))
    raise_problems([*in_file.problems, *above.problems])
    place = PYPROJECT if path is None else shown_path(path, root)
    in_table = _environment_table(_config(stacked(in_file, above)), place)
    return _config(stacked(in_file, in_table, above))


def _config(layer: Layer) -> Config:
    return Config.model_validate(layer.values).with_sources(layer.sources)


def _environment_table(config: Config, place: str) -> Layer:
    """Return what the table of the environment in use says.

    Raises:
        ConfigError: When no table describes the environment that was asked for.
    """
    prefix = f"{'tool.dbguard.' if Path(place).name == PYPROJECT else ''}env."
    described = {canonical(name) for name in config.envs}
    if canonical(config.env) not in described and config.env != DEFAULT_ENVIRONMENT:
        hint = did_you_mean(config.env, {DEFAULT_ENVIRONMENT, *config.envs})
        message = f"{config.sources['env']}: unknown environment {quote(config.env)}"
        raise ConfigError(message, hint=f"{hint} (or add a table [{prefix}NAME] to {place})")
    shared = EnvConfig.model_fields.keys() & Config.model_fields.keys()
    values = {name: given for name in shared if (given := getattr(config.environment, name)) is not None}
    return Layer(values, dict.fromkeys(values, f"{place} [{prefix}{config.env}]"))
