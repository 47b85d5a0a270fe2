"""SQLite databases in memory and in files: one for all engines of a process, and never somebody else's file."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import OperationalError

from pytest_dbguard.core.errors import DatabaseError
from pytest_dbguard.databases.base import StartOptions
from pytest_dbguard.databases.engines import make_async_engine, make_engine
from pytest_dbguard.databases.sqlite import SqliteProvider
from pytest_dbguard.databases.sqlite_copy import IsLocked, copy_database, in_memory
from pytest_dbguard.databases.sqlite_files import APPLICATION_ID, claim, file_of, sweep_files

MAIN = "dbguard_0123abcd_main_main"
OTHER = "dbguard_0123abcd_gw0_main"


def launched(url=None, **options):
    return SqliteProvider().launch(StartOptions(url=url, **options)).ready()


def marked(path):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("CREATE TABLE old (id INTEGER)")


def run_python(script, *arguments, **options):
    return subprocess.run([sys.executable, "-c", script, *map(str, arguments)], check=True, **options)


@pytest.fixture(params=["memory", "file"])
def database(request, tmp_path):
    server = launched(f"sqlite:///{tmp_path}/shop.db" if request.param == "file" else None)
    database = server.create(MAIN, is_only=True)
    image = in_memory()
    image.execute("CREATE TABLE item (id INTEGER PRIMARY KEY)")
    database.load(image)
    image.close()
    yield database
    database.close()


def test_a_server_is_there_at_once():
    provider = SqliteProvider()
    assert provider.available(StartOptions()) is None
    server = launched()
    assert (server.kind, server.is_ours, server.version) == ("sqlite", True, sqlite3.sqlite_version)
    assert server.url.render_as_string() == "sqlite://"
    server.close()
    server.close()


def test_another_process_has_a_server_of_its_own(tmp_path):
    file = launched(f"sqlite:///{tmp_path}/shop.db")
    for server in (launched(), file):
        assert SqliteProvider().join(server.url).url == server.url


def test_all_engines_read_what_one_writes(database):
    async def write():
        engine = make_async_engine(database)
        async with engine.begin() as connection:
            await connection.execute(text("INSERT INTO item VALUES (1)"))
        await engine.dispose()

    asyncio.run(write())
    engines = [make_engine(database), make_engine(database, role="readonly")]
    for engine in engines:
        with engine.connect() as connection:
            assert connection.scalar(text("SELECT count(*) FROM item")) == 1
    with pytest.raises(OperationalError, match="readonly"), engines[1].begin() as connection:
        connection.execute(text("INSERT INTO item VALUES (2)"))
    for engine in engines:
        engine.dispose()


def test_a_connection_that_asks_for_reading_only_gets_that(database):
    url = database.url
    address = f"{url.database}?mode=ro&" + "&".join(f"{key}={value}" for key, value in url.query.items())
    address = address if url.query else f"{Path(url.database).as_uri()}?mode=ro"
    with closing(sqlite3.connect(address, uri=True)) as connection, pytest.raises(sqlite3.OperationalError):
        connection.execute("INSERT INTO item VALUES (1)")


def test_in_a_file_readers_pass_a_writer(tmp_path):
    database = launched(f"sqlite:///{tmp_path}/shop.db").create(MAIN, is_only=True)
    image = in_memory()
    image.execute("CREATE TABLE item (id INTEGER PRIMARY KEY)")
    database.load(image)
    with closing(database.connect()) as writer, closing(database.connect()) as reader:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("INSERT INTO item VALUES (1)")
        assert reader.execute("SELECT count(*) FROM item").fetchall() == [(0,)]
        writer.execute("COMMIT")
    database.close()
    image.close()


def test_equal_names_are_different_databases_in_memory():
    server = launched()
    databases = [server.create(MAIN) for _ in range(2)]
    with closing(databases[0].connect()) as one, closing(databases[1].connect()) as other:
        one.execute("CREATE TABLE only_here (id INTEGER)")
        assert other.execute("SELECT name FROM sqlite_master").fetchall() == []
    for database in databases:
        database.close()
        database.close()


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///:memory:", "sqlite+aiosqlite://", "sqlite+pysqlite:///:memory:"]
)
def test_urls_of_memory(url):
    assert launched(url).file is None


@pytest.mark.parametrize("url", ["sqlite:///shop.db", "sqlite+aiosqlite:///shop.db", "sqlite+pysqlite:///./shop.db"])
def test_a_relative_file_is_below_the_project(url, tmp_path):
    assert launched(url, project=tmp_path).file == tmp_path / "shop.db"


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("sqlite+pysqlcipher://:secret@/shop.db", "no SQLite database by 'sqlite+pysqlcipher://:***@/shop.db'"),
        ("postgresql://host/shop", "no SQLite database by 'postgresql://host/shop'"),
        ("sqlite:///file:shop.db?uri=true", "has a URI in it"),
        ("sqlite:///nowhere/shop.db", "'sqlite:///nowhere/shop.db': there is no directory"),
        ("nonsense", "the URL of the database cannot be read"),
    ],
)
def test_urls_that_are_refused(url, message, tmp_path):
    with pytest.raises(DatabaseError) as caught:
        launched(url, project=tmp_path)
    assert message in str(caught.value)
    assert caught.value.hint


class TestFiles:
    @pytest.fixture
    def file(self, tmp_path):
        return tmp_path / "shop.db"

    @pytest.fixture
    def server(self, file):
        return launched(f"sqlite:///{file}")

    def test_a_process_that_is_alone_has_the_file_itself(self, server, file):
        database = server.create(MAIN, is_only=True)
        assert (database.url, database.is_file) == (make_url(f"sqlite:///{file}"), True)
        assert database.async_url == make_url(f"sqlite+aiosqlite:///{file}")
        with closing(database.connect()) as connection:
            connection.execute("CREATE TABLE item (id INTEGER)")
        database.close()
        database.close()
        assert list(file.parent.iterdir()) == []

    def test_workers_have_files_beside_it(self, server, file):
        database = server.create(OTHER)
        assert database.url.database == str(file.parent / "shop-0123abcd_gw0_main.db")
        assert Path(database.url.database) == file_of(file, OTHER)
        database.close()

    def test_two_runs_at_once_have_two_files(self, server, file):
        databases = [server.create(MAIN, is_only=True) for _ in range(2)]
        assert [Path(database.url.database).name for database in databases] == ["shop.db", "shop-0123abcd_main_main.db"]
        with pytest.raises(DatabaseError, match="in use by another process"):
            server.create(MAIN, is_only=True)
        for database in databases:
            database.close()

    @pytest.mark.parametrize("content", [b"some text", b"SQLite format 3\0" + bytes(84)])
    def test_a_file_of_somebody_else_is_refused_and_left_alone(self, server, file, content):
        file.write_bytes(content)
        with pytest.raises(DatabaseError) as caught:
            server.create(MAIN, is_only=True)
        assert str(caught.value) == (
            f"'{file}' is there already, and dbguard did not make it: it is left alone\n"
            "  name a file in the URL that does not exist; tests get a new one each time"
        )
        assert file.read_bytes() == content
        assert [path.name for path in file.parent.iterdir()] == ["shop.db"]

    def test_a_database_of_somebody_else_is_left_alone_even_where_ours_has_been(self, server, file):
        run_python(KILLED, file)
        file.unlink()
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("CREATE TABLE precious (id INTEGER)")
        content = file.read_bytes()
        assert launched(f"sqlite:///{file}").file == file
        with pytest.raises(DatabaseError):
            server.create(MAIN, is_only=True)
        assert file.read_bytes() == content

    def test_an_empty_file_and_one_of_ours_are_made_anew(self, server, file):
        for prepare in (Path.touch, marked):
            prepare(file)
            database = server.create(MAIN, is_only=True)
            with closing(database.connect()) as connection:
                assert connection.execute("SELECT name FROM sqlite_master").fetchall() == []
            database.close()

    def test_a_directory_is_no_file(self, server, file):
        file.mkdir()
        with pytest.raises(DatabaseError, match="is there already"):
            server.create(MAIN, is_only=True)

    def test_where_nothing_can_be_written(self, tmp_path):
        with pytest.raises(DatabaseError, match="no database can be made at '/proc/shop.db'"):
            launched("sqlite:////proc/shop.db").create(MAIN, is_only=True)

    def test_what_a_killed_run_has_left_is_swept(self, file):
        run_python(KILLED, file)
        run_python(KILLED, file_of(file, OTHER))
        foreign = [file.with_name(name) for name in ("shop-mine.db", "shop-0123abcd_gw0_main.db.bak", "other.db")]
        for path in foreign:
            marked(path)
        assert len(list(file.parent.iterdir())) >= 7
        launched(f"sqlite:///{file}")
        assert sorted(file.parent.iterdir()) == sorted(foreign)

    def test_what_a_killed_worker_has_left_is_swept_at_the_end(self, server, file):
        database = server.create(MAIN, is_only=True)
        run_python(KILLED, file_of(file, OTHER))
        server.close()
        server.close()
        assert file_of(file, OTHER).exists() is False
        assert claim(file) is None
        database.close()
        assert list(file.parent.iterdir()) == []

    def test_a_run_that_lives_is_not_swept(self, server, file):
        databases = [server.create(MAIN, is_only=True), server.create(OTHER)]
        for database in databases:
            with closing(database.connect()) as connection:
                connection.execute("CREATE TABLE item (id INTEGER)")
        before = sorted(file.parent.iterdir())
        assert sweep_files(file) == []
        run_python(SWEEPING, file)
        assert sorted(file.parent.iterdir()) == before
        for database in databases:
            database.close()

    def test_a_claim_that_was_let_go_can_be_had_again(self, file):
        first = claim(file)
        assert claim(file) is None
        first.release()
        second = claim(file)
        assert second is not None
        first.release()
        assert claim(file) is None
        second.release()


KILLED = """
import os, signal, sqlite3, sys
from pathlib import Path
from pytest_dbguard.databases.sqlite_files import APPLICATION_ID, claim
claimed = claim(Path(sys.argv[1]))
connection = sqlite3.connect(claimed.path)
connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
connection.execute("PRAGMA journal_mode = WAL")
connection.execute("CREATE TABLE old (id INTEGER)")
os._exit(0)  # as a kill: nothing is tidied up, and the process's locks end
"""
SWEEPING = """
import sys
from pathlib import Path
from pytest_dbguard.databases.sqlite_files import sweep_files
assert sweep_files(Path(sys.argv[1])) == []
"""


def test_copying_never_waits():
    server = launched()
    database = server.create(MAIN)
    with closing(in_memory()) as image, closing(database.connect()) as holder, closing(database.connect()) as other:
        holder.execute("CREATE TABLE item (id INTEGER)")
        holder.execute("BEGIN IMMEDIATE")
        for source, target in ((image, other), (other, image)):
            with pytest.raises(IsLocked):
                copy_database(source, target)
        holder.execute("ROLLBACK")
        copy_database(other, image)
        assert image.execute("SELECT name FROM sqlite_master").fetchall() == [("item",)]
    database.close()


def test_a_forked_child_leaves_the_file_to_its_parent(tmp_path):
    database = launched(f"sqlite:///{tmp_path}/shop.db").create(MAIN, is_only=True)
    with closing(database.connect()) as connection:
        connection.execute("CREATE TABLE item (id INTEGER)")
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    assert claim(tmp_path / "shop.db") is None
    database.close()
