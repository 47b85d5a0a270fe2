"""What migrations do to accepted plans, on labs of PostgreSQL and SQLite: what is worse is told, nothing else is."""

from __future__ import annotations

import sqlite3

import pytest

from pytest_dbguard.analysis.judge import ActiveRule
from pytest_dbguard.analysis.plan_gate import PlanGate
from pytest_dbguard.baseline.plans import Plans
from pytest_dbguard.core.findings import Severity, Shape
from pytest_dbguard.planning.assess import assess
from pytest_dbguard.planning.lab.registry import LabOptions, open_lab
from pytest_dbguard.planning.statistics.completion import completed
from pytest_dbguard.planning.statistics.model import Statistics
from pytest_dbguard.planning.workload import Exemplar, Workload, WorkloadStatement
from pytest_dbguard.rules.plan_regression import PlanOptions, PlanRegression
from pytest_dbguard.schema.sqlite_reflection import reflect_sqlite
from tests.databases.servers import embedded_server
from tests.planning.assessments import use
from tests.planning.lab.shop_of_postgres import catalog_of, connect

SCHEMA = (
    "CREATE TABLE customers (id int PRIMARY KEY, email varchar(80) NOT NULL, name varchar(80))",
    "CREATE TABLE orders (id int PRIMARY KEY, customer_id int NOT NULL, status varchar(10), placed_at int)",
    "CREATE UNIQUE INDEX ix_email ON customers (email)",
    "CREATE INDEX ix_customer ON orders (customer_id)",
    "CREATE INDEX ix_placed ON orders (placed_at)",
    "CREATE INDEX ix_status_placed ON orders (status, placed_at)",
)
STATEMENTS = {
    "by email": "SELECT id, name FROM customers WHERE email = ?",
    "of a customer": "SELECT id, status FROM orders WHERE customer_id = ?",
    "buyers": "SELECT c.name, o.id FROM customers c JOIN orders o ON o.customer_id = c.id WHERE c.id = ?",
    "latest": "SELECT id FROM orders ORDER BY placed_at DESC LIMIT 10",
    "all": "SELECT id, customer_id FROM orders",
    "many": "SELECT count(*) FROM orders GROUP BY customer_id",
}
# what is told after each migration: statement, first words of the message
MIGRATIONS = {
    "DROP INDEX ix_email": {"by email": "index scan became sequential scan on `customers`"},
    "DROP INDEX ix_customer": {
        "of a customer": "index scan became sequential scan on `orders`",
        "buyers": "index scan became sequential scan on `orders`",
    },
    "DROP INDEX ix_placed": {"latest": "a sort appeared"},
    "DROP INDEX ix_status_placed": {},
    "ALTER TABLE orders ADD COLUMN note varchar(20)": {},
    "CREATE INDEX ix_more ON orders (customer_id, status)": {},
    "CREATE TABLE refunds (id int PRIMARY KEY, order_id int)": {},
    "DROP INDEX ix_customer; CREATE INDEX ix_renamed ON orders (customer_id)": {},
    "DROP INDEX ix_customer; CREATE INDEX ix_wider ON orders (customer_id, status)": {},
}
# PostgreSQL hashes the groups, which costs no more
ON_SQLITE = {"DROP INDEX ix_customer": {"many": "a temporary appeared"}}


def workload(mark):
    style = "qmark" if mark == "?" else "numeric_dollar"
    statements = (
        WorkloadStatement(Shape(name, sql), Exemplar(sql.replace("?", mark), style), (use(),))
        for name, sql in STATEMENTS.items()
    )
    return Workload("shop", tuple(statements))


def assessed(catalog, options, mark):
    statistics = completed(Statistics(), catalog)
    choice = open_lab(catalog, statistics, options)
    assert choice.lab is not None, choice
    try:
        return assess(workload(mark), catalog, statistics, choice.lab)
    finally:
        choice.lab.close()


@pytest.fixture(scope="module")
def on_postgres():
    """Return what plans a migrated schema on PostgreSQL."""
    with embedded_server() as server:
        options = LabOptions(server=server)

        def plan(*migration):
            with connect(server) as connection:
                connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
                for text in (*SCHEMA, *migration):
                    connection.execute(text)
                catalog = catalog_of(connection)
            return assessed(catalog, options, "$1")

        yield plan


@pytest.fixture(scope="module")
def on_sqlite():
    """Return what plans a migrated schema on SQLite."""

    def plan(*migration):
        connection = sqlite3.connect(":memory:")
        connection.executescript(";".join((*SCHEMA, *migration)))
        catalog = reflect_sqlite(lambda text: connection.execute(text).fetchall())
        connection.close()
        return assessed(catalog, LabOptions(), "?")

    return plan


def gate(accepted, *, keeps=False):
    return PlanGate(accepted, ActiveRule(PlanRegression(PlanOptions()), Severity.ERROR), keeps=keeps)


@pytest.fixture(scope="module", params=["on_postgres", "on_sqlite"])
def planned(request):
    plan = request.getfixturevalue(request.param)
    taking = gate(Plans(), keeps=True)
    taking.take(plan())
    return plan, taking.updated(), ON_SQLITE if request.param == "on_sqlite" else {}


@pytest.mark.parametrize("migration", MIGRATIONS)
def test_what_a_migration_makes_worse(planned, migration):
    plan, accepted, more = planned
    judging = gate(accepted)
    judging.take(plan(migration))
    found = {each.shape.id: each.message.replace("bitmap", "index") for each in judging.regressions()}
    expected = MIGRATIONS[migration] | more.get(migration, {})
    assert found.keys() == expected.keys()
    for name, message in expected.items():
        assert found[name].replace("automatic index", "sequential scan").startswith(message)


def test_what_is_accepted(planned):
    _, accepted, _ = planned
    assert {entry.key.shape for entry in accepted.entries} == STATEMENTS.keys()
