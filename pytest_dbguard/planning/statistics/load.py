"""Finds the statistics of a project: a file, laid over by what the settings declare."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_dbguard.planning.statistics.file import read_statistics
from pytest_dbguard.planning.statistics.model import DEFAULT_FILE, Origin, Statistics
from pytest_dbguard.planning.statistics.overlay import laid_over
from pytest_dbguard.planning.statistics.scale import ScaleSettings, statistics_from_scale


def load_statistics(root: Path, *, path: str | None = None, scale: Mapping[str, Any] | None = None) -> Statistics:
    """Return what is known of production: of the file at `path`, or of the default one where there is one.

    Declared sizes go over what the file says. Without either, every table has the default number of rows.

    Raises:
        ConfigError: When the file is missing though it was named, or it or the scale cannot be understood.
    """
    declared = statistics_from_scale(ScaleSettings.of(scale or {}))
    file = statistics_file(root, path)
    if file is None:
        return declared
    base = read_statistics(file)
    return base if declared.origin is Origin.DEFAULT else laid_over(base, declared)


def statistics_file(root: Path, path: str | None = None) -> Path | None:
    """Return the file that is read: the one that was named, else the default one where it exists."""
    if path is not None:
        return root / path
    default = root / DEFAULT_FILE
    return default if default.is_file() else None
