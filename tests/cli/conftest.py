"""What tests of the command line share."""

from __future__ import annotations

import os
from dataclasses import dataclass

import pytest

from pytest_dbguard.cli.application import run


@dataclass(frozen=True)
class Result:
    status: int
    out: str
    err: str


@pytest.fixture
def dbguard(tmp_path, monkeypatch, capsys):
    """Run a command in an empty project, 80 columns wide, without the variables of this process."""
    for name in [name for name in os.environ if name.startswith(("DBGUARD_", "PYTEST_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text("")

    def dbguard(*arguments):
        capsys.readouterr()
        status = run([str(argument) for argument in arguments])
        return Result(status, *capsys.readouterr())

    return dbguard


@pytest.fixture
def configured(tmp_path):
    """Write the project's pyproject.toml."""

    def configured(text, path=tmp_path / "pyproject.toml"):
        path.write_text(text)

    return configured
