"""Runs that share a server: what dead ones have left is deleted, what living ones have is not."""

from __future__ import annotations

import signal

import pytest

from pytest_dbguard.databases.joined_server import JoinedServer
from pytest_dbguard.templates.base import Recipe
from pytest_dbguard.templates.runs import Run, RunLock, sweep

LIVING = """
import sys
from sqlalchemy import make_url
from pytest_dbguard.databases.joined_server import JoinedServer
from pytest_dbguard.templates.base import Recipe
from pytest_dbguard.templates.registry import templates_for
from pytest_dbguard.templates.runs import Run, RunLock

server = JoinedServer("postgres-embedded", make_url(sys.argv[1]), is_ours=True)
lock = RunLock(server, "aaaaaaaa")
template = templates_for(server, Run("aaaaaaaa")).ready(Recipe())
template.copy("dbguard_aaaaaaaa_main_main")
template.copy("dbguard_kept")
template.mark_kept("dbguard_kept", "test")
print(template.name, flush=True)
sys.stdin.read()
"""


def test_a_killed_run_is_cleaned_up_after_and_what_it_kept_stays(process, server, on_server):
    run = process(LIVING)
    template = run.stdout.readline().strip()
    assert sweep(server) == []
    run.send_signal(signal.SIGKILL)
    run.wait()
    on_server.wait_until_alone()
    assert sweep(server) == ["dbguard_aaaaaaaa_main_main"]
    assert set(on_server.marks()) == {template, "dbguard_kept"}


def test_a_run_is_alive_as_long_as_any_of_its_processes(runs, server, on_server):
    run = Run("aaaaaaaa")
    lock = RunLock(server, run.id)
    worker = runs.join(run)
    worker.ready(Recipe()).copy("dbguard_aaaaaaaa_gw0_main")
    lock.close()
    lock.close()
    assert sweep(server) == []
    worker.close()
    on_server.wait_until_alone()
    assert sweep(server) == ["dbguard_aaaaaaaa_gw0_main"]


def test_a_run_by_way_of_another_maintenance_database_is_alive_too(runs, server, on_server):
    on_server.run("CREATE DATABASE {}", "other")
    runs.start()[0].ready(Recipe()).copy("dbguard_copy")
    assert sweep(JoinedServer("postgres-embedded", server.url.set(database="other"), is_ours=True)) == []


@pytest.mark.parametrize(
    ("name", "is_swept"),
    [
        ("dbguard_0a1b2c3d_gw0_main", True),
        ("dbguard_b_0123456789abcdef_0a1b2c3d", True),
        ("dbguard_t_0123456789abcdef", False),
        ("dbguard_shop_main", False),
        ("dbguard_kept_test_a_0a1b2c3d", False),
        ("other_0a1b2c3d", False),
    ],
)
def test_a_database_that_was_not_marked_yet_is_known_by_its_name(server, on_server, name, is_swept):
    on_server.run("CREATE DATABASE {}", name)
    assert sweep(server) == ([name] if is_swept else [])


def test_a_comment_of_somebody_else_protects(server, on_server):
    on_server.run("CREATE DATABASE {}", "dbguard_0a1b2c3d_gw0_main")
    on_server.run("COMMENT ON DATABASE {} IS 'mine'", "dbguard_0a1b2c3d_gw0_main")
    assert sweep(server) == []
