"""Finds the statistics of a project: a file, laid over by what the settings declare."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pytest_dbguard.planning.statistics.model import Statistics

DEFAULT_FILE: Final = "dbguard-stats.json"
"""Name of the file that is used where it stands at the root of a project."""


def load_statistics(root: Path, *, path: str | None = None, scale: Mapping[str, Any] | None = None) -> Statistics:
    """Return what is known of production: of the file at `path`, or of the default one where there is one.

    Declared sizes go over what the file says. Without either, every table has the default number of rows.

    Raises:
        ConfigError: When the file is missing though it was named, or it or the scale cannot be understood.
    """
    raise NotImplementedError
