"""A small shop as SQLite's catalog has it, and the figures of its tables."""

from __future__ import annotations

import sqlite3

from pytest_dbguard.planning.statistics.model import ColumnStatistics, Statistics, TableStatistics
from pytest_dbguard.schema.catalog import Catalog, Column, Dialect, Index, IndexKey, RelationKind, Table

CUSTOMERS = "CREATE TABLE customers (id INTEGER PRIMARY KEY, email VARCHAR(80) UNIQUE, city TEXT, active BOOLEAN)"
ORDERS = """CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER, status TEXT, at TIMESTAMP,
    FOREIGN KEY (customer_id) REFERENCES customers (id))"""
LABELS = (
    "CREATE TABLE labels (name TEXT NOT NULL, order_id INTEGER NOT NULL, PRIMARY KEY (name, order_id)) WITHOUT ROWID"
)
ORDERS_AT = "CREATE INDEX ix_orders_at ON orders (at)"
ORDERS_OPEN = "CREATE INDEX ix_orders_open ON orders (customer_id) WHERE status = 'open'"
CITIES = "CREATE VIEW cities AS SELECT city, count(*) AS residents FROM customers GROUP BY city"


def index(name, *columns, **options):
    return Index(name, tuple(IndexKey(column) for column in columns), **options)


def columns(*names):
    return tuple(Column(name, "TEXT") for name in names)


def catalog(*more):
    """Return the catalog, with further tables if wanted."""
    customers = Table(
        "",
        "customers",
        columns=columns("id", "email", "city", "active"),
        primary_key=("id",),
        indexes=(
            index("", "id", is_unique=True, is_primary=True, is_constraint=True),
            index("sqlite_autoindex_customers_1", "email", is_unique=True, is_constraint=True),
        ),
        ddl=CUSTOMERS,
    )
    orders = Table(
        "",
        "orders",
        columns=columns("id", "customer_id", "status", "at"),
        primary_key=("id",),
        indexes=(
            index("", "id", is_unique=True, is_primary=True, is_constraint=True),
            index("ix_orders_at", "at", ddl=ORDERS_AT),
            index("ix_orders_open", "customer_id", predicate="status = 'open'", ddl=ORDERS_OPEN),
        ),
        ddl=ORDERS,
    )
    labels = Table(
        "",
        "labels",
        columns=columns("name", "order_id"),
        primary_key=("name", "order_id"),
        indexes=(
            index("sqlite_autoindex_labels_1", "name", "order_id", is_unique=True, is_primary=True, is_constraint=True),
        ),
        ddl=LABELS,
        is_without_rowid=True,
    )
    cities = Table("", "cities", RelationKind.VIEW, columns("city", "residents"), ddl=CITIES)
    return Catalog(Dialect.SQLITE, sqlite3.sqlite_version, (cities, customers, labels, orders, *more))


def statistics(rows=100_000):
    """Return what is known of tables with so many customers, ten orders each."""
    figures = ColumnStatistics
    return Statistics(
        tables=(
            TableStatistics("", "customers", rows, columns=(figures("city", 500), figures("active", 2))),
            TableStatistics("", "labels", 3 * rows, columns=(figures("name", 40), figures("order_id", -0.5))),
            TableStatistics(
                "", "orders", 10 * rows, columns=(figures("customer_id", rows), figures("status", 5), figures("at", -1))
            ),
        )
    )
