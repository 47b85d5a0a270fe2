"""Servers that start from what an earlier run left, and copies that are not to be trusted."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from pytest_dbguard.core.errors import DatabaseError
from pytest_dbguard.databases import server_launch
from pytest_dbguard.databases.base import StartOptions
from pytest_dbguard.databases.connection_string import connection_string
from pytest_dbguard.databases.postgres_embedded import EmbeddedPostgresProvider
from pytest_dbguard.databases.server_user import ServerUser
from pytest_dbguard.databases.warm_copies import WarmCopies, warm_copies

OURSELVES = ServerUser("we", os.geteuid(), os.getegid(), borrowed=False)


@pytest.fixture
def copies(tmp_path):
    directory = tmp_path / "cache"
    directory.mkdir(mode=0o700)
    return WarmCopies(directory, 10 << 20)


@pytest.fixture
def data(tmp_path):
    """What a data directory looks like to who packs it."""
    data = tmp_path / "data"
    (data / "base" / "empty").mkdir(parents=True)
    (data / "base" / "1").write_bytes(os.urandom(100_000))
    (data / "PG_VERSION").write_text("18\n")
    (data / "postmaster.pid").write_text("1\n")
    (data / "base").chmod(0o700)
    return data


def content(directory):
    return {
        str(path.relative_to(directory)): path.read_bytes() if path.is_file() else path.stat().st_mode
        for path in directory.rglob("*")
    }


def names(copies):
    return sorted(path.name for path in copies.directory.glob("*.tar"))


def test_what_is_unpacked_is_what_was_packed(copies, data, tmp_path):
    assert copies.save("one", data)
    assert copies.unpack("one", tmp_path / "new", OURSELVES)
    (data / "postmaster.pid").unlink()
    assert content(tmp_path / "new") == content(data)
    assert (tmp_path / "new").stat().st_mode & 0o777 == data.stat().st_mode & 0o777
    assert sorted(path.name for path in copies.directory.iterdir()) == ["lock", "one.tar"]
    assert (copies.directory / "one.tar").stat().st_mode & 0o777 == 0o600


def test_what_is_not_there_is_not_unpacked(copies, tmp_path):
    assert not copies.unpack("none", tmp_path / "new", OURSELVES)
    assert not (tmp_path / "new").exists()


def cut_in_the_middle(path):
    os.truncate(path, path.stat().st_size // 2)


def cut_of_one_byte(path):
    os.truncate(path, path.stat().st_size - 1)


def emptied(path):
    os.truncate(path, 0)


def changed_in_one_byte(path):
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        byte = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte[0] ^ 1]))


def filled_with_nonsense(path):
    path.write_bytes(b"nonsense" * 10_000)


@pytest.mark.parametrize(
    "harm", [cut_in_the_middle, cut_of_one_byte, emptied, changed_in_one_byte, filled_with_nonsense]
)
def test_a_copy_that_is_not_whole_is_thrown_away(copies, data, tmp_path, harm):
    copies.save("one", data)
    harm(copies.directory / "one.tar")
    assert not copies.unpack("one", tmp_path / "new", OURSELVES)
    assert names(copies) == []


def test_a_file_that_others_can_write_to_or_a_link_is_not_unpacked(copies, data, tmp_path):
    copies.save("one", data)
    file = copies.directory / "one.tar"
    (copies.directory / "link.tar").symlink_to(file)
    assert not copies.unpack("link", tmp_path / "new", OURSELVES)
    file.chmod(0o666)
    assert not copies.unpack("one", tmp_path / "new", OURSELVES)


def test_a_copy_for_which_there_is_no_room_is_left_alone(copies, data, tmp_path, monkeypatch):
    copies.save("one", data)
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 1000}))
    assert not copies.unpack("one", tmp_path / "new", OURSELVES)
    assert names(copies) == ["one.tar"]
    assert not (tmp_path / "new").exists()


def test_options_of_tar_in_the_environment_change_nothing(copies, data, tmp_path, monkeypatch):
    monkeypatch.setenv("TAR_OPTIONS", "--exclude=base")
    copies.save("one", data)
    assert copies.unpack("one", tmp_path / "new", OURSELVES)
    assert (tmp_path / "new" / "base" / "1").exists()


def test_without_tar_nothing_is_kept_and_nothing_breaks(copies, data, tmp_path, monkeypatch):
    copies.save("one", data)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not copies.save("two", data)
    assert not copies.unpack("one", tmp_path / "new", OURSELVES)
    assert sorted(path.name for path in copies.directory.iterdir()) == ["lock"]


def test_what_was_used_longest_ago_goes_first(copies, data, tmp_path):
    for place, name in enumerate(["old", "used", "new"]):
        copies.save(name, data)
        os.utime(copies.directory / f"{name}.tar", (place, place))
    assert copies.unpack("used", tmp_path / "data2", OURSELVES)
    size = (copies.directory / "new.tar").stat().st_size
    WarmCopies(copies.directory, 3 * size + 10).save("newest", data)
    assert names(copies) == ["new.tar", "newest.tar", "used.tar"]


def test_what_is_larger_than_the_limit_is_not_kept(copies, data):
    assert not WarmCopies(copies.directory, 1000).save("one", data)
    assert names(copies) == []
    assert warm_copies(StartOptions(cache=copies.directory, cache_mb=0)) is None


def test_what_a_killed_run_left_half_written_goes(copies, data):
    (copies.directory / ".new-1234").touch()
    copies.save("one", data)
    assert sorted(path.name for path in copies.directory.iterdir()) == ["lock", "one.tar"]


def test_while_another_run_writes_nothing_is_kept(copies, data):
    with (copies.directory / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert not copies.save("one", data)
    assert copies.save("one", data)


def test_a_copy_can_be_replaced_while_it_is_unpacked(copies, data, tmp_path):
    copies.save("one", data)

    def unpack(number):
        return copies.unpack("one", tmp_path / str(number), OURSELVES)

    with ThreadPoolExecutor(4) as pool:
        found = [pool.submit(unpack, number) for number in range(12)]
        saved = [copies.save("one", data) for _ in range(5)]
        assert [future.result() for future in found] == [True] * 12
    assert saved == [True] * 5
    (data / "postmaster.pid").unlink()
    assert all(content(tmp_path / str(number)) == content(data) for number in range(12))


@pytest.fixture
def options(tmp_path):
    tmp_path.chmod(0o700)  # nobody but us reaches the cache, least of all the server's user
    return StartOptions(project=tmp_path, cache=tmp_path / "cache")


@pytest.fixture
def initdb_runs(monkeypatch):
    """How often a data directory was made from nothing."""
    runs = []
    initialise = server_launch.Runner.initialise

    def counted(runner, directory):
        runs.append(directory)
        return initialise(runner, directory)

    monkeypatch.setattr(server_launch.Runner, "initialise", counted)
    return runs


def started(options):
    return EmbeddedPostgresProvider().launch(options).ready()


def execute(server, statement, database="postgres"):
    url = server.url.set(database=database)
    with psycopg.connect(connection_string(url), autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else None


def databases(server):
    return {name for (name,) in execute(server, "SELECT datname FROM pg_database")}


def test_the_second_server_needs_no_initdb(options, initdb_runs):
    for _ in range(2):
        server = started(options)
        assert databases(server) == {"postgres", "template0", "template1"}
        server.close()
    assert len(initdb_runs) == 1


def test_what_is_saved_is_there_in_the_next_run_of_the_project_and_no_other(options, initdb_runs, tmp_path):
    first = started(options)
    execute(first, "CREATE DATABASE kept")
    execute(first, "CREATE TABLE shop AS SELECT 42 AS answer", "kept")
    first.save()
    first.close()
    first.save()  # too late: nothing
    second = started(options)
    assert execute(second, "SELECT answer FROM shop", "kept") == [(42,)]
    second.close()
    other = started(StartOptions(project=tmp_path / "other", cache=options.cache))
    assert "kept" not in databases(other)
    other.close()
    assert len(initdb_runs) == 1


def test_what_is_not_saved_is_gone(options):
    first = started(options)
    execute(first, "CREATE DATABASE lost")
    first.close()
    second = started(options)
    assert "lost" not in databases(second)
    second.close()


def test_without_a_project_nothing_is_saved(options):
    server = started(StartOptions(cache=options.cache))
    server.save()
    server.close()
    assert [path.name.partition("-")[0] for path in options.cache.glob("*.tar")] == ["base"]


def test_many_runs_start_from_one_copy_at_once(options, initdb_runs):
    started(options).close()
    launches = [EmbeddedPostgresProvider().launch(options) for _ in range(3)]
    servers = [launch.ready() for launch in launches]
    for number, server in enumerate(servers):
        execute(server, f"CREATE DATABASE only_{number}")
    assert [len(databases(server)) for server in servers] == [4, 4, 4]
    for server in servers:
        server.close()
    assert len(initdb_runs) == 1


def test_a_broken_copy_of_the_project_gives_way_to_the_base(options, initdb_runs):
    server = started(options)
    execute(server, "CREATE DATABASE kept")
    server.save()
    server.close()
    (project,) = options.cache.glob("project-*.tar")
    changed_in_one_byte(project)
    server = started(options)
    assert databases(server) == {"postgres", "template0", "template1"}
    server.close()
    assert len(initdb_runs) == 1
    assert not project.exists()


def without_control_file(data):
    (data / "global" / "pg_control").unlink()


def of_another_version(data):
    (data / "PG_VERSION").write_text("12\n")


@pytest.mark.parametrize("harm", [without_control_file, of_another_version])
def test_a_whole_copy_on_which_no_server_runs_is_thrown_away(options, initdb_runs, tmp_path, harm):
    started(options).close()
    (base,) = options.cache.glob("base-*.tar")
    copies = warm_copies(options)
    assert copies.unpack(base.stem, tmp_path / "data", OURSELVES)
    harm(tmp_path / "data")
    assert copies.save(base.stem, tmp_path / "data")
    server = started(options)
    assert databases(server) == {"postgres", "template0", "template1"}
    server.close()
    assert len(initdb_runs) == 2
    started(options).close()  # from the copy that the second one left
    assert len(initdb_runs) == 2


def test_flags_that_are_wrong_are_not_blamed_on_the_copy_alone(options, monkeypatch):
    started(options).close()
    monkeypatch.setattr("pytest_dbguard.databases.postgres_flags.SETTINGS", {"shared_buffers": "nonsense"})
    with pytest.raises(DatabaseError, match="invalid value for parameter"):
        started(options)


def test_a_cache_that_cannot_be_used_is_done_without(options, tmp_path, monkeypatch, initdb_runs):
    monkeypatch.setattr(server_launch, "warm_copies", lambda options: None)
    started(options).close()
    started(options).close()
    assert len(initdb_runs) == 2


def test_nothing_changes_in_the_cache_of_a_killed_run(options, tmp_path):
    """A run that is killed while it packs leaves the copy before it."""
    started(options).close()
    (base,) = options.cache.glob("base-*.tar")
    before = base.read_bytes()
    code = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from pytest_dbguard.databases import warm_copies\n"
        "def killed(data, file):\n"
        "    file.write(b'half')\n"
        "    file.flush()\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "warm_copies.pack = killed\n"
        "warm_copies.WarmCopies(Path(sys.argv[1]), 1 << 30).save(sys.argv[2], Path(sys.argv[3]))\n"
    )
    subprocess.run([sys.executable, "-c", code, options.cache, base.stem, tmp_path], check=False)
    assert base.read_bytes() == before
    assert list(options.cache.glob(".new-*"))
    shutil.rmtree(tmp_path / "cache" / "nothing", ignore_errors=True)
    assert warm_copies(options).save("other", Path(__file__).parent)
    assert not list(options.cache.glob(".new-*"))
