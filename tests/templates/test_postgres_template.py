"""Databases by name: copied, renamed and deleted while others use them, and left alone where they are not ours."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from pytest_dbguard.core.errors import DatabaseError
from pytest_dbguard.databases.connection_string import connection_string
from pytest_dbguard.databases.joined_server import JoinedServer
from pytest_dbguard.templates.base import Recipe
from pytest_dbguard.templates.maintenance import Maintenance
from pytest_dbguard.templates.marks import Kind
from pytest_dbguard.templates.postgres_copies import PostgresCopier


@pytest.fixture
def template(runs):
    templates, run = runs.start()
    template = templates.ready(Recipe())
    template.test_run = run.id
    return template


def test_copies_carry_the_mark_of_their_run(template, on_server):
    template.copy("dbguard_copy")
    mark = on_server.marks()["dbguard_copy"]
    assert (mark.kind, mark.run, mark.key) == (Kind.COPY, template.test_run, "")


def test_many_copies_at_once(template, on_server):
    names = [f"dbguard_copy_{number}" for number in range(6)]
    with ThreadPoolExecutor(6) as threads:
        list(threads.map(template.create, names))
    assert set(names) < set(on_server.marks())


def test_a_name_that_is_too_long_is_cut(template, on_server):
    database = template.copy("dbguard_" + "é" * 60)
    assert database.url.database == "dbguard_" + "é" * 27
    psycopg.connect(connection_string(database.url)).close()


@pytest.mark.parametrize("name", ['dbguard "quoted"', "dbguard%s{}", "dbguard;--"])
def test_any_name_will_do(template, on_server, name):
    database = template.copy(name)
    template.rename(name, name + "2")
    template.drop(name + "2")
    database.close()
    assert list(on_server.marks()) == [template.name]


def test_renaming_ends_the_sessions_of_others(template, on_server):
    template.copy("dbguard_copy")
    with on_server.connect("dbguard_copy") as connection:
        connection.execute("BEGIN")
        connection.execute("CREATE TABLE item (id int)")
        template.rename("dbguard_copy", "dbguard_other")
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    assert set(on_server.marks()) == {template.name, "dbguard_other"}


def test_deleting_ends_the_sessions_of_others_and_what_is_gone_is_gone(template, on_server):
    template.copy("dbguard_copy")
    with on_server.connect("dbguard_copy"):
        template.drop("dbguard_copy")
    template.drop("dbguard_copy")
    assert list(on_server.marks()) == [template.name]


def test_what_is_not_ours_is_refused(template, on_server):
    on_server.run("CREATE DATABASE {}", "other")
    for attempt in (
        lambda: template.drop("other"),
        lambda: template.rename("other", "mine"),
        lambda: template.create("other"),
        lambda: template.mark_kept("other", "test"),
    ):
        with pytest.raises(DatabaseError) as caught:
            attempt()
        assert str(caught.value) == (
            "the database 'other' is left alone: it does not carry the mark of dbguard\n"
            "  dbguard deletes and renames only databases that it has made; their comment says so"
        )
    assert on_server.rows("SELECT FROM pg_database WHERE datname = 'other'")


def test_copies_of_other_runs_are_not_replaced(template, runs):
    template.copy("dbguard_copy")
    template.copy("dbguard_copy")  # the run's own is
    with pytest.raises(DatabaseError, match="'dbguard_copy' belongs to another run"):
        runs.start()[0].ready(Recipe()).copy("dbguard_copy")


def test_what_is_renamed_must_be_there(template):
    with pytest.raises(DatabaseError, match="there is no database 'dbguard_none' any more"):
        template.rename("dbguard_none", "dbguard_other")


def test_a_kept_database_says_of_which_test_it_is(template, on_server):
    template.copy("dbguard_copy")
    template.mark_kept("dbguard_copy", "tests/test_a.py::test_b")
    mark = on_server.marks()["dbguard_copy"]
    assert (mark.kind, mark.test) == (Kind.KEPT, "tests/test_a.py::test_b")


class Spy(Maintenance):
    def __init__(self, server, size=0):
        super().__init__(server)
        self.statements = []
        self.size = size

    def run(self, statement, *names, literal=None):
        self.statements.append(statement)

    def size_bytes(self, name):
        return self.size


@pytest.mark.parametrize(
    ("version", "is_ours", "size", "strategy"),
    [
        ("13.22", True, 1 << 30, ""),
        ("15.14", True, 0, " STRATEGY file_copy"),
        ("17.6", False, 0, " STRATEGY wal_log"),
        ("17.6", False, 65 << 20, " STRATEGY file_copy"),
    ],
)
def test_how_it_is_copied_depends_on_the_server_and_the_size(server, version, is_ours, size, strategy):
    known = JoinedServer("postgres-url", server.url, is_ours)
    vars(known)["version"] = version
    spy = Spy(known, size)
    PostgresCopier(spy, "dbguard_t_x").copy("dbguard_copy")
    assert spy.statements == ["CREATE DATABASE {} TEMPLATE {}" + strategy]


@pytest.mark.parametrize("refused", [False, True])
def test_large_ones_share_their_blocks_where_the_file_system_can(template, on_server, monkeypatch, refused):
    maintenance = template._maintenance
    monkeypatch.setattr(maintenance, "size_bytes", lambda name: 1 << 30)
    shared = []

    def share(self, name):
        shared.append(name)
        if refused:
            raise DatabaseError("not on this file system")
        original(self, name)

    original = PostgresCopier._shared
    monkeypatch.setattr(PostgresCopier, "_shared", share)
    template.create("dbguard_one")
    template.create("dbguard_two")
    assert shared == (["dbguard_one"] if refused else ["dbguard_one", "dbguard_two"])
    assert {"dbguard_one", "dbguard_two"} < set(on_server.marks())
    with maintenance.connection() as connection:
        assert connection.execute("SHOW file_copy_method").fetchone() == ("copy",)


def test_lost_connections_are_replaced(template, on_server):
    template.create("dbguard_one")
    on_server.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
    template.create("dbguard_two")
    assert {"dbguard_one", "dbguard_two"} < set(on_server.marks())


def test_errors_of_the_server_show_no_password(server):
    url = server.url.set(username="nobody_here", password="secret")
    with pytest.raises(DatabaseError) as caught, Maintenance(JoinedServer("postgres-url", url, False)).connection():
        pass
    assert 'role "nobody_here" does not exist' in str(caught.value)
    assert "secret" not in str(caught.value)
