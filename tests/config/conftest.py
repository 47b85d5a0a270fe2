"""What tests of the configuration share."""

from __future__ import annotations

import pytest

from pytest_dbguard.config.load import load_config
from pytest_dbguard.core.errors import ConfigError


@pytest.fixture
def load(tmp_path):
    """Write a file and load the configuration, without the variables of this process."""

    def load(text="", *, name="pyproject.toml", environ=None, **arguments):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return load_config(tmp_path, environ=environ or {}, **arguments)

    return load


@pytest.fixture
def refusal(load):
    """Load what cannot be used, and return what is said about it."""

    def refusal(text="", **arguments):
        with pytest.raises(ConfigError) as error:
            load(text, **arguments)
        return str(error.value)

    return refusal
