"""Runs the recipes as their users would: every test passes, nothing warns, and nobody connects to production."""

from __future__ import annotations

import os
import shutil
import socketserver
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest

RECIPES = Path(__file__).parent / "recipes"
LEAN = ("-p", "no:cacheprovider", "-p", "no:hypothesispytest", "-p", "no:faker")


@dataclass(frozen=True)
class Recipe:
    """What a recipe's application connects to in production, and how many tests it has."""

    name: str
    tests: int
    postgres: str = "postgresql+psycopg"
    sqlite: str = "sqlite"

    def __str__(self) -> str:
        return self.name


ALL = (
    Recipe("alembic", 6),
    Recipe("factory_boy", 4),
    Recipe("fastapi_async", 15, "postgresql+asyncpg", "sqlite+aiosqlite"),
    Recipe("flask_sqlalchemy", 6),
    Recipe("litestar", 5, "postgresql+asyncpg", "sqlite+aiosqlite"),
    Recipe("runtime_celery", 3),
    Recipe("runtime_fastapi", 9),
    Recipe("runtime_flask", 4),
    Recipe("runtime_script", 3),
    Recipe("scripts", 4),
    Recipe("sqlmodel", 5),
)
BY_NAME = {recipe.name: recipe for recipe in ALL}


class Production(socketserver.ThreadingTCPServer):
    """Stands where the applications expect their production database, and counts who comes."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), socketserver.BaseRequestHandler)
        self.visitors: list[object] = []

    def process_request(self, request, client_address):
        self.visitors.append(client_address)
        super().process_request(request, client_address)


@pytest.fixture
def production():
    with Production() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


class Project:
    """A copy of a recipe whose application finds its production database in the environment."""

    def __init__(self, recipe, database, directory, production):
        shutil.copytree(RECIPES / recipe.name, directory, ignore=shutil.ignore_patterns("__pycache__"))
        self._database, self._directory, self._production = database, directory, production
        self._file = directory / "production.db"
        address = "{}:{}".format(*production.server_address)
        postgres, sqlite = f"{recipe.postgres}://shop:secret@{address}/shop", f"{recipe.sqlite}:///{self._file}"
        self._url = sqlite if database == "sqlite" else postgres

    def run(self, *arguments):
        command = (sys.executable, "-m", "pytest", *LEAN)
        return subprocess.run(
            (*command, "--dbguard-database", self._database, *arguments),
            cwd=self._directory,
            env={**os.environ, "DATABASE_URL": self._url, "DBGUARD_RUNTIME_URL": self._url},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def write(self, name, text):
        (self._directory / name).write_text(text)

    @property
    def production_was_used(self):
        return self._file.exists() or bool(self._production.visitors)


@pytest.fixture
def project(tmp_path, production):
    return lambda recipe, database: Project(recipe, database, tmp_path / "project", production)


def assert_all_pass(result, tests):
    text = result.stdout + result.stderr
    assert result.returncode == 0, text
    assert f"== {tests} passed in " in text, text
    assert "warning" not in text.casefold()


@pytest.mark.parametrize("arguments", [(), ("-n2", "--dbguard")], ids=" ".join)
@pytest.mark.parametrize("database", ["sqlite", "postgres-embedded"])
@pytest.mark.parametrize("recipe", [recipe for recipe in ALL if recipe.name != "scripts"], ids=str)
def test_recipe(project, recipe, database, arguments):
    project = project(recipe, database)
    assert_all_pass(project.run(*arguments), recipe.tests)
    assert not project.production_was_used


@pytest.mark.parametrize(
    ("database", "arguments", "tests"),
    [
        ("postgres-embedded", (), 4),
        ("postgres-embedded", ("-n2", "--dbguard"), 4),
        ("sqlite", ("--dbguard-url", "sqlite:///carts.db"), 4),
        ("sqlite", ("--dbguard-url", "sqlite:///carts.db", "-n2"), 4),
        # a database in memory belongs to one process
        ("sqlite", ("test_scripts.py::test_runs_in_this_process",), 2),
    ],
)
def test_scripts(project, database, arguments, tests):
    project = project(BY_NAME["scripts"], database)
    assert_all_pass(project.run(*arguments), tests)
    assert not project.production_was_used


WITHOUT_DBGUARD = """
[tool.pytest.ini_options]
pythonpath = ["."]
asyncio_mode = "auto"
asyncio_default_fixture_loop_scope = "function"
"""


@pytest.mark.parametrize("database", ["sqlite", "postgres-embedded"])
def test_a_recipe_without_its_lines_goes_to_production(project, database):
    project = project(BY_NAME["litestar"], database)
    project.write("pyproject.toml", WITHOUT_DBGUARD)
    assert project.run().returncode == 1
    assert project.production_was_used


def test_each_recipe_is_run_and_in_the_index():
    names = {path.name for path in RECIPES.iterdir() if path.is_dir()}
    index = (RECIPES / "README.md").read_text()
    assert names == BY_NAME.keys()
    assert all(f"]({name}/)" in index for name in names)
