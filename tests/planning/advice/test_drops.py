"""Which existing indexes can go."""

from __future__ import annotations

from pytest_dbguard.planning.advice.advise import advise
from pytest_dbguard.planning.advice.drops import REVIEW
from pytest_dbguard.planning.lab.sqlite_lab import SqliteLab
from pytest_dbguard.schema.catalog import Catalog, Dialect, ForeignKey, Index, IndexKey, Table
from tests.planning.advice.workloads import workload
from tests.planning.lab.shop_of_sqlite import columns, statistics

DDL = "CREATE TABLE customers (id INTEGER PRIMARY KEY, email TEXT, city TEXT, active TEXT)"

ROWID = Index("", (IndexKey("id"),), is_unique=True, is_primary=True, is_constraint=True)


def index(name, *keys, **more):
    ddl = f"CREATE INDEX {name} ON customers ({', '.join(keys)})"
    return Index(name, tuple(map(IndexKey, keys)), ddl=ddl, **more)


def dropped(*texts, indexes=(), keys=()):
    table = Table(
        "", "customers", columns=columns("id", "email", "city", "active"), primary_key=("id",), ddl=DDL,
        indexes=(ROWID, *indexes), foreign_keys=keys,
    )  # fmt: skip
    lab = SqliteLab(Catalog(Dialect.SQLITE, tables=(table,)), statistics())
    try:
        found = advise(workload(*texts, style="qmark"), lab.catalog, lab.statistics, lab)
        return {each.name: each.reason for each in found.drops}
    finally:
        lab.close()


def test_the_beginning_of_another_goes_though_plans_use_it():
    indexes = (index("ix_city", "city"), index("ix_city_email", "city", "email"))
    assert dropped("SELECT id FROM customers WHERE city = ?", indexes=indexes) == {
        "ix_city": "ix_city_email begins with the same columns"
    }


def test_of_two_equal_ones_one_stays():
    indexes = (index("ix_city", "city"), index("ix_city_again", "city"))
    assert dropped("SELECT id FROM customers WHERE city = ?", indexes=indexes) == {"ix_city_again": "ix_city is equal"}


def test_what_is_used_stays_and_what_is_not_is_to_be_reviewed():
    indexes = (index("ix_city", "city"), index("ix_active", "active"))
    assert dropped("SELECT * FROM customers WHERE city = ?", indexes=indexes) == {"ix_active": REVIEW}


def test_what_a_foreign_key_needs_stays():
    key = ForeignKey("fk", ("active",), "", "customers", ("id",))
    assert dropped("SELECT id FROM customers WHERE id = ?", indexes=(index("ix_active", "active"),), keys=(key,)) == {}


def test_unique_ones_stay():
    unique = index("ux_email", "email", is_unique=True)
    assert dropped("SELECT id FROM customers WHERE id = ?", indexes=(unique,)) == {}
