"""A shop's schema with all that a planner meets: partitions, inheritance, several schemas, odd indexes."""

from __future__ import annotations

import psycopg

from pytest_dbguard.databases.connection_string import connection_string
from pytest_dbguard.planning.statistics.completion import completed
from pytest_dbguard.planning.statistics.model import Origin, Statistics, TableStatistics
from pytest_dbguard.schema.postgres_reflection import reflect_postgres

SHOP = """
    CREATE SCHEMA audit;
    CREATE TYPE order_status AS ENUM ('open', 'paid', 'sent', 'gone');
    CREATE TABLE customers (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email text NOT NULL UNIQUE, name text NOT NULL, city text,
        status order_status NOT NULL DEFAULT 'open', tags text[], data jsonb, CHECK (length(name) > 0)
    );
    CREATE INDEX ix_customers_lower ON customers (lower(email));
    CREATE INDEX ix_customers_tags ON customers USING gin (tags);
    CREATE INDEX ix_customers_city ON customers USING hash (city);
    CREATE TABLE orders (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        customer_id bigint NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
        status order_status NOT NULL, total numeric(12, 2) NOT NULL, placed_at timestamptz NOT NULL, note text
    );
    CREATE INDEX ix_orders_open ON orders (placed_at) WHERE status = 'open';
    CREATE INDEX ix_orders_customer ON orders (customer_id) INCLUDE (total);
    CREATE INDEX ix_orders_placed ON orders USING brin (placed_at);
    CREATE TABLE order_items (
        order_id bigint REFERENCES orders (id), position int, sku text NOT NULL, PRIMARY KEY (order_id, position)
    );
    CREATE TABLE events (
        id bigint GENERATED ALWAYS AS IDENTITY, at timestamptz NOT NULL, kind text NOT NULL, PRIMARY KEY (id, at)
    ) PARTITION BY RANGE (at);
    CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
    CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
    CREATE TABLE events_rest PARTITION OF events DEFAULT;
    CREATE INDEX ix_events_at ON events (at);
    CREATE TABLE audit.orders (id bigint PRIMARY KEY, order_id bigint NOT NULL, who text NOT NULL);
    CREATE INDEX ix_audit_who ON audit.orders (who);
    CREATE VIEW open_orders AS
        SELECT o.*, c.email FROM orders o JOIN customers c ON c.id = o.customer_id WHERE o.status = 'open';
    CREATE MATERIALIZED VIEW cities AS SELECT city, count(*) AS customers FROM customers GROUP BY city;
    CREATE UNIQUE INDEX ix_cities ON cities (city);
    CREATE TABLE documents (id int PRIMARY KEY, title text NOT NULL);
    CREATE TABLE invoices (amount int NOT NULL) INHERITS (documents);
"""


def connect(server, database=None):
    """Return a connection to a database of a server."""
    url = server.url if database is None else server.url.set(database=database)
    return psycopg.connect(connection_string(url), autocommit=True)


def make_shop(server, database="shop"):
    """Make the shop's database, and return its catalog."""
    with connect(server) as connection:
        connection.execute(f"CREATE DATABASE {database}")
    with connect(server, database) as connection:
        connection.execute(SHOP)
        return catalog_of(connection)


def catalog_of(connection):
    """Return the catalog of the database that a connection leads to."""
    return reflect_postgres(lambda text: connection.execute(text).fetchall())


def statistics_of(catalog, settings=None, **rows):
    """Return completed statistics with these numbers of rows of tables in `public`, 100,000 for all others."""
    tables = tuple(
        TableStatistics("public", name, number, origin=Origin.DECLARED) for name, number in sorted(rows.items())
    )
    return completed(Statistics(tables=tables, settings=settings or {}), catalog)


def nodes(lab, sql):
    """Return what reads tables in the plan of a statement: (access, table, index)."""
    plan = planned(lab, sql)
    return [(str(node.access), node.table, node.index) for node in plan.root.walk() if node.table or node.index]


def planned(lab, sql):
    """Return the plan of a statement."""
    found = lab.explain(sql)
    assert found.plan is not None, found.problem
    return found.plan
