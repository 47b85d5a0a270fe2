"""PostgreSQL as it is installed here: Debian's, and other versions from npm's packages."""

from __future__ import annotations

import os
import shutil
import tempfile
from glob import glob
from pathlib import Path

import psycopg
import pytest

from pytest_dbguard.core.errors import DatabaseError
from pytest_dbguard.databases import libc_locale, postgres_local
from pytest_dbguard.databases.base import StartOptions
from pytest_dbguard.databases.connection_string import connection_string
from pytest_dbguard.databases.postgres_local import LocalPostgresProvider, find_local
from pytest_dbguard.databases.server_user import ServerUser, server_user
from tests.databases.installations import DEBIAN, VERSIONS, install, tarball


@pytest.fixture(scope="session")
def installed(request):
    """Return the programs of a major version, below a directory that every user can enter."""
    root = Path(tempfile.mkdtemp(prefix="dbguard-installations-", dir="/var/tmp"))
    root.chmod(0o755)
    cache = request.config.cache.mkdir("postgres")
    made = {}

    def programs(major):
        if major not in made:
            made[major] = install(tarball(major, cache), root / str(major))
        return made[major]

    yield programs
    shutil.rmtree(root)


@pytest.fixture
def elsewhere():
    """A directory that every user can enter."""
    root = Path(tempfile.mkdtemp(prefix="dbguard-test-", dir="/var/tmp"))
    root.chmod(0o755)
    yield root
    shutil.rmtree(root)


def settings(server, *names):
    with psycopg.connect(connection_string(server.url)) as connection:
        return [connection.execute("SELECT current_setting(%s)", [name]).fetchone()[0] for name in names]


@pytest.mark.parametrize("place", [*VERSIONS, *glob(DEBIAN)])
def test_each_version_starts_cold_and_warm(place, installed, monkeypatch, tmp_path):
    programs = Path(place) if isinstance(place, str) else installed(place)
    major = place if isinstance(place, int) else programs.parent.name
    monkeypatch.setenv("DBGUARD_POSTGRES_BIN", str(programs))
    options = StartOptions(project=tmp_path, cache=tmp_path / "cache")
    provider = LocalPostgresProvider()
    assert provider.available(options) is None
    server = provider.launch(options).ready()
    assert server.version.startswith(f"{major}.")
    assert server.kind == "postgres-local"
    assert settings(server, "fsync", "autovacuum", "server_encoding") == ["off", "off", "UTF8"]
    with psycopg.connect(connection_string(server.url), autocommit=True) as connection:
        assert connection.execute("SELECT upper('äé'), 'a' < 'B'").fetchone() == ("ÄÉ", False)
        connection.execute("CREATE DATABASE kept")
    server.save()
    server.close()
    again = provider.launch(options).ready()
    with psycopg.connect(connection_string(again.url.set(database="kept"))):
        pass
    again.close()


def test_the_newest_on_this_machine_is_taken(installed, elsewhere):
    user = server_user()
    places = [str(installed(major)) for major in (14, 17, 13)]
    assert find_local(user, {"PATH": os.pathsep.join(places)}, []).major == 17
    for major in (13, 15):
        (elsewhere / str(major)).mkdir()
        (elsewhere / str(major) / "bin").symlink_to(installed(major))
    assert find_local(user, {}, [*places[:1], f"{elsewhere}/*/bin"]).major == 15
    found = find_local(user, {"PATH": str(installed(13))}, [])
    assert (found.directory, found.major) == (installed(13), 13)


def test_links_on_the_path_are_followed(installed, elsewhere):
    for name in ("postgres", "initdb"):
        (elsewhere / name).symlink_to(installed(16) / name)
    assert find_local(server_user(), {"PATH": str(elsewhere)}, []).directory == installed(16)


def test_pg_config_tells_a_place(installed, elsewhere):
    script = elsewhere / "pg_config"
    script.write_text(f"#!/bin/sh\necho {installed(14)}\n")
    script.chmod(0o755)
    assert find_local(server_user(), {"PATH": str(elsewhere)}, []).directory == installed(14)
    script.write_text("#!/bin/sh\nexit 1\n")
    with pytest.raises(DatabaseError, match="no PostgreSQL is installed here"):
        find_local(server_user(), {"PATH": str(elsewhere)}, [])


def test_none_is_told_with_the_next_step(monkeypatch):
    with pytest.raises(DatabaseError) as caught:
        find_local(server_user(), {"PATH": "/nowhere"}, [])
    assert str(caught.value) == (
        "no PostgreSQL is installed here\n"
        "  install PostgreSQL, or name its directory of programs in DBGUARD_POSTGRES_BIN"
    )
    monkeypatch.setenv("DBGUARD_POSTGRES_BIN", "/nowhere")
    assert LocalPostgresProvider().available() == (
        "DBGUARD_POSTGRES_BIN: '/nowhere' holds no `initdb` and `postgres`; "
        "install PostgreSQL, or name its directory of programs in DBGUARD_POSTGRES_BIN"
    )
    with pytest.raises(DatabaseError, match="holds no `initdb`"):
        LocalPostgresProvider().launch()


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("#!/bin/sh\necho 'postgres (PostgreSQL) 12.9'\n", "PostgreSQL 12.9 in '{}' is older than 13"),
        ("#!/bin/sh\necho 'mysqld 8'\n", "'{}/postgres' does not run: mysqld 8"),
        ("#!/bin/sh\necho 'no library' >&2; exit 127\n", "'{}/postgres' does not run: no library"),
        ("#!/bin/sh\nexit 3\n", "'{}/postgres' does not run: exit status 3"),
        ("#!/no/such/program\n", "'{}/postgres' does not run: No such file or directory"),
        ("not a program", "'{}/postgres' does not run: Exec format error"),
    ],
)
def test_programs_that_do_not_do_are_told_and_passed_over(elsewhere, installed, script, told):
    for name in ("initdb", "postgres"):
        (elsewhere / name).write_text(script)
        (elsewhere / name).chmod(0o755)
    with pytest.raises(DatabaseError) as caught:
        find_local(server_user(), {"DBGUARD_POSTGRES_BIN": str(elsewhere)}, [])
    assert caught.value.message == "DBGUARD_POSTGRES_BIN: " + told.format(elsewhere)
    path = os.pathsep.join([str(elsewhere), str(installed(13))])
    assert find_local(server_user(), {"PATH": path}, []).major == 13


def test_programs_that_the_server_user_may_not_run_are_told(elsewhere, installed):
    stranger = ServerUser("stranger", 54321, 54321, borrowed=True)
    elsewhere.chmod(0o700)
    shutil.copy(installed(13) / "initdb", elsewhere)
    shutil.copy(installed(13) / "postgres", elsewhere)
    with pytest.raises(DatabaseError, match=f"user 'stranger' may not run the programs in '{elsewhere}'"):
        find_local(stranger, {"DBGUARD_POSTGRES_BIN": str(elsewhere)}, [])
    elsewhere.chmod(0o755)
    (elsewhere / "postgres").chmod(0o600)
    with pytest.raises(DatabaseError, match=f"may not run the programs in '{elsewhere}'"):
        find_local(server_user(), {"DBGUARD_POSTGRES_BIN": str(elsewhere)}, [])


def test_the_newest_minor_version_wins():
    programs = [
        postgres_local.Programs(Path("a"), 16, "16.9"),
        postgres_local.Programs(Path("b"), 16, "16.10"),
        postgres_local.Programs(Path("c"), 16, "16beta1"),
    ]
    assert max(programs, key=postgres_local._age).version == "16.10"


@pytest.mark.parametrize(
    ("known", "expected"),
    [("C\nC.utf8\nPOSIX", "C.UTF-8"), ("C\nen_US.UTF-8", "en_US.UTF-8"), ("C\nPOSIX", "C"), (None, "C.UTF-8")],
)
def test_the_locale_is_one_that_the_system_has(known, expected, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    if known is not None:
        program = tmp_path / "locale"
        program.write_text(f"#!/bin/sh\necho '{known}'\n")
        program.chmod(0o755)
    assert libc_locale.utf8_locale() == expected


def test_a_worker_joins_it():
    provider = LocalPostgresProvider()
    database = provider.start(StartOptions(cache_mb=0))
    joined = provider.join(database.url)
    assert (joined.kind, joined.is_ours, joined.version) == ("postgres-local", True, database.version)
    database.close()
