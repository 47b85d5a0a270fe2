"""The configuration of a pytest run, read once."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from pytest_dbguard.core.errors import DbguardError
from pytest_dbguard.testing.options import given_flags

if TYPE_CHECKING:
    from pytest_dbguard.config.model import Config

_CONFIG = pytest.StashKey["Config"]()


def config_for(config: pytest.Config) -> Config:
    """Return the configuration of this run: defaults, file, environment and flags.

    Raises:
        pytest.UsageError: With the one message that tells what is wrong and where.
    """
    if _CONFIG not in config.stash:
        from pytest_dbguard.config.load import load_config

        try:
            config.stash[_CONFIG] = load_config(config.rootpath, flags=given_flags(config), environ=os.environ)
        except DbguardError as error:
            raise pytest.UsageError(f"dbguard: {error}") from None
    return config.stash[_CONFIG]
