"""What `pytest_dbguard.runtime` offers, and what it costs to import."""

from __future__ import annotations

import subprocess
import sys

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


def test_importing_it_imports_nothing_heavy():
    heavy = ("sqlalchemy", "pydantic", "pydantic_settings", "sqlglot", "psycopg")
    result = run(f"import sys, pytest_dbguard.runtime; assert not set({heavy}) & sys.modules.keys()")
    assert result.returncode == 0, result.stderr
