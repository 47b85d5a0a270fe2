"""What tests of the settings share: no variables but their own, and a project's file."""

from __future__ import annotations

import os

import pytest

from pytest_dbguard.core.errors import ConfigError
from pytest_dbguard.runtime.settings import DatabaseSettings


@pytest.fixture(autouse=True)
def no_variables(monkeypatch, tmp_path):
    """Take away the variables of who runs the tests."""
    for name in [name for name in os.environ if name.startswith(("DBGUARD_", "PG"))]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def project(tmp_path):
    """Write the project's pyproject.toml, and return its directory."""

    def project(text, name="pyproject.toml"):
        (tmp_path / name).write_text(text)
        return tmp_path

    return project


@pytest.fixture
def load(tmp_path):
    """Load the settings of the project, with variables that are given, and none of the process's."""

    def load(environ=None, **overrides):
        return DatabaseSettings.load(tmp_path, environ=environ or {}, **overrides)

    return load


@pytest.fixture
def problems(load):
    """Return the lines that tell what is wrong: of `load`, or of what else is called."""

    def problems(*args, call=load, **keywords):
        with pytest.raises(ConfigError) as raised:
            call(*args, **keywords)
        first, *more = str(raised.value).splitlines()
        return [line.strip() for line in more] if "problems in the configuration" in first else [str(raised.value)]

    return problems
