"""`dbguard db up|down|list|prune`, on embedded servers and on one that is given by its URL."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from pytest_dbguard.databases import kept_servers as kept_servers_module
from pytest_dbguard.databases.base import StartOptions
from pytest_dbguard.databases.connection_string import connection_string
from pytest_dbguard.databases.kept_servers import kept_servers, stop_kept
from pytest_dbguard.databases.registry import load_provider
from pytest_dbguard.databases.server_launch import project_snapshots
from pytest_dbguard.templates.base import Recipe
from pytest_dbguard.templates.maintenance import Maintenance
from pytest_dbguard.templates.postgres_templates import PostgresTemplates
from pytest_dbguard.templates.runs import Run, RunLock

APP = """
from sqlalchemy import Column, Integer, MetaData, Table, text
metadata = MetaData()
Table("item", metadata, Column("id", Integer, primary_key=True))
def fill(session):
    session.execute(text("INSERT INTO item VALUES (1), (2)"))
"""
SETTINGS = """
[tool.dbguard]
database = "postgres-embedded"
metadata = "db_shop.models:metadata"
seed = "db_shop.models:fill"
"""


@pytest.fixture
def project(tmp_path, configured, monkeypatch):
    """A project with tables and a seed; what it has started is stopped after the test."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "db_shop").mkdir()
    (tmp_path / "db_shop" / "__init__.py").touch()
    (tmp_path / "db_shop" / "models.py").write_text(APP)
    configured(SETTINGS)
    monkeypatch.setenv("DBGUARD_CACHE_DIR", str(tmp_path / "cache"))
    # servers that whoever runs the tests keeps are none of our business
    everybodys = kept_servers_module.kept_servers
    monkeypatch.setattr(
        kept_servers_module,
        "kept_servers",
        lambda: [server for server in everybodys() if str(server.project).startswith(str(tmp_path))],
    )
    yield tmp_path
    for server in kept_servers():
        if server.project == tmp_path:
            stop_kept(server)
    for name in [name for name in sys.modules if name.partition(".")[0] == "db_shop"]:
        del sys.modules[name]


@pytest.fixture
def given(project, configured, monkeypatch):
    """A server that is given by its URL, as TCP would be: it is not ours to stop."""
    server = load_provider("postgres-embedded").launch(StartOptions(cache_mb=0)).ready()
    configured(SETTINGS.replace("database = ", "# "))
    monkeypatch.setenv("DBGUARD_URL", server.url.render_as_string(hide_password=False))
    yield server
    server.close()


def psql(url, query):
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(query).fetchall()


def names(server):
    return {entry.name for entry in Maintenance(server).entries() if entry.mark is not None}


def test_up_makes_a_database_that_stays_until_down(dbguard, project):
    first = dbguard("db", "up")
    assert (first.status, first.err) == (0, "")
    url = first.out.strip()
    assert url.startswith("postgresql://postgres@/dbguard_dev_")
    assert "%" not in url
    assert psql(url, "SELECT count(*) FROM item") == [(2,)]
    assert psql(url, "SELECT to_regnamespace('dbguard')") == [(None,)]
    (kept,) = [server for server in kept_servers() if server.project == project]
    psql(url, "INSERT INTO item VALUES (3) RETURNING id")
    assert dbguard("db", "up").out.strip() == url
    assert psql(url, "SELECT count(*) FROM item") == [(3,)]
    assert dbguard("db", "up", "--fresh").out.strip() == url
    assert psql(url, "SELECT count(*) FROM item") == [(2,)]
    down = dbguard("db", "down")
    name = url.partition("@/")[2].partition("?")[0]
    assert down.out.splitlines()[0] == f"deleted {name}"
    assert down.out.splitlines()[1].startswith("stopped postgresql://postgres@/postgres?host=")
    assert not kept.directory.exists()
    assert dbguard("db", "down").out == "nothing is up\n"


def test_up_from_a_directory_below_with_the_settings_of_an_environment(dbguard, project, configured, monkeypatch):
    configured(
        SETTINGS.replace("postgres-embedded", "sqlite") + '[tool.dbguard.env.dev]\ndatabase = "postgres-embedded"\n'
    )
    monkeypatch.chdir(project / "db_shop")
    url = dbguard("db", "up", "--env", "dev").out.strip()
    assert psql(url, "SELECT count(*) FROM item") == [(2,)]
    assert dbguard("db", "down", "--env", "dev").out.startswith("deleted dbguard_dev_")


def test_a_database_that_is_outdated_is_told(dbguard, given, project):
    dbguard("db", "up")
    del sys.modules["db_shop.models"]
    (project / "db_shop" / "models.py").write_text(APP.replace("(1), (2)", "(1), (2), (3)"))
    told = "its tables or seeds have changed since it was made"
    assert told in dbguard("db", "up").out
    assert told not in dbguard("db", "up", "--fresh").out
    assert told not in dbguard("db", "up").out


def test_on_a_given_server_only_what_is_ours_is_touched(dbguard, given, project):
    with psycopg.connect(connection_string(given.url), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE dbguard_dev_{project.name.replace('-', '_')}")
    url = dbguard("db", "up").out.strip()
    assert url.partition("?")[0].endswith(tuple("0123456789abcdef"))
    assert psql(url, "SELECT count(*) FROM item") == [(2,)]
    assert len(names(given)) == 2  # with the template
    assert dbguard("db", "down").out.startswith("deleted dbguard_dev_")
    assert psql(connection_string(given.url), "SELECT count(*) FROM pg_database WHERE datname ~ '^dbguard_dev'") == [
        (1,)
    ]
    assert dbguard("db", "down").out == "nothing is up\n"


@pytest.fixture
def used(given, project):
    """A server with a copy of a living run, one of a dead run, a kept database, and templates."""
    template = PostgresTemplates(given, Run("0000000d"), project=project / "elsewhere").ready(Recipe())
    template.copy("dbguard_0000000d_main_main")  # its run holds no lock any more when the object is gone
    del template
    lock = RunLock(given, "0000000a")
    living = PostgresTemplates(given, Run("0000000a"), project=project)
    template = living.ready(Recipe())
    template.copy("dbguard_0000000a_main_main")
    template.copy("dbguard_kept_test_a")
    template.mark_kept("dbguard_kept_test_a", "tests/test_a.py::test_a")
    yield template.name
    living.close()
    lock.close()


def test_list_shows_what_there_is(dbguard, used, given, project):
    url = dbguard("db", "up").out.strip()
    result = dbguard("db", "list")
    assert result.status == 0
    lines = {line.split()[0]: line.split()[1:] for line in result.out.splitlines() if line.startswith("dbguard_")}
    development = url.partition("@/")[2].partition("?")[0]
    assert lines["dbguard_0000000a_main_main"][:1] == ["copy"]
    assert lines["dbguard_0000000a_main_main"][2:4] == ["now", project.name]
    assert lines["dbguard_0000000d_main_main"][2:5] != ["now", project.name]
    assert lines["dbguard_kept_test_a"][0] == "kept"
    assert lines["dbguard_kept_test_a"][-1] == "tests/test_a.py::test_a"
    assert lines[development][0] == "development"
    assert lines[used][0] == "template"
    assert float(lines[used][1]) > 5


def test_list_as_json(dbguard, used, given, project):
    document = json.loads(dbguard("db", "list", "--format", "json").out)
    assert document["format"] == 1
    (server,) = [server for server in document["servers"] if not server["kept"]]
    assert server["kind"] == "postgres-url"
    entries = {entry["name"]: entry for entry in server["databases"]}
    kept = entries["dbguard_kept_test_a"]
    assert (kept["kind"], kept["test"], kept["in_use"]) == ("kept", "tests/test_a.py::test_a", False)
    assert kept["size_bytes"] > 5 << 20
    assert (entries["dbguard_0000000a_main_main"]["run"], entries[used]["in_use"]) == ("0000000a", True)


def test_prune_deletes_what_nobody_uses(dbguard, used, given, project):
    dbguard("db", "up")
    (project / "cache").mkdir(mode=0o700)
    snapshot = project / "cache" / f"{project_snapshots(project)}-x.tar"
    snapshot.write_bytes(b"x" * (2 << 20))
    result = dbguard("db", "prune")
    deleted = [line.split()[1] for line in result.out.splitlines() if line.startswith("deleted ")]
    assert {"dbguard_0000000d_main_main", "dbguard_kept_test_a", str(snapshot)} <= set(deleted)
    assert f"deleted {snapshot} (2.0 MB)" in result.out
    assert float(result.out.splitlines()[-1].removeprefix("freed ").removesuffix(" MB")) > 10
    left = names(given)
    assert {used, "dbguard_0000000a_main_main"} <= left  # a living run's
    assert any(name.startswith("dbguard_dev_") for name in left)
    assert not {"dbguard_0000000d_main_main", "dbguard_kept_test_a"} & left


def test_prune_leaves_other_projects_alone_unless_told(dbguard, given, project):
    templates = PostgresTemplates(given, Run("0000000b"), project=project / "elsewhere")
    name = templates.ready(Recipe()).name
    templates.close()
    assert name not in dbguard("db", "prune").out
    assert f"deleted {name} (template, " in dbguard("db", "prune", "--all").out
    assert names(given) == set()


def test_down_leaves_a_server_alone_that_tests_run_on(dbguard, project):
    dbguard("db", "up")
    (kept,) = [server for server in kept_servers() if server.project == project]
    from pytest_dbguard.databases.joined_server import JoinedServer

    templates = PostgresTemplates(JoinedServer(kept.kind, kept.url, True), Run("0000000a"), project=project)
    templates.ready(Recipe()).copy("dbguard_0000000a_main_main")
    assert dbguard("db", "down").out.splitlines()[1].endswith(": tests run on it")
    templates.close()
    assert "stopped" in dbguard("db", "down").out


def test_passwords_are_shown_on_request_only(dbguard, given, monkeypatch):
    with psycopg.connect(connection_string(given.url), autocommit=True) as connection:
        connection.execute("CREATE ROLE shop LOGIN CREATEDB PASSWORD 'p%/x'")
    url = given.url.set(username="shop", password="p%/x")
    monkeypatch.setenv("DBGUARD_URL", url.render_as_string(hide_password=False))
    hidden = dbguard("db", "up").out
    assert "postgresql://shop:***@/dbguard_dev_" in hidden
    shown = dbguard("db", "up", "--show-password").out.strip()
    assert psql(shown, "SELECT current_user") == [("shop",)]


@pytest.mark.parametrize(
    ("settings", "arguments", "told"),
    [
        (
            'database = "sqlite"',
            (),
            "SQLite's databases live in the process that uses them, or in files\n  choose a server",
        ),
        (
            "",
            ("--database", "postgres-embeded"),
            "unknown database 'postgres-embeded'\n  did you mean 'postgres-embedded'?",
        ),
        ('metadata = "db_shop.models:metadat"', (), "pyproject.toml: metadata: 'db_shop.models' has no 'metadat'\n"),
        (
            "[tool.dbguard.env.production]",
            ("--env", "prod"),
            "nothing is made on the databases of 'prod'\n  choose another",
        ),
    ],
)
def test_what_cannot_be_done_is_told(dbguard, project, configured, settings, arguments, told):
    configured(f"[tool.dbguard]\n{settings}\n")
    result = dbguard("db", "up", *arguments)
    assert result.status == 2
    assert told in result.err


def test_the_server_outlives_the_command(project):
    command = [sys.executable, "-m", "pytest_dbguard", "db", "up"]
    url = subprocess.run(command, cwd=project, capture_output=True, check=True, text=True).stdout.strip()
    assert psql(url, "SELECT count(*) FROM item") == [(2,)]
    assert Path(url.partition("host=")[2].partition("&")[0]).is_dir()


def test_files_of_failed_tests_are_listed_and_pruned(dbguard, project):
    kept = project / ".dbguard" / "kept" / "test-it-1234.db"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"x" * 1024)
    assert f"sqlite {kept} (0.0 MB), kept of a failed test" in dbguard("db", "list").out
    assert json.loads(dbguard("db", "list", "--format", "json").out)["files"] == [str(kept)]
    assert f"deleted {kept}" in dbguard("db", "prune").out
    assert not kept.exists()


def test_prune_leaves_what_other_projects_start_from_unless_told(dbguard, project):
    cache = project / "cache"
    cache.mkdir(mode=0o700)
    other = cache / "project-0123-4567.tar"
    other.touch()
    dbguard("db", "prune")
    assert other.exists()
    dbguard("db", "prune", "--all")
    assert not other.exists()
