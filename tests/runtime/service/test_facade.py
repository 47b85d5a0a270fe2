"""What `pytest_dbguard.runtime` offers, and what it costs to import."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import pytest_dbguard.runtime as runtime


@pytest.mark.parametrize("name", runtime.__all__)
def test_each_name_is_there(name):
    found = getattr(runtime, name)
    assert getattr(found, "__module__", "pytest_dbguard.runtime").startswith("pytest_dbguard.runtime")
    assert name in dir(runtime)


def test_an_unknown_name_is_refused():
    with pytest.raises(AttributeError, match="has no attribute 'DatabaseServce'"):
        runtime.DatabaseServce  # noqa: B018


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


BLOCK = "import sys; sys.modules.update(dict.fromkeys(('pytest', '_pytest', 'pluggy')))"


def test_everything_imports_without_pytest():
    result = run(f"{BLOCK}; import pytest_dbguard.runtime as r; [getattr(r, name) for name in r.__all__]")
    assert result.returncode == 0, result.stderr


def test_works_without_pytest(tmp_path):
    code = f"""
{BLOCK}
from sqlalchemy import text
from pytest_dbguard.runtime import DatabaseService, DatabaseSettings
with DatabaseService(DatabaseSettings(profile="test", url="sqlite:///{tmp_path}/shop.db")) as service:
    with service.client() as session:
        assert session.scalar(text("SELECT 42")) == 42
    assert service.health().ok
print(service.state)
"""
    result = run(code)
    assert (result.returncode, result.stdout) == (0, "stopped\n"), result.stderr


@pytest.mark.parametrize(
    ("blocked", "needs"),
    [
        (("pydantic_settings",), "pydantic-settings"),
        (("greenlet",), "greenlet"),
        (("pydantic_settings", "greenlet"), "pydantic-settings and greenlet"),
    ],
)
@pytest.mark.parametrize("name", ["get_database_service", "DatabaseSettings", "DatabaseManager"])
def test_without_the_extra_it_says_what_to_install(blocked, needs, name):
    block = f"import sys; sys.modules.update(dict.fromkeys({blocked}))"
    result = run(f"{block}; from pytest_dbguard.runtime import {name}")
    told = f"pytest_dbguard.runtime needs {needs}, not installed here\n  run: pip install 'pytest-dbguard[runtime]'"
    assert result.stderr.endswith(f"ImportError: {told}\n")


def test_the_extra_brings_what_is_needed():
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())["project"]
    assert project["optional-dependencies"]["runtime"] == ["pydantic-settings>=2.4", "sqlalchemy[asyncio]"]


def test_importing_it_imports_nothing_heavy():
    heavy = ("sqlalchemy", "pydantic", "pydantic_settings", "sqlglot", "psycopg")
    result = run(f"import sys, pytest_dbguard.runtime; assert not set({heavy}) & sys.modules.keys()")
    assert result.returncode == 0, result.stderr
