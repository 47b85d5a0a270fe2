"""What the configuration says to the providers of databases."""

from __future__ import annotations

from pathlib import Path

from pytest_dbguard.config.model import Config
from pytest_dbguard.databases.base import StartOptions


def start_options(config: Config, root: Path, *, outlives_run: bool = False) -> StartOptions:
    """Return what providers need to know of the configuration of the project at `root`."""
    return StartOptions(
        url=config.url or config.environment.url,
        image=config.image,
        trusted_hosts=config.trusted_hosts,
        project=root,
        cache=None if config.cache_dir is None else root / config.cache_dir,
        cache_mb=config.cache_mb,
        outlives_run=outlives_run,
    )
