"""A server that is given by its URL: an embedded one that listens on the network and asks for a password."""

from __future__ import annotations

import socket

import psycopg
import pytest
from sqlalchemy import make_url

from pytest_dbguard.core.errors import DatabaseError
from pytest_dbguard.databases import postgres_url, server_process
from pytest_dbguard.databases.base import StartOptions
from pytest_dbguard.databases.connection_string import connection_string
from pytest_dbguard.databases.postgres_url import UrlPostgresProvider, read_url
from pytest_dbguard.databases.registry import load_provider


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@pytest.fixture(scope="module")
def port():
    """The port of a server that takes `maker` and `reader` by password, `postgres` by socket only."""
    number = free_port()
    serve = server_process.server_settings
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            server_process,
            "server_settings",
            lambda major: {
                **serve(major),
                "listen_addresses": "127.0.0.1",
                "port": str(number),
            },
        )
        server = load_provider("postgres-embedded").launch(StartOptions()).ready()
    by_socket = server.url.update_query_dict({"port": str(number)})
    with psycopg.connect(connection_string(by_socket), autocommit=True) as connection:
        connection.execute("CREATE ROLE maker LOGIN CREATEDB PASSWORD 'open sesame'")
        connection.execute("CREATE ROLE \"Reader\" LOGIN PASSWORD 'open sesame'")
        (file,) = connection.execute("SHOW hba_file").fetchone()
        with open(file, "w") as hba:
            hba.write("local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n")
        connection.execute("SELECT pg_reload_conf()")
    yield number
    server.close()


def ready(url, **options):
    return UrlPostgresProvider().launch(StartOptions(url=url, **options)).ready()


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+asyncpg", "postgresql+psycopg2"])
def test_any_driver_of_postgresql_leads_to_the_server(port, scheme):
    server = ready(f"{scheme}://maker:open%20sesame@127.0.0.1:{port}/postgres")
    assert server.url.drivername == "postgresql+psycopg"
    assert (server.kind, server.is_ours) == ("postgres-url", False)
    assert server.version.startswith("18.")
    server.close()
    with psycopg.connect(connection_string(server.url)):
        pass  # closing it stopped nothing


def test_what_only_other_drivers_understand_is_left_out(port):
    server = ready(
        f"postgresql+asyncpg://maker:open%20sesame@127.0.0.1:{port}/postgres"
        "?ssl=prefer&prepared_statement_cache_size=0&application_name=shop"
    )
    assert dict(server.url.query) == {"sslmode": "prefer", "application_name": "shop"}


def test_the_maintenance_database_is_the_default(port):
    assert ready(f"postgresql://maker:open%20sesame@127.0.0.1:{port}").url.database == "postgres"


def test_a_worker_joins_it(port):
    server = UrlPostgresProvider().join(make_url(f"postgresql+psycopg://maker:open%20sesame@127.0.0.1:{port}/postgres"))
    assert (server.is_ours, server.version[:3]) == (False, "18.")


def test_a_role_that_may_not_create_databases_is_told_what_to_run(port):
    with pytest.raises(DatabaseError) as caught:
        ready(f"postgresql://Reader:open%20sesame@127.0.0.1:{port}/postgres")
    assert str(caught.value) == (
        f"'postgresql+psycopg://Reader:***@127.0.0.1:{port}/postgres': the role \"Reader\" may not create databases\n"
        '  let a superuser run: ALTER ROLE "Reader" CREATEDB'
    )


@pytest.mark.parametrize(
    ("address", "told", "hint"),
    [
        ("maker:wrong%20one@127.0.0.1:{port}/postgres", "password authentication failed", "the URL is right"),
        ("maker:open%20sesame@127.0.0.1:{port}/nowhere", "does not exist", "such as 'postgres': ours are made beside"),
        ("maker:open%20sesame@127.0.0.1:{closed}/postgres", "refused", "look whether the server runs"),
    ],
)
def test_a_server_that_cannot_be_reached_is_told_without_the_password(port, address, told, hint):
    with pytest.raises(DatabaseError) as caught:
        ready("postgresql://" + address.format(port=port, closed=free_port()))
    assert "no connection to 'postgresql+psycopg://maker:***@127.0.0.1:" in caught.value.message
    assert told in caught.value.message
    assert hint in caught.value.hint
    assert "sesame" not in str(caught.value)
    assert "wrong one" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("postgresql://me:secret@db.example.com/shop", "the host 'db.example.com' is on the public network"),
        ("postgresql://me:secret@/shop?host=db.example.com", "the host 'db.example.com' is on the public network"),
        ("postgresql://me@/shop?host=localhost:1&host=8.8.8.8:5432", "the host '8.8.8.8' is on the public network"),
        ("postgresql://me:secret@localhost/shop?hostaddr=8.8.8.8", "the host '8.8.8.8' is on the public network"),
        ("postgresql+asyncpg://me:secret@localhost/shop_production", "the database 'shop_production' has the word"),
        ("postgresql://prod:secret@localhost/shop", "the role 'prod' has the word 'prod' in its name"),
    ],
)
def test_what_looks_like_production_is_refused_without_connecting(url, reason, monkeypatch):
    monkeypatch.setattr(psycopg, "connect", lambda *arguments, **options: pytest.fail("connected"))
    with pytest.raises(DatabaseError) as caught:
        UrlPostgresProvider().launch(StartOptions(url=url))
    assert "looks like production: " + reason in caught.value.message
    assert caught.value.hint
    assert "secret" not in str(caught.value)


def test_a_trusted_host_is_not_refused():
    UrlPostgresProvider().launch(
        StartOptions(url="postgresql://db.example.com/shop", trusted_hosts=("db.example.com",))
    )


def test_where_the_environment_leads_counts_too(port, monkeypatch):
    monkeypatch.setenv("PGUSER", "maker")
    monkeypatch.setenv("PGPASSWORD", "open sesame")
    monkeypatch.setenv("PGHOST", "127.0.0.1")
    assert ready(f"postgresql://:{port}/postgres?port={port}").version.startswith("18.")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(postgres_url, "distrust", lambda hosts, *names: "it is" if hosts == ["127.0.0.1"] else None)
        with pytest.raises(DatabaseError, match="looks like production: it is"):
            ready(f"postgresql:///postgres?port={port}")


class Old:
    """A connection to a server that is too old, or a standby."""

    def __init__(self, version, standby):
        text = {"server_version": f"{version // 10000}.5"}
        names = {"host": "localhost", "dbname": "postgres", "user": "me", "server_version": version}
        self.info = type("Info", (), {**names, "parameter_status": staticmethod(text.get)})
        self.standby = standby

    def execute(self, query):
        return self

    def fetchone(self):
        return True, "me", self.standby

    def __enter__(self):
        return self

    def __exit__(self, *reason):
        return None


@pytest.mark.parametrize(
    ("connection", "told"),
    [(Old(120005, False), "PostgreSQL 12.5 is older than 13"), (Old(160005, True), "a standby server")],
)
def test_servers_that_do_not_do_are_told(connection, told, monkeypatch):
    monkeypatch.setattr(psycopg, "connect", lambda *arguments, **options: connection)
    with pytest.raises(DatabaseError, match=told):
        ready("postgresql://localhost/postgres")


@pytest.mark.parametrize(
    ("text", "told"),
    [("shop", "cannot be read"), ("mysql://me:secret@db/shop", "'mysql://me:***@db/shop' is no URL of PostgreSQL")],
)
def test_what_is_no_url_of_postgresql_is_told(text, told):
    with pytest.raises(DatabaseError) as caught:
        read_url(text)
    assert told in caught.value.message
    assert "secret" not in str(caught.value)


def test_no_url_is_told():
    assert UrlPostgresProvider().available(StartOptions()) == (
        "no URL is given; set --dbguard-url, DBGUARD_URL or `url` in [tool.dbguard]"
    )
    with pytest.raises(DatabaseError, match="no URL is given"):
        UrlPostgresProvider().launch(StartOptions())
