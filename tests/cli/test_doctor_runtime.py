"""`dbguard doctor`: the settings of the runtime, and the connections that they ask for."""

from __future__ import annotations

import socket

import pytest
from sqlalchemy import create_engine, text

from pytest_dbguard.cli.checks import runtime, server_limits
from pytest_dbguard.cli.checks.base import State, Subject
from pytest_dbguard.cli.checks.runtime import check_runtime
from tests.databases.servers import embedded_server


@pytest.fixture
def told(dbguard, configured, tmp_path):
    """Return what the doctor says of a pyproject.toml."""

    def told(content=""):
        configured(content)
        return list(check_runtime(Subject(tmp_path)))

    return told


class TestSettings:
    @pytest.mark.parametrize("content", ["", "[tool.dbguard]\nmax-queries = 7", "[tool.dbguard\n"])
    def test_who_does_not_use_them_hears_nothing(self, told, content):
        assert told(content) == []

    def test_good_ones(self, told):
        (check,) = told("[tool.dbguard.runtime]\nprofile = 'test'")
        assert (check.state, check.what) == (State.OK, "runtime settings: profile test, 1 server")

    def test_in_a_file_of_our_own(self, dbguard, tmp_path):
        (tmp_path / "dbguard.toml").write_text("[runtime]\nprocesses = 0")
        (check,) = check_runtime(Subject(tmp_path))
        assert check.what == "runtime settings: dbguard.toml: runtime.processes: expected 1 or more, not 0"

    def test_each_problem_is_told(self, told, monkeypatch):
        monkeypatch.setenv("DBGUARD_RUNTIME_POOL__SIZ", "9")
        checks = told("[tool.dbguard.runtime]\nprocesses = 0")
        assert [check.state for check in checks] == [State.PROBLEM] * 2
        assert [check.what for check in checks] == [
            "runtime settings: pyproject.toml: tool.dbguard.runtime.processes: expected 1 or more, not 0",
            "runtime settings: environment variable DBGUARD_RUNTIME_POOL__SIZ: unknown setting",
        ]
        assert checks[1].next_step == "did you mean DBGUARD_RUNTIME_POOL__SIZE?"

    def test_by_the_command(self, dbguard, configured):
        configured("[tool.dbguard.runtime]\npool.siz = 0")
        result = dbguard("doctor")
        assert result.status == 1
        assert "problem  runtime settings: pyproject.toml: tool.dbguard.runtime.pool: unknown" in result.out

    def test_where_the_runtime_is_not_installed(self, told, monkeypatch):
        monkeypatch.setattr(runtime, "find_spec", lambda name: None)
        (check,) = told("[tool.dbguard.runtime]\nprocesses = 1")
        assert check.state is State.PROBLEM
        assert check.next_step == "pip install 'pytest-dbguard[runtime]'"


class TestStrictness:
    @pytest.fixture
    def asked(self, monkeypatch):
        """No server is asked."""
        monkeypatch.setattr(server_limits, "ask_limit", lambda *_: server_limits.Limit(why_not="not now"))

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            ("", "nobody checks whose server it is"),
            ("tls.mode = 'disable'\nsecurity.require-tls = false", "may go over the network unencrypted"),
            ("tls = {mode = 'verify-full', root-cert = 'system'}", None),
        ],
    )
    def test_what_production_could_do_better(self, told, monkeypatch, asked, content, said):
        monkeypatch.setenv("DBGUARD_RUNTIME_URL", "postgresql://me@db/shop")
        checks = told(f"[tool.dbguard.runtime]\nprofile = 'production'\n{content}")
        notes = [check for check in checks if check.state is State.NOTE and check.what.startswith("runtime settings")]
        assert [said in note.what for note in notes] == ([True] if said else [])
        assert all(note.next_step for note in notes)


@pytest.fixture(scope="module")
def server():
    with embedded_server() as server:
        yield server


@pytest.fixture
def limit(server):
    """Return how many connections the server takes."""
    engine = create_engine(server.url.set(drivername="postgresql+psycopg"))
    with engine.connect() as connection:
        names = ("max_connections", "superuser_reserved_connections", "reserved_connections")
        most, *reserved = [int(connection.execute(text(f"SHOW {name}")).scalar_one()) for name in names]
    engine.dispose()
    return most - sum(reserved)


class TestConnections:
    @pytest.fixture
    def connections(self, told, server, monkeypatch):
        """Return what is said of connections, with the server as the primary."""

        def connections(content, url=None):
            shown = server.url.render_as_string(hide_password=False) if url is None else url
            monkeypatch.setenv("DBGUARD_RUNTIME_URL", shown)
            checks = told(f"[tool.dbguard.runtime]\n{content}")
            return [check for check in checks if check.what.startswith("runtime connections")]

        return connections

    def test_as_many_as_the_server_takes(self, connections, limit):
        (check,) = connections(f"processes = {limit}\npool = {{size = 1, overflow = 0}}")
        assert check.state is State.OK
        assert f": {limit} processes x 1 = {limit}, of {limit} that its max_connections allows" in check.what

    def test_one_more(self, connections, limit):
        (check,) = connections(f"processes = {limit + 1}\npool = {{size = 1, overflow = 0}}")
        assert check.state is State.PROBLEM
        assert f" = {limit + 1}, of {limit} that its max_connections allows" in check.what
        assert "`pool.size`" in check.next_step

    def test_all_roles_of_one_server_together(self, connections, server):
        url = server.url.render_as_string(hide_password=False)
        roles = f"roles.readonly.replicas = ['{url}', '{url}']\nroles.analytics.url = '{url}'"
        (check,) = connections(f"pool = {{size = 2, overflow = 1}}\nroles.analytics.pool.overflow = 0\n{roles}")
        assert "primary, readonly-1, readonly-2, analytics at " in check.what
        assert "1 process x 11 = 11, of" in check.what

    def test_a_role_without_a_server_opens_none_of_its_own(self, connections):
        (check,) = connections("pool = {size = 2, overflow = 1}")
        assert "primary at " in check.what
        assert "1 process x 3 = 3, of" in check.what

    def test_unless_the_settings_say_how_many(self, connections):
        (check,) = connections("pool = {size = 2, overflow = 1}\nroles.analytics.pool.size = 50")
        assert "primary, analytics at " in check.what
        assert "1 process x 54 = 54, of" in check.what

    @pytest.mark.parametrize(
        ("statement", "source"),
        [
            ("ALTER ROLE {name} CONNECTION LIMIT {limit}", "the limit of its role"),
            ("ALTER DATABASE {name} CONNECTION LIMIT {limit}", "the limit of the database"),
        ],
    )
    def test_the_limits_of_the_role_and_of_the_database(self, connections, server, statement, source):
        engine = create_engine(server.url.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
        name = f'"{server.url.username if "ROLE" in statement else server.url.database}"'
        with engine.connect() as connection:
            connection.execute(text(statement.format(name=name, limit=7)))
            (check,) = connections("pool = {size = 8, overflow = 0}")
            connection.execute(text(statement.format(name=name, limit=-1)))
        engine.dispose()
        assert check.state is State.PROBLEM
        assert f"1 process x 8 = 8, of 7 that {source} allows" in check.what

    def test_production_is_asked_how_many_processes_it_has(self, connections):
        (check,) = connections("profile = 'production'")
        assert check.state is State.OK
        assert "`processes`" in check.next_step

    def test_sqlite_has_no_limit(self, connections):
        assert connections("processes = 999", "sqlite:///shop.db") == []

    def test_no_server_there(self, connections):
        (check,) = connections("pool = {size = 2, overflow = 1}", "postgresql://me:hunter2@127.0.0.1:1/shop")
        assert check.state is State.NOTE
        assert "127.0.0.1:1: 1 process x 3 = 3; the server cannot be asked: " in check.what
        assert "max_connections" in check.next_step
        assert "hunter2" not in check.what

    def test_one_that_accepts_and_stays_silent(self, connections, monkeypatch):
        monkeypatch.setattr(server_limits, "_MARGIN_S", 0.05)
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"postgresql://me@127.0.0.1:{silent.getsockname()[1]}/shop"
            (check,) = connections("timeouts.connect-s = 0.05", url)
        assert check.state is State.NOTE
        assert "the server cannot be asked: no answer within 0.1 s" in check.what
