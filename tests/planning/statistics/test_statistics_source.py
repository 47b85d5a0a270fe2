"""Exports from what a user names, read-only, and without telling a password."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import psycopg
import pytest

from pytest_dbguard.core.errors import ConfigError, DatabaseError
from pytest_dbguard.planning.statistics.source import export
from tests.databases.servers import embedded_server
from tests.planning.statistics.test_pg_dump import DUMP


@pytest.fixture(scope="module")
def server():
    with embedded_server() as server:
        yield server


@pytest.fixture(scope="module")
def url(server):
    url = server.url.render_as_string(hide_password=False)
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("CREATE TABLE orders AS SELECT i AS id FROM generate_series(1, 50) i")
        connection.execute("CREATE TABLE broken (id integer)")
        connection.execute("CREATE FUNCTION no(integer) RETURNS integer IMMUTABLE LANGUAGE sql AS 'SELECT $1'")
        connection.execute("CREATE INDEX ix_no ON broken (no(id))")
        connection.execute("INSERT INTO broken SELECT generate_series(1, 5000)")
        connection.execute("ANALYZE")
        connection.execute("CREATE ROLE reader LOGIN PASSWORD 'SECRETWORD'")
        connection.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
        connection.execute("REVOKE EXECUTE ON FUNCTION no(integer) FROM PUBLIC")
    return url


def as_driver(url, driver):
    return url.replace("postgresql+psycopg", driver)


@pytest.mark.parametrize("driver", ["postgresql", "postgresql+asyncpg", "postgres", "postgresql+psycopg2"])
def test_a_url_of_any_driver_will_do(url, driver):
    assert export(as_driver(url, driver)).table("orders").rows == 50


def test_an_option_of_another_driver_is_left_out(url):
    sign = "&" if "?" in url else "?"
    assert export(f"{url}{sign}prepared_statement_cache_size=0").table("orders").rows == 50


def test_a_plan_that_is_refused_ends_nothing(server):
    reader = server.url.set(username="reader", password="SECRETWORD").render_as_string(hide_password=False)
    found = export(reader)
    assert [index.name for index in found.table("broken").indexes] == ["ix_no"]
    assert found.table("orders").rows == 50


def test_a_schema_without_tables_is_told(url):
    with pytest.raises(ConfigError, match="no table in the schema 'Public'"):
        export(url, schemas=["Public"])


def test_no_password_is_told(url):
    with pytest.raises(DatabaseError) as caught:
        export("postgresql://somebody:SECRETWORD@127.0.0.1:1/shop")
    assert "SECRETWORD" not in str(caught.value)
    assert "postgresql://somebody:***@127.0.0.1:1/shop" in str(caught.value)


def test_a_sqlite_file_is_read_and_not_changed(tmp_path):
    path = tmp_path / "it's 100% mine.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY)")
    before = path.read_bytes()
    assert export(f"sqlite+aiosqlite:///{path}").table("orders").rows == 0
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("target", ["sqlite://", "sqlite:////nowhere/a.db"])
def test_a_sqlite_database_that_is_not_there_is_not_made(target):
    with pytest.raises(DatabaseError, match="there is no SQLite database"):
        export(target)


def test_what_is_no_database_of_sqlite_is_told(tmp_path):
    (tmp_path / "text.db").write_text("hello " * 200)
    with pytest.raises(DatabaseError, match="cannot read the SQLite database"):
        export(f"sqlite:///{tmp_path / 'text.db'}")


def test_a_file_of_pg_dump_will_do(tmp_path):
    path = tmp_path / "stats.sql"
    path.write_text(DUMP)
    found = export(str(path))
    assert [table.name for table in found.tables] == ["it's"]
    assert found.taken_at
    assert found.notes == (
        "made from a file of pg_dump: no sizes of indexes, settings, collation or extended statistics",
    )
    assert export(str(path), schemas=["other"]).tables == ()


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("mysql://host/db", "statistics of 'mysql' cannot be exported"),
        ("nowhere.sql", "there is neither a database nor a file"),
        (".", "cannot read"),
    ],
)
def test_other_targets_are_refused(target, told):
    with pytest.raises(ConfigError, match=told):
        export(target)


def test_other_files_are_refused(tmp_path):
    path = tmp_path / "dump.sql"
    path.write_text("CREATE TABLE t (id integer);")
    with pytest.raises(ConfigError, match="holds no statistics of pg_dump"):
        export(str(path))
