"""Hundreds of nasty tests in random order, each finding its database clean; runs that are killed leave nothing."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from pytest_dbguard.databases.container_spec import OWNER
from pytest_dbguard.databases.run_owner import RunOwner
from tests.databases.servers import docker_api, embedded_server, wait_for_end
from tests.torture.harness import Project, Result, take_snapshot

EMBEDDED = ("--dbguard-database", "postgres-embedded")
OURS = "SELECT datname FROM pg_database WHERE datname LIKE 'dbguard%' AND NOT datistemplate"


@pytest.fixture(scope="module")
def server():
    """A server that is there already: where the expected state is read, and where runs by URL make their databases."""
    with embedded_server() as server:
        yield server


@pytest.fixture(scope="module")
def connect(server):
    def connect(database="postgres"):
        dsn = server.url.set(drivername="postgresql", database=database).render_as_string(hide_password=False)
        return psycopg.connect(dsn, autocommit=True)

    return connect


@pytest.fixture(scope="module")
def snapshot(server, tmp_path_factory):
    """The state that each test has to find."""
    return take_snapshot(server, tmp_path_factory.mktemp("snapshot"))


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return str(tmp_path_factory.mktemp("cache"))


@pytest.fixture
def on_postgres(snapshot, cache, tmp_path):
    return Project.copied(
        "postgres", tmp_path / "project", TORTURE_SNAPSHOT=snapshot, TORTURE_TURNS="2", DBGUARD_CACHE_DIR=cache
    )


def assert_survived(result: Result, tests: int, crashes: int) -> None:
    """Every test found what it has to find; only those failed that fail on purpose; what was left open was told."""
    assert result.surprises() == [], result.output[-3000:]
    assert result.untold_leaks() == []
    assert (result.tests >= tests, len(result.crashed), result.status) == (True, crashes, 1)
    assert "INTERNALERROR" not in result.output


def assert_nothing_left(result: Result) -> None:
    """Neither processes of the run nor the server nor its directory are there."""
    assert result.processes
    assert wait_for_end(*result.processes, *result.servers) == []
    assert [directory for directory in result.directories if Path(directory).exists()] == []


@pytest.mark.parametrize(("seed", "reset"), [("1", "committed"), ("22", "committed"), ("333", "clone")])
def test_postgres(on_postgres, seed, reset):
    result = on_postgres.run("-n2", *EMBEDDED, "--dbguard-reset", reset, TORTURE_SEED=seed)
    assert_survived(result, tests=350, crashes=2)
    assert_nothing_left(result)


@pytest.mark.parametrize("where", [("--dbguard-database=sqlite",), ("--dbguard-url=sqlite:///torture.db",)])
@pytest.mark.parametrize("workers", [(), ("-n2",)])
def test_sqlite(tmp_path, cache, where, workers):
    project = Project.copied("sqlite", tmp_path / "project", TORTURE_TURNS="4", DBGUARD_CACHE_DIR=cache)
    is_file = "url" in where[0]
    result = project.run(*workers, *where, **({"TORTURE_FILE": "1"} if is_file else {}))
    assert_survived(result, tests=350, crashes=4 if workers else 0)
    assert list(project.folder.glob("torture*.db*")) == []


def test_two_runs_on_one_server(on_postgres, tmp_path, server, connect):
    url = "--dbguard-url=" + server.url.render_as_string(hide_password=False)
    other = Project.copied("postgres", tmp_path / "other", **on_postgres.environment)
    runs = [
        on_postgres.start("-n2", url, TORTURE_TURNS="1", TORTURE_SEED="4"),
        other.start(url, TORTURE_TURNS="1", TORTURE_SEED="5"),
    ]
    for crashes, run in zip((1, 0), runs, strict=True):
        assert_survived(run.finish(), tests=180, crashes=crashes)
    with connect() as connection:
        assert connection.execute(OURS).fetchall() == []


def test_a_killed_run_takes_its_server_along(on_postgres):
    run = on_postgres.start("-n2", *EMBEDDED)
    killed = run.until(tests=100)
    run.kill()
    assert wait_for_end(*killed.processes, *killed.servers) == []
    assert_survived(on_postgres.run("-n2", *EMBEDDED, TORTURE_SEED="7"), tests=350, crashes=2)
    assert_nothing_left(killed)


def test_the_next_run_cleans_up_after_a_killed_one(on_postgres, server, connect):
    url = "--dbguard-url=" + server.url.render_as_string(hide_password=False)
    run = on_postgres.start("-n2", url)
    killed = run.until(tests=100)
    run.kill()
    assert wait_for_end(*killed.processes) == []
    with connect() as connection:
        left = {name for (name,) in connection.execute(OURS).fetchall()}
        assert left
        assert_survived(on_postgres.run("-n2", url, TORTURE_TURNS="1"), tests=180, crashes=1)
        assert connection.execute(OURS).fetchall() == []


@pytest.fixture(scope="module")
def containers_of():
    """What returns the containers that a process started."""
    api = docker_api()

    def containers_of(process):
        found = api.containers(all=True, filters={"label": OWNER})
        owners = {entry["Id"]: RunOwner.read(entry["Labels"][OWNER]) for entry in found}
        return [container for container, owner in owners.items() if owner is not None and owner.pid == process.pid]

    return containers_of


def test_a_killed_run_leaves_no_container(on_postgres, containers_of):
    arguments = ("-n2", "--dbguard-database=postgres-container")
    run = on_postgres.start(*arguments, TORTURE_TURNS="1")
    killed = run.until(tests=60)
    assert len(containers_of(run.process)) == 1
    run.kill()
    assert wait_for_end(*killed.processes) == []
    again = on_postgres.start(*arguments, TORTURE_TURNS="1", TORTURE_SEED="8")
    assert_survived(again.finish(), tests=180, crashes=1)
    assert [containers_of(each.process) for each in (run, again)] == [[], []]


def test_an_interrupted_run_leaves_nothing(on_postgres):
    run = on_postgres.start("-n2", *EMBEDDED)
    run.until(tests=60)
    run.interrupt()
    result = run.finish()
    assert result.status == pytest.ExitCode.INTERRUPTED
    assert_nothing_left(result)


def test_a_run_that_stops_at_the_first_failure_leaves_nothing(on_postgres):
    first = on_postgres.run("-n2", "-x", *EMBEDDED)
    assert first.surprises() == []
    assert_nothing_left(first)
    again = on_postgres.run("-n2", "--lf", *EMBEDDED)
    assert 0 < again.tests < 50
    assert again.surprises() == []
    assert_nothing_left(again)
