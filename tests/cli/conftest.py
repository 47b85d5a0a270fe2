"""What tests of the command line share."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass

import pytest

from pytest_dbguard.cli.application import run
from tests.cli.lint_texts import MODELS, REPO


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


@pytest.fixture
def lint(dbguard, tmp_path_factory, monkeypatch):
    """Run `dbguard lint` with a cache of its own; the answer is a list of `file:line:column CODE`."""
    monkeypatch.setenv("DBGUARD_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))

    def lint(*arguments, status=None):
        result = dbguard("lint", *arguments, "-q")
        assert status is None or result.status == status, result
        lines = [line.split(": ") for line in result.out.splitlines()]
        return [f"{place} {rule.split(' ')[0]}" for place, rule, *_ in lines]

    return lint


@pytest.fixture
def project(tmp_path):
    """Write files of the project."""

    def project(**files):
        for name, text in files.items():
            path = tmp_path / name.replace("__", "/").replace("_sql", ".sql").replace("_py", ".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path

    return project


@pytest.fixture
def shop(project, monkeypatch, request):
    """Make a package with models whose name no other test has imported."""
    name = "shop" + "".join(letter for letter in request.node.name if letter.isalnum())[-40:]
    package = project() / name
    package.mkdir()
    for file, text in (("__init__", ""), ("models", MODELS), ("repo", REPO)):
        (package / f"{file}.py").write_text(text)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield name
    for module in [module for module in sys.modules if module.partition(".")[0] == name]:
        del sys.modules[module]
