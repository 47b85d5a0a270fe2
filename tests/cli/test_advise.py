"""`dbguard advise`: from a saved run to indexes, code and files."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from pytest_dbguard.cli.advise import size_in_bytes
from pytest_dbguard.core.errors import ConfigError
from pytest_dbguard.planning.workload import Workload
from pytest_dbguard.planning.workload_file import write_workload
from tests.planning.advice.workloads import workload
from tests.planning.lab.shop_of_sqlite import catalog

BY_CITY = "SELECT email FROM customers WHERE city = ?"
OF_CUSTOMER = "SELECT status FROM orders WHERE customer_id = ? ORDER BY at"


@pytest.fixture
def saved(tmp_path, dbguard):
    """A saved run of a shop on SQLite, in the place where it is looked for."""
    path = tmp_path / "dbguard-workload.json"
    write_workload(path, [(workload((BY_CITY, 3), OF_CUSTOMER, style="qmark"), catalog())], source="run")
    return path


def test_indexes_for_a_saved_run(saved, dbguard):
    result = dbguard("advise")
    assert (result.status, result.err) == (0, "")
    assert "2 statements: cost" in result.out and "ix_customers_city" in result.out
    assert "CREATE INDEX ix_customers_city ON customers (city);" in result.out
    assert "--workload takes production's" in result.out
    assert max(map(len, result.out.splitlines())) <= 80


def test_as_json_within_limits(saved, dbguard):
    found = json.loads(dbguard("advise", saved, "--format", "json", "--max-indexes", 1).out)
    (index,) = found["indexes"]
    assert index["size_bytes"] == found["size_bytes"] > 0
    nothing = json.loads(dbguard("advise", saved, "--format", "json", "--budget", "1kB").out)
    assert nothing["indexes"] == [] and nothing["budget_bytes"] == 1024


def test_counts_of_production(saved, dbguard, tmp_path):
    export = tmp_path / "statements.csv"
    export.write_text("query,calls,mean_exec_time\nSELECT email FROM customers WHERE city = $1,700,1.5\n")
    found = json.loads(dbguard("advise", "--workload", export, "--format", "json").out)
    assert {each["text"]: each["weight"] for each in found["statements"]} == {BY_CITY: 700, OF_CUSTOMER: 1}
    assert not any("--workload" in line for line in found["told"])


def test_what_only_tests_run_counts_where_production_runs_it(dbguard, tmp_path):
    by_city, of_customer = workload(BY_CITY, OF_CUSTOMER, style="qmark").statements
    uses = (replace(by_city.uses[0], count=90, in_test_code=True),)
    path, export = tmp_path / "run.json", tmp_path / "statements.csv"
    ran = Workload("s", (replace(by_city, uses=uses), of_customer))
    write_workload(path, [(ran, catalog())], source="run")
    found = json.loads(dbguard("advise", path, "--format", "json").out)
    assert [each["text"] for each in found["statements"]] == [OF_CUSTOMER]
    assert found["not_analysed"] == {"run by test code only": 1}
    export.write_text("query,calls,mean_exec_time\nSELECT email FROM customers WHERE city = $1,700,1.5\n")
    found = json.loads(dbguard("advise", path, "--workload", export, "--format", "json").out)
    assert {each["text"]: each["weight"] for each in found["statements"]} == {BY_CITY: 700, OF_CUSTOMER: 1}
    assert found["not_analysed"] == {}


def test_files(saved, dbguard, tmp_path):
    versions = tmp_path / "versions"
    versions.mkdir()
    (versions / "first.py").write_text('revision = "first"\ndown_revision = None\n')
    result = dbguard("advise", "--alembic", versions, "--sql", tmp_path / "advice.sql")
    assert result.status == 0, result.err
    (made,) = versions.glob("*_advised_indexes.py")
    text = made.read_text()
    assert result.err.splitlines() == [f"wrote {made}", f"wrote {tmp_path / 'advice.sql'}"]
    assert dbguard("advise", "--alembic", versions).status == 0
    assert [*versions.glob("*_advised_indexes.py")] == [made] and made.read_text() == text
    assert 'down_revision = "first"' in made.read_text() and "op.create_index(" in made.read_text()
    assert "CREATE INDEX ix_customers_city " in (tmp_path / "advice.sql").read_text()


def test_no_migration_without_a_change(saved, dbguard, tmp_path):
    result = dbguard("advise", "--max-indexes", 0, "--alembic", tmp_path / "none.py")
    assert result.status == 0 and "there is nothing to migrate" in result.err
    assert not (tmp_path / "none.py").exists()


def test_a_schema_of_a_database(saved, dbguard, tmp_path):
    with closing(sqlite3.connect(tmp_path / "shop.db")) as connection:
        connection.executescript(
            "CREATE TABLE customers (id INTEGER PRIMARY KEY, email TEXT, city TEXT);"
            "CREATE INDEX c ON customers (city);"
            "CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INT, status TEXT, at TEXT);"
        )
    result = dbguard("advise", "--database", tmp_path / "shop.db")
    assert result.status == 0, result.err
    assert "in place of c" in result.out or "ix_customers" not in result.out
    assert "ix_orders_customer_id" in result.out


def test_without_a_run(dbguard, tmp_path):
    result = dbguard("advise")
    assert result.status == 2
    assert "no workload: there is no dbguard-workload.json here" in result.err
    assert "--dbguard-save-workload FILE" in result.err
    assert "there is no file" in dbguard("advise", tmp_path / "nothing.json").err


def test_wrong_use(saved, dbguard, tmp_path):
    assert "'much' is no size" in dbguard("advise", "--budget", "much").err
    assert "both say which schema" in dbguard("advise", "--database", "a.db", "--schema", "a:b").err
    for option in ("--alembic", "--sql"):
        assert f"{option}: there is no directory" in dbguard("advise", option, tmp_path / "no" / "a").err
    assert "is a directory, not a file" in dbguard("advise", "--sql", tmp_path).err


def test_without_a_lab(saved, dbguard, configured):
    configured('[tool.dbguard]\nlab = "off"\n')
    result = dbguard("advise")
    assert result.status == 2 and "no advice without a planner: the lab is switched off" in result.err


@pytest.mark.parametrize(
    ("text", "size"), [("500MB", 500 * 2**20), ("2 GB", 2**31), ("64MiB", 2**26), ("1.5k", 1536), ("1000", 1000)]
)
def test_sizes(text, size):
    assert size_in_bytes(text) == size


def test_no_sizes():
    for text in ("", "MB", "-1MB", "5 parsecs"):
        with pytest.raises(ConfigError):
            size_in_bytes(text)
