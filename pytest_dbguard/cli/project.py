"""Find the project that a command is about."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pytest_dbguard.core.errors import ConfigError

DirectoryOption = Annotated[
    Path | None,
    typer.Option(
        "--directory",
        metavar="DIR",
        help="The project's root. Default: the nearest one upwards with a pyproject.toml or dbguard.toml.",
    ),
]
FileOption = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="Read this TOML file instead of the project's.")
]


def project_root(directory: Path | None) -> Path:
    """Return the directory that was given, or the nearest one upwards with a configuration file, or this one.

    Raises:
        ConfigError: When what was given is no directory.
    """
    if directory is None:
        here = Path.cwd()
        return next((path for path in (here, *here.parents) if _is_root(path)), here)
    if not directory.is_dir():
        raise ConfigError(f"--directory: {str(directory)!r} is not a directory", hint="give the root of a project")
    return directory.resolve()


def _is_root(path: Path) -> bool:
    return any((path / name).is_file() for name in ("dbguard.toml", "pyproject.toml"))
