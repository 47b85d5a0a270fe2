"""The rules about indexes from a statement to the finding: real parsers, real planners, one schema on two databases."""

from __future__ import annotations

import re
import sqlite3
from types import MappingProxyType

import psycopg
import pytest

from pytest_dbguard.analysis.plans import judges_plans
from pytest_dbguard.core.findings import Severity, Shape, Site
from pytest_dbguard.databases.base import StartOptions
from pytest_dbguard.databases.connection_string import connection_string
from pytest_dbguard.databases.registry import load_provider
from pytest_dbguard.planning.assess import assess
from pytest_dbguard.planning.lab.registry import LabOptions, open_lab
from pytest_dbguard.planning.statistics.completion import completed
from pytest_dbguard.planning.statistics.model import Statistics
from pytest_dbguard.planning.workload import Exemplar, Use, Workload, WorkloadStatement
from pytest_dbguard.rules.registry import load_rules
from pytest_dbguard.schema.postgres_reflection import reflect_postgres
from pytest_dbguard.schema.sqlite_reflection import reflect_sqlite
from tests.databases.servers import require

TABLES = """
CREATE TABLE country (id INTEGER NOT NULL PRIMARY KEY, iso VARCHAR(2) NOT NULL);
CREATE TABLE customer (
    id INTEGER NOT NULL PRIMARY KEY, email VARCHAR(80) NOT NULL UNIQUE, login VARCHAR(80) NOT NULL, name VARCHAR(80),
    active BOOLEAN NOT NULL, country_id INTEGER REFERENCES country(id)
);
CREATE TABLE orders (
    id INTEGER NOT NULL PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customer(id) ON DELETE CASCADE,
    city VARCHAR(40) NOT NULL, name VARCHAR(40) NOT NULL, total INTEGER NOT NULL, status VARCHAR(20) NOT NULL,
    created_at TIMESTAMP NOT NULL, deleted_at TIMESTAMP
);
CREATE INDEX ix_orders_status ON orders (status);
CREATE TABLE item (
    id INTEGER NOT NULL PRIMARY KEY, order_id INTEGER NOT NULL REFERENCES orders(id), sku VARCHAR(20) NOT NULL
);
CREATE INDEX ix_item_order ON item (order_id);
CREATE TABLE event (
    id INTEGER NOT NULL PRIMARY KEY, tenant_id INTEGER NOT NULL, kind VARCHAR(20) NOT NULL, state VARCHAR(20),
    assignee INTEGER, mail VARCHAR(80), at TIMESTAMP
);
CREATE INDEX ix_event_tenant_kind ON event (tenant_id, kind);
CREATE INDEX ix_event_tenant ON event (tenant_id);
CREATE INDEX ix_event_at ON event (at);
CREATE INDEX ix_event_open ON event (assignee) WHERE state = 'open';
CREATE INDEX ix_event_lower ON event (lower(mail));
CREATE TABLE note (id INTEGER NOT NULL PRIMARY KEY, event_id INTEGER NOT NULL REFERENCES event(id));
"""
ORDERS = "SELECT orders.id FROM orders WHERE"
EVENT = "SELECT event.id FROM event WHERE"

CASES = {
    f"{ORDERS} orders.city = {{}}": "DBG201 orders.city",
    f"{ORDERS} orders.city = {{}} AND orders.deleted_at IS NULL": "DBG201 orders.city",
    f"{ORDERS} orders.city IN ({{}}, {{}})": "DBG201 orders.city",
    f"{ORDERS} orders.total > {{}}": "DBG201 orders.total",
    f"{ORDERS} orders.created_at BETWEEN {{}} AND {{}}": "DBG201 orders.created_at",
    f"{ORDERS} orders.city = {{}} OR orders.name = {{}}": "DBG201 orders.city",
    "SELECT item.id FROM item WHERE item.order_id = {} OR item.sku = {}": "DBG201 item.sku",
    f"{ORDERS} orders.city = {{}} LIMIT {{1}}": "DBG201 orders.city",
    f"{ORDERS} orders.city = {{}} ORDER BY orders.created_at DESC LIMIT {{9}}": "DBG201 orders(city, created_at)",
    "UPDATE orders SET total = {} WHERE orders.name = {}": "DBG201 orders.name",
    "DELETE FROM orders WHERE orders.created_at < {}": "DBG201 orders.created_at",
    "SELECT count(*) AS n FROM orders WHERE orders.name = {}": "DBG201 orders.name",
    "SELECT orders.status, count(*) FROM orders WHERE orders.name = {} GROUP BY orders.status": "DBG201 orders.name",
    "SELECT customer.id FROM customer JOIN (SELECT customer_id FROM orders WHERE city = {}) AS o"
    " ON o.customer_id = customer.id": "DBG201 orders.city",
    "SELECT orders.id FROM orders ORDER BY orders.created_at DESC LIMIT {3}": "DBG204 orders.created_at",
    f"{ORDERS} orders.status = {{}} ORDER BY orders.created_at LIMIT {{9}}": "DBG204 orders(status, created_at)",
    "SELECT customer.id FROM customer WHERE lower(customer.login) = {}": "DBG203 customer.login",
    f"{ORDERS} date(orders.created_at) = {{}}": "DBG203 orders.created_at",
    f"{ORDERS} orders.total + 1 = {{}}": "DBG203 orders.total",
    f"{ORDERS} orders.name LIKE {{%x%}}": "DBG203 orders.name",
    f"{EVENT} event.assignee = {{}}": "DBG203 event.assignee",
    "SELECT orders.id FROM orders JOIN customer ON orders.customer_id = customer.id WHERE customer.id = {}": (
        "DBG302 orders.customer_id"
    ),
    "SELECT (SELECT count(*) FROM orders WHERE orders.customer_id = customer.id) AS n FROM customer"
    " WHERE customer.id = {}": "DBG302 orders.customer_id",
    "SELECT customer.id FROM customer JOIN country ON country.id = customer.country_id WHERE country.iso = {}": (
        "DBG302 customer.country_id"
    ),
    "SELECT orders.id FROM orders LEFT JOIN customer ON customer.id = orders.customer_id": "DBG303 customer",
    "DELETE FROM event WHERE event.id = {}": "DBG202 note.event_id",
    # what looks alike and is all right
    "SELECT customer.id FROM customer WHERE customer.email = {}": "",
    f"{ORDERS} orders.status = {{}} AND orders.city = {{}}": "",
    f"{ORDERS} orders.id IN (SELECT orders.id FROM orders WHERE orders.status = {{}})": "",
    f"{ORDERS} orders.city <> {{}}": "",
    f"{ORDERS} orders.deleted_at IS NULL": "",
    "SELECT customer.id FROM customer WHERE customer.active IS true": "",
    "SELECT country.id FROM country WHERE country.iso = {}": "",
    "SELECT count(*) AS n FROM orders": "",
    "SELECT orders.city, sum(orders.total) AS s FROM orders GROUP BY orders.city": "",
    "SELECT DISTINCT orders.city FROM orders": "",
    "SELECT orders.id FROM orders ORDER BY orders.created_at": "",
    "SELECT orders.id FROM orders ORDER BY orders.id DESC LIMIT {9}": "",
    "SELECT item.id, orders.city FROM item JOIN orders ON item.order_id = orders.id WHERE orders.id = {}": "",
    "SELECT orders.id, customer.name FROM orders JOIN customer ON orders.customer_id = customer.id": "",
    f"{EVENT} event.tenant_id = {{}}": "",
    f"{EVENT} lower(event.mail) = {{}}": "",
    f"{EVENT} event.assignee = {{}} AND event.state = {{open}}": "",
    f"{EVENT} event.at > {{}}": "",
    "SELECT event.id FROM event ORDER BY event.at DESC LIMIT {2}": "",
    "INSERT INTO country (id, iso) VALUES ({}, {})": "",
    "UPDATE orders SET city = {} WHERE orders.id = {}": "",
}


def exemplar(text, dialect):
    """The text as a driver gets it; what stands in braces is the value that its parameter held."""
    values = [each.strip("{}") for each in re.findall(r"\{[^}]*\}", text)]
    numbers = iter(range(len(values)))
    marked = re.sub(r"\{[^}]*\}", lambda _: "?" if dialect == "sqlite" else f"%(p{next(numbers)})s", text)
    seen = {n: (int(value) if value.isdigit() else value,) for n, value in enumerate(values) if value}
    return Exemplar(marked, "qmark" if dialect == "sqlite" else "pyformat", MappingProxyType(seen))


def workload(dialect):
    statements = (
        WorkloadStatement(
            Shape(f"{number:03}", text),
            exemplar(text, dialect),
            (Use(Site("app.py", number + 1, function="f"), 1, ("t::a",)),),
            text.split()[0],
        )
        for number, text in enumerate(CASES)
    )
    return Workload("s", tuple(statements))


def sqlite_catalog():
    connection = sqlite3.connect(":memory:")
    connection.executescript(TABLES)
    catalog = reflect_sqlite(lambda sql: connection.execute(sql).fetchall())
    connection.close()
    return catalog, LabOptions(), lambda: None


def postgres_catalog():
    provider = load_provider("postgres-embedded")
    require(provider.available(StartOptions()), "DBGUARD_REQUIRE_POSTGRES")
    server = provider.launch(StartOptions()).ready()
    with psycopg.connect(connection_string(server.url), autocommit=True) as connection:
        connection.execute(TABLES)
        catalog = reflect_postgres(lambda sql: connection.execute(sql).fetchall())
    return catalog, LabOptions(server=server), server.close


@pytest.fixture(scope="module", params=[sqlite_catalog, postgres_catalog], ids=["sqlite", "postgresql"])
def run(request):
    """All statements assessed as one run, and the findings by line."""
    catalog, options, close = request.param()
    try:
        statistics = completed(Statistics(), catalog)
        lab = open_lab(catalog, statistics, options).lab
        assessment = assess(workload(catalog.dialect.value), catalog, statistics, lab)
        lab.close()
    finally:
        close()
    rules = [rule(rule.options_model()) for rule in load_rules() if judges_plans(rule) and rule.code != "DBG305"]
    findings = [finding for rule in rules for finding in rule.judge(assessment)]
    return assessment, findings


def at(findings, text):
    line = list(CASES).index(text) + 1
    return [finding for finding in findings if finding.site is not None and finding.site.line == line]


@pytest.mark.parametrize("text", CASES)
def test_what_is_said_of_a_statement(run, text):
    _, findings = run
    assert " ".join(f"{f.rule} {f.subject}" for f in at(findings, text)) == CASES[text]


def test_every_statement_was_planned(run):
    assessment, _ = run
    assert assessment.not_analysed == {}
    assert all(each.plan is not None for each in assessment.statements)


def test_of_what_is_missing_everything_is_told(run):
    assessment, findings = run
    for finding in findings:
        assert finding.message
        assert "\n" not in finding.message
        assert finding.fix.title
        # no planner is asked about joins and indexes that can go
        bases = ("",) if finding.rule in ("DBG205", "DBG303") else ("modelled at 100,000 rows (default)", "static")
        assert finding.basis.startswith(bases)
        if finding.rule in ("DBG201", "DBG302", "DBG204"):
            assert finding.plan
            assert [remedy.kind for remedy in finding.remedies] == ["sql", "sqlalchemy", "alembic"]
    if assessment.catalog.dialect == "postgresql":
        city = at(findings, f"{ORDERS} orders.name LIKE {{%x%}}") + at(findings, f"{ORDERS} orders.city = {{}}")
        assert any("cost" in line for line in city[-1].evidence)
        assert any(re.search(r"pays from about \d+ rows", line) for line in city[-1].evidence)


def test_what_is_sure_is_an_error_and_what_depends_on_values_a_warning(run):
    _, findings = run
    assert {f.severity for f in at(findings, f"{ORDERS} orders.city = {{}}")} == {Severity.ERROR}
    assert {f.severity for f in at(findings, f"{ORDERS} orders.total > {{}}")} == {Severity.WARNING}


def test_what_is_said_of_the_schema(run):
    _, findings = run
    said = {(f.rule, f.subject) for f in findings if f.site is None}
    assert said == {("DBG205", "ix_event_tenant")}


def test_no_value_of_a_parameter_is_shown(run):
    _, findings = run
    assert "open" not in {word for f in findings for word in f.message.split()}
    assert not any("%x%" in repr(f) for f in findings if f.shape is None or "%x%" not in f.shape.text)
