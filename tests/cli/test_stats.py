"""`dbguard stats export|check`."""

from __future__ import annotations

import json
import sqlite3
import sys
from contextlib import closing

import pytest

from pytest_dbguard.planning.statistics.file import read_statistics
from tests.databases.servers import embedded_server

MODELS = """
from sqlalchemy import Column, Integer, MetaData, String, Table
metadata = MetaData()
Table("orders", metadata, Column("id", Integer, primary_key=True), Column("city", String))
"""


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """A project with a SQLite database in production."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    package = tmp_path / "stats_shop"
    package.mkdir()
    (package / "__init__.py").write_text(MODELS)
    with closing(sqlite3.connect(tmp_path / "shop.db")) as connection:
        connection.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, city TEXT)")
        connection.executemany("INSERT INTO orders (city) VALUES (?)", [("PLANTED",), ("PLANTED",)])
        connection.commit()
    yield tmp_path
    sys.modules.pop("stats_shop", None)


def test_the_file_is_written_at_the_root(dbguard, shop):
    done = dbguard("stats", "export", "sqlite:///shop.db")
    path = shop / "dbguard-stats.json"
    assert (done.status, done.err) == (0, "")
    assert " ".join(done.out.split()) == (
        "dbguard-stats.json: 1 table, the largest with 2 rows, 2 columns, 0 indexes no value of any row is in it"
        " never analysed: indexes have no figures until ANALYZE runs"
    )
    assert read_statistics(path).table("orders").rows == 2
    assert "PLANTED" not in path.read_text()


def test_the_file_goes_where_it_is_wanted(dbguard, shop, configured):
    printed = dbguard("stats", "export", "sqlite:///shop.db", "-o", "-")
    assert json.loads(printed.out)["tables"]["orders"]["rows"] == 2
    dbguard("stats", "export", "sqlite:///shop.db", "-o", "elsewhere/other.json")
    assert read_statistics(shop / "elsewhere" / "other.json").tables
    configured('[tool.dbguard]\nstatistics = "prod.json"\n')
    dbguard("stats", "export", "sqlite:///shop.db")
    assert read_statistics(shop / "prod.json").tables
    assert not (shop / "dbguard-stats.json").exists()


def test_what_cannot_be_exported_is_told(dbguard):
    gone = dbguard("stats", "export", "sqlite:///gone.db")
    assert (gone.status, gone.out) == (2, "")
    assert "there is no SQLite database 'gone.db'" in gone.err
    refused = dbguard("stats", "export", "postgresql://somebody:SECRETWORD@127.0.0.1:1/shop")
    assert refused.status == 2
    assert "SECRETWORD" not in refused.err


def test_a_file_that_fits_the_models(dbguard, shop, configured):
    configured('[tool.dbguard]\nmetadata = "stats_shop:metadata"\n')
    dbguard("stats", "export", "sqlite:///shop.db")
    done = dbguard("stats", "check")
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith("dbguard-stats.json of ")
    assert "orders" not in done.out


def test_differences_are_told(dbguard, shop, configured):
    configured('[tool.dbguard]\nmetadata = "stats_shop:metadata"\n[tool.dbguard.scale]\noders = 5\n')
    with closing(sqlite3.connect(shop / "shop.db")) as connection:
        connection.execute("ALTER TABLE orders RENAME COLUMN city TO town")
    dbguard("stats", "export", "sqlite:///shop.db", "-o", "old.json")
    done = dbguard("stats", "check", "old.json")
    assert done.status == 1
    told = " ".join(done.out.split())
    assert "[tool.dbguard.scale] names the unknown table 'oders', did you mean 'orders'?" in told
    assert "town" in told
    assert "city" in told


def test_what_migrations_build_is_compared(dbguard, shop, configured):
    (shop / "schema.sql").write_text("CREATE TABLE orders (id INTEGER PRIMARY KEY, city TEXT);")
    dbguard("stats", "export", "sqlite:///shop.db")
    configured('[tool.dbguard]\nmigrations = "schema.sql"\n')
    assert dbguard("stats", "check").status == 0
    configured('[tool.dbguard]\nmigrations = "schema.sql"\n[tool.dbguard.scale]\norder = 5\n')
    done = dbguard("stats", "check")
    assert done.status == 1
    assert "did you mean 'orders'?" in done.out


def test_without_a_file_the_settings_are_checked(dbguard, shop, configured):
    assert dbguard("stats", "check").out == (
        "no dbguard-stats.json; default: each table holds 100,000 rows\n"
        "nothing to compare them with: [tool.dbguard] has neither `metadata` nor\n"
        "`migrations`\n"
    )
    configured('[tool.dbguard]\nmetadata = "stats_shop:metadata"\n[tool.dbguard.scale]\norders = "5m"\ndefault = 7\n')
    done = dbguard("stats", "check")
    assert (done.status, done.err) == (0, "")
    assert done.out == ("no dbguard-stats.json; [tool.dbguard.scale]: 1 table, each of the others holds 7\nrows\n")


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ('[tool.dbguard]\nstatistics = "gone.json"', "there is no file of statistics"),
        ('[tool.dbguard.scale]\norders = "lots"', "orders: expected a number of rows"),
        ('[tool.dbguard]\nstatistics = "pyproject.toml"', "not valid JSON"),
    ],
)
def test_what_cannot_be_used_is_an_error(dbguard, configured, settings, told):
    configured(settings)
    done = dbguard("stats", "check")
    assert (done.status, done.out) == (2, "")
    assert told in done.err


def test_a_server_is_exported_with_values_where_they_are_asked_for(dbguard, tmp_path):
    with embedded_server() as server:
        url = server.url.render_as_string(hide_password=False)
        import psycopg

        with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute("CREATE TABLE orders AS SELECT 'PLANTED' AS city FROM generate_series(1, 50)")
            connection.execute("CREATE SCHEMA other CREATE TABLE things (id integer)")
            connection.execute("ANALYZE")
        path = tmp_path / "dbguard-stats.json"
        assert "\n  no value of any row is in it\n" in dbguard("stats", "export", url, "--schema", "public").out
        assert [table.name for table in read_statistics(path).tables] == ["orders"]
        assert "PLANTED" not in path.read_text()
        assert "\n  values of rows are in it\n" in dbguard("stats", "export", url, "--with-values").out
        assert "PLANTED" in path.read_text()
        assert "other.things" in path.read_text()
