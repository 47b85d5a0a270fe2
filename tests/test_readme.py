"""Runs the README: its files make a project, its commands must print what it shows."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

README = (Path(__file__).parent.parent / "README.md").read_text()
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
PYTHON = {code.split("\n")[0].removeprefix("# "): code for kind, code in BLOCKS if kind == "python"}
SIZES, RUNTIME, SETTINGS = (text for kind, text in BLOCKS if kind == "toml")
CONSOLE = [text for kind, text in BLOCKS if kind == "console" and text.startswith("$")]
VARIES = re.compile(r"\d+\.\d+ ?m?s\b|=+ .* in .* =+")
SLOWEST = re.compile(r"slowest .*")
MACHINE = ("platform ", "rootdir: ", "plugins: ", "configfile: ", "cachedir: ")


ENGINE = """
from shop import Base, Customer, Order
from sqlalchemy import create_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool

engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
Base.metadata.create_all(engine)
with Session(engine) as session:
    session.add_all([Order(customer=Customer(name=name)) for name in ("Ada", "Grace", "Edsger")])
    session.commit()
"""
ASK = {
    "fastapi": """
from api_app import app
from fastapi.testclient import TestClient

print(TestClient(app).get("/customers").headers["Server-Timing"])
""",
    "flask": """
from flask_app import app

print(app.test_client().get("/customers", buffered=True).headers["Server-Timing"])
""",
}


@pytest.fixture
def project(tmp_path):
    """The README's files in a directory of their own."""
    for name, code in PYTHON.items():
        (tmp_path / name).write_text(code.split("\n", 1)[1])
    (tmp_path / "shop_engine.py").write_text(ENGINE)
    return tmp_path


def run(project, *arguments):
    return subprocess.run(
        [sys.executable, *arguments], cwd=project, capture_output=True, text=True, check=False, env=None
    )


def comparable(text):
    lines = [line.rstrip() for line in text.splitlines() if not line.startswith(MACHINE)]
    return [SLOWEST.sub("slowest ...", VARIES.sub("...", line)) for line in lines]


def test_shown_run_is_what_is_printed(project):
    result = run(project, "-m", "pytest", "--dbguard", "-p", "no:cacheprovider", "-p", "no:asyncio", "test_shop.py")
    assert result.returncode == 1
    assert comparable(result.stdout) == comparable(CONSOLE[0].split("\n", 1)[1])


def test_adoption_prints_what_is_shown(project):
    arguments = ("-m", "pytest", "--dbguard", "-p", "no:cacheprovider", "-p", "no:asyncio", "test_shop.py")
    first = run(project, *arguments, "--dbguard-update-baseline")
    second = run(project, *arguments)
    shown = CONSOLE[1].split("$ pytest --dbguard")
    assert (first.returncode, second.returncode) == (0, 0)
    for result, text in ((first, shown[1].split("\n", 1)[1]), (second, shown[2])):
        for line in text.strip().splitlines():
            assert line in result.stdout.splitlines()


@pytest.mark.parametrize("flags", [(), ("--dbguard", "--dbguard-fail-on=never"), ("-n2", "--dist=loadscope")], ids=str)
def test_tests_pass(project, flags):
    result = run(project, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:asyncio", *flags)
    assert result.returncode == 0, result.stdout


def test_script(project):
    result = run(project, "script.py")
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("shop.py:27:13: DBG101 n-plus-one")


@pytest.mark.parametrize("framework", ["fastapi", "flask"])
def test_middleware(project, framework):
    (project / "ask.py").write_text(ASK[framework])
    result = run(project, "ask.py")
    assert result.returncode == 0, result.stderr
    [shown] = [text.strip() for kind, text in BLOCKS if kind == "" and text.startswith("GET ")]
    assert shown in result.stderr.splitlines()
    assert re.fullmatch(r'db;dur=\d+\.\d;desc="4 queries"', result.stdout.strip())


def test_comments_are_understood(project):
    from pytest_dbguard.analysis.ignore_comments import python_comments

    found = python_comments(PYTHON["quiet.py"])
    assert [word.text for comment in found.comments for word in comment.words] == ["DBG104", "DBG101:Order.customer"]
    assert found.mistakes == []
    assert run(project, "quiet.py").returncode == 0


def test_configuration_is_accepted(tmp_path):
    from pytest_dbguard.config.load import load_config

    assert "tool" in tomllib.loads(SETTINGS)
    (tmp_path / "pyproject.toml").write_text(SETTINGS)
    assert load_config(tmp_path).max_queries == 50


def test_settings_of_the_runtime_are_accepted(tmp_path):
    from pytest_dbguard.runtime import DatabaseService, DatabaseSettings

    (tmp_path / "pyproject.toml").write_text(RUNTIME)
    (tmp_path / "password").write_text("secret\n")
    variables = {
        "DBGUARD_ENV": "production",
        "DBGUARD_RUNTIME_PASSWORD_FILE": str(tmp_path / "password"),
        "DBGUARD_RUNTIME_POOL__MAX_WAITING": "20",
    }
    settings = DatabaseSettings.load(tmp_path, environ=variables)
    assert (settings.profile, settings.pool.size, settings.pool.max_waiting) == ("production", 10, 20)
    assert [target.name for target in settings.targets()] == ["primary", "readonly-1", "readonly-2", "analytics"]
    engine = DatabaseService(settings).manager.engine("analytics")
    assert (engine.url.host, engine.url.password) == ("reports.shop.example", "secret")
    assert DatabaseSettings.load(tmp_path, environ={}).profile == "development"


def test_declared_sizes_are_accepted(tmp_path):
    from pytest_dbguard.config.load import load_config
    from pytest_dbguard.planning.statistics.load import load_statistics

    (tmp_path / "pyproject.toml").write_text(SIZES)
    statistics = load_statistics(tmp_path, scale=load_config(tmp_path).scale)
    assert statistics.table("orders").rows == 10_000_000
    assert statistics.table("invoices", "sales").rows == 2_000_000
    assert statistics.table("orders").column("status").distinct(10_000_000) == 5


def test_the_catalog_is_shown(project):
    run(project, "-c", "import sqlite3; sqlite3.connect('shop.db').execute('CREATE TABLE t (id INTEGER PRIMARY KEY)')")
    result = run(project, "-m", "pytest_dbguard", "schema", "sqlite:///shop.db")
    assert result.returncode == 0, result.stderr
    assert "t" in result.stdout.split()


def test_lint_prints_what_is_shown(project):
    result = run(project, "-m", "pytest_dbguard", "lint", "--no-cache", "lookup.py")
    [shown] = [text for text in CONSOLE if text.startswith("$ dbguard lint")]
    assert (result.returncode, result.stderr) == (1, "")
    assert result.stdout.rstrip() == shown.split("\n", 1)[1].rstrip()


def test_rules_are_those_there_are():
    from pytest_dbguard.rules.registry import load_rules

    listed = re.findall(r"^\| (DBG\d+) ([\w-]+) \|", README, re.MULTILINE)
    assert listed == sorted((rule.code, rule.name) for rule in load_rules())
