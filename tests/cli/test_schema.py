"""`dbguard schema`: of models, of databases, of what settings build."""

from __future__ import annotations

import json
import sqlite3

import pytest

from pytest_dbguard.databases.registry import load_provider

MODELS = """
import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.orm import DeclarativeBase

class Base(DeclarativeBase):
    pass

sa.Table("customers", Base.metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("city", sa.String(40)))
sa.Table(
    "orders", Base.metadata, sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("customer_id", sa.ForeignKey("customers.id"), index=True),
)
other = sa.MetaData()
sa.Table("apart", other, sa.Column("id", sa.Integer, primary_key=True))
mixed = sa.MetaData()
sa.Table("both", mixed, sa.Column("id", sa.Integer))
sa.Table("only_postgres", mixed, sa.Column("data", postgresql.TSVECTOR))
sa.Table("only_mysql", mixed, sa.Column("data", mysql.YEAR))
"""
OF_SQLITE = """\
SQLite (as the models would make it): 2 tables, 3 indexes

customers, 5,000,000 rows
  id    INTEGER      not null
  city  VARCHAR(40)
  primary key (rowid) (id)

orders
  id           INTEGER  not null
  customer_id  INTEGER
  primary key (rowid) (id)
  index ix_orders_customer_id (customer_id)
  foreign key (customer_id) to customers (id)
"""


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """Models in the project, under a name that no other test has imported."""
    name = f"shop_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(MODELS)
    monkeypatch.syspath_prepend(str(tmp_path))
    return name


@pytest.fixture(scope="module")
def postgres():
    database = load_provider("postgres-embedded").start()
    yield database
    database.close()


def shown_url(database):
    return database.url.set(drivername="postgresql").render_as_string(hide_password=False)


def test_the_configured_models_are_shown_with_declared_rows(dbguard, configured, shop):
    configured(f'[tool.dbguard]\nmetadata = "{shop}:Base"\n[tool.dbguard.scale]\ncustomers = 5_000_000\n')
    result = dbguard("schema")
    assert (result.status, result.out, result.err) == (0, OF_SQLITE, "")


def test_models_are_shown_as_the_configured_database_has_them(dbguard, configured, shop):
    configured(f'[tool.dbguard]\nmetadata = ["{shop}:Base", "{shop}:other"]\ndatabase = "postgres-embedded"\n')
    result = dbguard("schema")
    lines = result.out.splitlines()
    assert lines[0] == "PostgreSQL (as the models would make it): 3 tables, 4 indexes"
    assert "  city  character varying(40)" in lines
    assert [line for line in lines if line and not line.startswith(" ")][1:] == ["apart", "customers", "orders"]


def test_models_can_be_named(dbguard, shop):
    assert dbguard("schema", f"{shop}:other").out.splitlines()[2] == "apart"
    assert dbguard("schema", f"{shop}:Base.metadata").out.count("primary key") == 2


@pytest.mark.parametrize(
    ("database", "left_out"), [("sqlite", "only_mysql, only_postgres"), ("postgres-embedded", "only_mysql")]
)
def test_tables_of_other_databases_are_named(dbguard, configured, shop, database, left_out):
    configured(f'[tool.dbguard]\nmetadata = "{shop}:mixed"\ndatabase = "{database}"\n')
    text = " ".join(dbguard("schema").out.split())
    assert f"left out, since this database cannot make them: {left_out}." in text
    assert json.loads(dbguard("schema", "--json").out)["left_out"] == left_out.split(", ")


def test_json_is_for_programs(dbguard, shop):
    result = dbguard("schema", f"{shop}:Base", "--json")
    assert result.out == dbguard("schema", f"{shop}:Base", "--format", "json").out
    found = json.loads(result.out)
    assert (found["format"], found["rows"], found["left_out"], len(found["id"])) == (1, [], [], 16)
    assert [table["name"] for table in found["catalog"]["tables"]] == ["customers", "orders"]
    assert found["catalog"]["tables"][1]["indexes"][1]["keys"] == [{"column": "customer_id", "nulls_first": True}]


def test_a_postgres_database_is_shown_with_its_rows(dbguard, postgres):
    import sqlalchemy as sa

    engine = sa.create_engine(postgres.url)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE cities AS SELECT generate_series(1, 1200) AS id"))
        connection.execute(sa.text("ANALYZE cities"))
    engine.dispose()
    result = dbguard("schema", shown_url(postgres))
    assert result.err == ""
    assert result.out.splitlines()[2:4] == ["cities, 1,200 rows", "  id  integer"]


def test_a_table_that_somebody_is_changing_is_not_waited_for_forever(dbguard, postgres, monkeypatch):
    import sqlalchemy as sa

    monkeypatch.setattr("pytest_dbguard.cli.schema_sources._LIMITS", "SELECT set_config('lock_timeout', '20ms', true)")
    engine = sa.create_engine(postgres.url)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE busy (id int CHECK (id > 0))"))
    with engine.begin() as connection:
        connection.execute(sa.text("LOCK TABLE busy IN ACCESS EXCLUSIVE MODE"))
        result = dbguard("schema", shown_url(postgres))
    engine.dispose()
    assert result.status == 2
    assert result.err.strip().endswith("canceling statement due to lock timeout")


def test_a_file_of_sqlite_is_shown_and_not_changed(dbguard, tmp_path):
    path = tmp_path / "shop.db"
    connection = sqlite3.connect(path)
    connection.executescript("CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (1); ANALYZE;")
    connection.close()
    before = path.read_bytes()
    for target in (path, f"sqlite:///{path}"):
        result = dbguard("schema", target)
        assert (result.status, result.err) == (0, "")
        assert result.out.splitlines()[2] == "t, 1 row"
    assert path.read_bytes() == before
    assert sorted(each.name for each in tmp_path.iterdir()) == ["pyproject.toml", "shop.db"]


@pytest.mark.parametrize("database", ["sqlite", "postgres-embedded"])
def test_migrations_are_run_in_a_database_of_their_own(dbguard, configured, tmp_path, database):
    (tmp_path / "up.sql").write_text("CREATE TABLE t (id INT PRIMARY KEY); CREATE INDEX lowered ON t (abs(id));")
    configured(f'[tool.dbguard]\nmigrations = "up.sql"\ndatabase = "{database}"\nseed = "not_there:seed"\n')
    result = dbguard("schema")
    assert (result.status, result.err) == (0, "")
    assert "  index lowered (abs(id))" in result.out.splitlines()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "neither `metadata` nor `migrations` in [tool.dbguard] says what to show"),
        (("nothing",), "there is nothing with tables at 'nothing'"),
        (("mysql://me:secret@host/db",), "there is nothing with tables at 'mysql://host/db'"),
        (("sqlite:///not_there.db",), "there is no SQLite database 'not_there.db'"),
        (("no_such_module:Base",), "TARGET: 'no_such_module:Base': No module named 'no_such_module'"),
        (("postgresql://me:secret@127.0.0.1:1/db",), "postgresql://me:***@127.0.0.1:1/db: "),
    ],
)
def test_what_cannot_be_shown_is_told_without_passwords(dbguard, arguments, message):
    result = dbguard("schema", *arguments)
    assert (result.status, result.out) == (2, "")
    assert result.err.startswith(f"dbguard: {message}")
    assert "secret" not in result.err
