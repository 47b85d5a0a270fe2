"""Templates on a real server: built once, found again, never half built, deleted when old."""

from __future__ import annotations

import os
import signal
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import psycopg
import pytest
from sqlalchemy import Column, Integer, MetaData, Table, create_engine, text

from pytest_dbguard.core.errors import DatabaseError
from pytest_dbguard.databases.connection_string import connection_string
from pytest_dbguard.databases.joined_server import JoinedServer
from pytest_dbguard.templates.base import Recipe
from pytest_dbguard.templates.marks import Kind
from pytest_dbguard.templates.registry import templates_for
from pytest_dbguard.templates.runs import Run, sweep
from pytest_dbguard.templates.steps import steps_for


def recipe_of(root, *names, seed=None):
    metadata = MetaData()
    for name in names:
        Table(name, metadata, Column("id", Integer, primary_key=True))
    steps = steps_for("metadata", metadata, root=root) if names else ()
    return Recipe((*steps, *(steps_for("seed", seed, root=root) if seed else ())))


def one_item(session):
    session.execute(text("INSERT INTO item DEFAULT VALUES"))


def test_a_template_is_built_once_and_copied(runs, on_server, tmp_path):
    templates, run = runs.start()
    template = templates.ready(recipe_of(tmp_path, "item", seed=one_item))
    again = runs.join(run).ready(recipe_of(tmp_path, "item", seed=one_item))
    later = runs.start()[0].ready(recipe_of(tmp_path, "item", seed=one_item))
    assert [each.was_built for each in (template, again, later)] == [True, False, False]
    assert template.key == again.key == later.key
    copy = template.copy(f"dbguard_{run.id}_main")
    assert (copy.kind, copy.url, copy.async_url) == ("postgres-embedded", copy.url, copy.url)
    assert copy.version.startswith("18.")
    with create_engine(copy.url).connect() as connection:
        assert connection.execute(text("SELECT id FROM item")).all() == [(1,)]
        connection.execute(text("INSERT INTO item DEFAULT VALUES"))
    copy.close()  # though somebody is connected
    copy.close()
    assert list(on_server.marks()) == [template.name]


def test_nobody_can_connect_to_a_template_and_it_is_marked(runs, on_server, tmp_path):
    template = runs.start()[0].ready(recipe_of(tmp_path, "item"))
    assert template.name == f"dbguard_t_{template.key[:16]}"
    with pytest.raises(psycopg.OperationalError, match="not currently accepting connections"):
        on_server.connect(template.name)
    mark = on_server.marks()[template.name]
    assert (mark.kind, mark.key, mark.run) == (Kind.TEMPLATE, template.key, "")


def test_an_empty_recipe_is_an_empty_database(runs):
    templates, run = runs.start()
    template = templates.ready(Recipe())
    with create_engine(template.copy(f"dbguard_{run.id}_x").url).connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace")) == 0


def test_what_builds_it_decides_about_the_key(runs, tmp_path):
    templates, run = runs.start()
    keys = [
        templates.ready(recipe).key
        for recipe in (
            recipe_of(tmp_path, "item"),
            recipe_of(tmp_path, "item", "other"),
            recipe_of(tmp_path, "item", seed=one_item),
            recipe_of(tmp_path, "item", seed=lambda session: None),
        )
    ]
    keys.append(runs.join(run, finish=finish).ready(recipe_of(tmp_path, "item")).key)
    assert len(set(keys)) == len(keys)


def finish(connection):
    connection.execute("CREATE TABLE finished AS SELECT count(*) FROM item")


def test_what_finishes_a_template_sees_what_the_steps_have_made(runs, tmp_path):
    templates, run = runs.start(finish=finish)
    copy = templates.ready(recipe_of(tmp_path, "item", seed=one_item)).copy(f"dbguard_{run.id}_x")
    with create_engine(copy.url).connect() as connection:
        assert connection.scalar(text("SELECT * FROM finished")) == 1


def test_statistics_and_hint_bits_are_in_every_copy(runs, tmp_path):
    templates, run = runs.start()
    copy = templates.ready(recipe_of(tmp_path, "item", seed=one_item)).copy(f"dbguard_{run.id}_x")
    with create_engine(copy.url).connect() as connection:
        query = "SELECT reltuples, relallvisible FROM pg_class WHERE relname = 'item'"
        assert connection.execute(text(query)).one() == (1, 1)


def test_a_step_that_fails_is_named_with_its_place_and_nothing_is_left(runs, on_server, tmp_path):
    def failing(session):
        session.execute(text("INSERT INTO item VALUES (12345)"))
        session.execute(text("INSERT INTO item VALUES (:id)"), {"id": 12345})

    with pytest.raises(DatabaseError) as caught:
        runs.start()[0].ready(recipe_of(tmp_path, "item", seed=failing))
    line = failing.__code__.co_firstlineno + 2
    assert caught.value.message.startswith("failing of fixture 'dbguard_seed' fails at ")
    assert f"test_postgres_templates.py:{line} in failing: UniqueViolation: " in caught.value.message
    assert "12345" not in str(caught.value)
    assert on_server.marks() == {}


def test_a_step_that_leaves_a_transaction_open_does_not_stop_the_build(runs, tmp_path):
    left = []

    def leaving(engine):
        left.append(engine.connect())
        left[0].execute(text("CREATE TABLE lost (id int)"))

    templates, run = runs.start()
    template = templates.ready(Recipe(tuple(steps_for("migrate", leaving, root=tmp_path))))
    with create_engine(template.copy(f"dbguard_{run.id}_x").url).connect() as connection:
        assert connection.scalar(text("SELECT to_regclass('lost')")) is None
    left[0].invalidate()
    left[0].close()


PROGRAM = """
import sys
from pathlib import Path
from sqlalchemy import make_url, text
from pytest_dbguard.databases.joined_server import JoinedServer
from pytest_dbguard.templates.base import Recipe
from pytest_dbguard.templates.registry import templates_for
from pytest_dbguard.templates.runs import Run, RunLock
from pytest_dbguard.templates.steps import steps_for

server = JoinedServer("postgres-embedded", make_url(sys.argv[1]), is_ours=True)
root = Path(sys.argv[2])

def build(engine):
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE item (id int)"))
    print("building", flush=True)
    BODY

run = Run(RUN_ID)
lock = RunLock(server, run.id)
templates = templates_for(server, run, project=root)
template = templates.ready(Recipe(steps_for("migrate", build, root=root)))
print(template.key, template.was_built, flush=True)
templates.close()
lock.close()
"""
WAITING = "SELECT count(*), pg_sleep(0.005) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
UNTIL_SOMEBODY_WAITS = f"""
    with engine.connect() as connection:
        while not connection.execute(text({WAITING!r})).first()[0]:
            pass
"""


def program(body, run_id):
    return PROGRAM.replace("    BODY", body.strip("\n")).replace("RUN_ID", repr(run_id))


@pytest.mark.parametrize("second", ["aaaaaaaa", "bbbbbbbb"])
def test_two_processes_that_ask_at_once_build_once(process, on_server, second):
    """Workers of one run, and two runs."""
    builder = process(program(UNTIL_SOMEBODY_WAITS, "aaaaaaaa"))
    assert builder.stdout.readline() == "building\n"
    waiter = process(program(UNTIL_SOMEBODY_WAITS, second))
    key, was_built = waiter.communicate(timeout=60)[0].split()
    assert builder.communicate(timeout=60)[0].split() == [key, "True"]
    assert was_built == "False"
    assert list(on_server.marks()) == [f"dbguard_t_{key[:16]}"]


def test_runs_by_way_of_two_maintenance_databases_build_twice_and_keep_one(process, server, runs, on_server):
    on_server.run("CREATE DATABASE {}", "other")
    elsewhere = JoinedServer("postgres-embedded", server.url.set(database="other"), is_ours=True)
    seen = SimpleNamespace(is_first=True, others=[])

    def build(engine):
        if seen.is_first:
            seen.is_first = False
            seen.others.append(runs.join(Run("bbbbbbbb"), elsewhere).ready(recipe).was_built)

    recipe = Recipe(tuple(steps_for("migrate", build, root=runs.project)))
    template = runs.join(Run("aaaaaaaa")).ready(recipe)
    assert (seen.others, template.was_built) == ([True], False)
    assert list(on_server.marks()) == [template.name]


@pytest.mark.parametrize("seed", ["0", "1", "2"])
def test_the_key_is_the_same_in_every_process(process, seed):
    one = process(program("    pass", "aaaaaaaa"), env={**os.environ, "PYTHONHASHSEED": seed})
    key = one.communicate(timeout=60)[0].split()[-2]
    two = process(program("    pass", "bbbbbbbb"), env={**os.environ, "PYTHONHASHSEED": "3"})
    assert two.communicate(timeout=60)[0].split() == [key, "False"]


def test_a_build_that_is_killed_is_deleted_by_the_next_run(process, on_server, server):
    killed = process(program("    sys.stdin.read()", "aaaaaaaa"))
    assert killed.stdout.readline() == "building\n"
    (half_built,) = on_server.marks()
    assert half_built.startswith("dbguard_b_")
    assert sweep(server) == []  # its run is alive
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    on_server.wait_until_alone()
    key = process(program("    pass", "bbbbbbbb")).communicate(timeout=60)[0].split()[1]
    assert set(on_server.marks()) == {half_built, f"dbguard_t_{key[:16]}"}
    assert sweep(server) == [half_built]
    assert set(on_server.marks()) == {f"dbguard_t_{key[:16]}"}


def test_a_build_of_the_same_run_that_was_killed_is_replaced(process, on_server):
    killed = process(program("    sys.stdin.read()", "aaaaaaaa"))
    assert killed.stdout.readline() == "building\n"
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    on_server.wait_until_alone()
    key = process(program("    sys.stdin.read()", "aaaaaaaa")).communicate("", timeout=60)[0].split()[1]
    assert list(on_server.marks()) == [f"dbguard_t_{key[:16]}"]


def test_a_template_that_somebody_has_opened_is_built_again(runs, on_server, tmp_path):
    template = runs.start()[0].ready(recipe_of(tmp_path, "item"))
    on_server.run("ALTER DATABASE {} IS_TEMPLATE false ALLOW_CONNECTIONS true", template.name)
    again = runs.start()[0].ready(recipe_of(tmp_path, "item"))
    assert (again.key, again.was_built) == (template.key, True)


def test_a_stranger_with_the_name_of_a_template_is_left_alone(runs, on_server, tmp_path):
    template = runs.start()[0].ready(recipe_of(tmp_path, "item"))
    on_server.run("COMMENT ON DATABASE {} IS NULL", template.name)
    with pytest.raises(DatabaseError, match=f"{template.name}' is left alone: it does not carry the mark"):
        runs.start()[0].ready(recipe_of(tmp_path, "item"))
    assert template.name in on_server.marks()


def test_old_templates_of_the_project_are_deleted_but_for_three_and_those_in_use(runs, on_server, tmp_path):
    now = datetime.now(UTC)
    names = []
    for age in range(20, 13, -1):  # days
        templates, _ = runs.start(now=lambda age=age: now - timedelta(days=age))
        names.append(templates.ready(recipe_of(tmp_path, f"item_{age}")).name)
        if age != 19:
            templates.close()
    assert set(names) == set(on_server.marks())  # at that time none of them was old
    stranger = runs.start(project=tmp_path / "elsewhere", now=lambda: now - timedelta(days=30))[0]
    foreign = stranger.ready(recipe_of(tmp_path, "foreign")).name
    stranger.close()
    newest = runs.start()[0].ready(recipe_of(tmp_path, "newest")).name
    assert set(on_server.marks()) == {names[1], *names[-2:], newest, foreign}


def test_a_template_that_is_found_is_stamped(runs, on_server, tmp_path):
    long_ago = datetime.now(UTC) - timedelta(days=20)
    template = runs.start(now=lambda: long_ago)[0].ready(recipe_of(tmp_path, "item"))
    assert on_server.marks()[template.name].used_at == long_ago.replace(microsecond=0)
    runs.start()[0].ready(recipe_of(tmp_path, "item"))
    assert datetime.now(UTC) - on_server.marks()[template.name].used_at < timedelta(hours=1)


def test_a_role_that_may_only_make_databases_builds_and_copies(role, runs, on_server, server, tmp_path):
    from pytest_dbguard.resets.postgres_prepare import prepare

    run = Run("aaaaaaaa")
    template = runs.join(run, role, finish=prepare).ready(recipe_of(tmp_path, "item", seed=one_item))
    assert runs.join(run, role, finish=prepare).ready(recipe_of(tmp_path, "item", seed=one_item)).was_built is False
    copy = template.copy(f"dbguard_{run.id}_x")
    with psycopg.connect(connection_string(copy.url)) as connection:
        assert connection.execute("SELECT current_user, count(*) FROM item").fetchone() == ("builder", 1)
    template.rename(copy.url.database, "dbguard_renamed")
    template.drop("dbguard_renamed")
    assert list(on_server.marks()) == [template.name]
    superuser = runs.start(finish=prepare)[0].ready(recipe_of(tmp_path, "item", seed=one_item))
    assert superuser.was_built  # its tables would be somebody else's


def test_sqlite_has_templates_of_its_own_and_others_have_none():
    server = JoinedServer("mysql", create_engine("sqlite://").url.set(drivername="mysql+pymysql"), is_ours=False)
    with pytest.raises(DatabaseError, match="no templates of databases of 'mysql'"):
        templates_for(server, Run("a"))
