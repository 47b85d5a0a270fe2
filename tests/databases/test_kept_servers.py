"""Servers of our own that go on after their run, and are stopped by name."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from pytest_dbguard.core.errors import DatabaseError
from pytest_dbguard.databases import kept_mark, kept_servers
from pytest_dbguard.databases.base import StartOptions
from pytest_dbguard.databases.connection_string import connection_string
from pytest_dbguard.databases.kept_mark import KeptMark, runs_in
from pytest_dbguard.databases.postgres_embedded import EmbeddedPostgresProvider
from pytest_dbguard.databases.server_directory import sweep
from pytest_dbguard.databases.server_user import server_user
from tests.databases.servers import server_pid, wait_for_end

RUN = """
import sys
from pathlib import Path
from pytest_dbguard.databases.base import StartOptions
from pytest_dbguard.databases.registry import load_provider
options = StartOptions(outlives_run=True, project=Path(sys.argv[2]))
print(load_provider(sys.argv[1]).launch(options).ready().url.query["host"])
"""
OWNERS = {os.geteuid(), server_user().uid}


@pytest.fixture(params=["postgres-embedded", "postgres-local"])
def kept(request, tmp_path):
    """A server that was kept by a run that has ended."""
    command = [sys.executable, "-c", RUN, request.param, tmp_path]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    directory = Path(done.stdout.strip())
    (kept,) = [kept for kept in kept_servers.kept_servers() if kept.directory == directory]
    assert (kept.kind, kept.project) == (request.param, tmp_path)
    yield kept
    kept_servers.stop_kept(kept)


def test_it_goes_on_and_no_other_run_sweeps_it(kept):
    sweep(kept.directory.parent, OWNERS)
    with psycopg.connect(connection_string(kept.url)) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert kept.pid == server_pid(kept.directory)


def test_it_is_stopped_with_its_data(kept):
    kept_servers.stop_kept(kept)
    assert wait_for_end(kept.pid) == []
    assert not kept.directory.exists()
    assert kept not in kept_servers.kept_servers()
    kept_servers.stop_kept(kept)  # it is gone already


def test_what_is_left_of_one_that_was_killed_is_swept(kept):
    os.kill(kept.pid, 9)
    assert wait_for_end(kept.pid) == []
    assert kept not in kept_servers.kept_servers()
    sweep(kept.directory.parent, OWNERS)
    assert not kept.directory.exists()


def test_one_that_does_not_end_is_told(tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    monkeypatch.setattr(kept_servers, "runs_in", lambda pid, data: True)
    monkeypatch.setattr(kept_servers, "end_server", lambda data, number: None)
    times = iter(range(0, 1000, 3))
    slept = []
    server = kept_servers.KeptServer("postgres-local", None, None, None, tmp_path, 7)
    with pytest.raises(DatabaseError, match=f"the server 7 in '{tmp_path}' does not end"):
        kept_servers.stop_kept(server, clock=lambda: next(times), sleep=slept.append)
    assert slept
    assert tmp_path.exists()


def test_close_stops_it_in_the_run_itself():
    server = EmbeddedPostgresProvider().launch(StartOptions(outlives_run=True)).ready()
    pid = server.pid
    server.close()
    assert wait_for_end(pid) == []


def test_another_process_in_its_number_is_not_taken_for_it(tmp_path):
    assert not runs_in(os.getpid(), tmp_path / "data")
    with subprocess.Popen(["true"]) as ended:
        ended.wait()
    assert not runs_in(ended.pid, tmp_path / "data")


def test_without_a_proc_file_system_the_number_that_the_server_wrote_must_do(tmp_path, monkeypatch):
    def missing(path):
        raise FileNotFoundError(path)

    monkeypatch.setattr(os, "readlink", missing)
    data = tmp_path / "data"
    data.mkdir()
    assert not runs_in(os.getpid(), data)
    (data / "postmaster.pid").write_text(f"{os.getpid()}\n")
    assert runs_in(os.getpid(), data)


def test_a_server_of_another_user_is_not_stopped(tmp_path, monkeypatch):
    def refuse(pid, number):
        raise PermissionError

    (tmp_path / "postmaster.pid").write_text("7\n")
    monkeypatch.setattr(os, "kill", refuse)
    monkeypatch.setattr(kept_mark, "runs_in", lambda pid, data: True)
    with pytest.raises(DatabaseError, match="the server 7 in .* belongs to another user"):
        kept_mark.end_server(tmp_path, 2)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"kind": 1}'])
def test_a_mark_that_cannot_be_read_keeps_nothing(tmp_path, text):
    (tmp_path / "kept.json").write_text(text)
    assert kept_mark.kept_mark(tmp_path) is None


def test_a_mark_is_read_as_it_was_written(tmp_path, monkeypatch):
    mark = KeptMark("postgres-local", os.getpid(), "2026-01-01T00:00:00+00:00", "/shop")
    mark.write(tmp_path)
    assert kept_mark.kept_mark(tmp_path) is None  # we are no server of this directory
    monkeypatch.setattr(kept_mark, "runs_in", lambda pid, data: True)
    assert kept_mark.kept_mark(tmp_path) == replace(mark)
