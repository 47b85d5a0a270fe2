"""Indexes as people write them: each spelling makes the same index, and is told apart from the plain one by name."""

from __future__ import annotations

import sqlite3

import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Column, Index, Integer, MetaData, String, Table, create_engine, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex

from pytest_dbguard.planning.candidates.spelling import alembic_code, ddl, index_name, name_of, sqlalchemy_code, subject
from pytest_dbguard.planning.lab.base import IndexSpec
from pytest_dbguard.schema.catalog import Dialect

PLAIN = IndexSpec("", "orders", ("city",), ("city",))
TWO = IndexSpec("", "orders", ("city", "created_at DESC"), ("city", "created_at"))
RESERVED = IndexSpec("", "order", ('"group"',), ("group",))
EXPRESSION = IndexSpec("", "orders", ("lower(city)",), (None,))
COLLATED = IndexSpec("", "orders", ("city COLLATE NOCASE",), ("city",))
PARTIAL = IndexSpec("", "orders", ("created_at",), ("created_at",), predicate="city IS NULL")
PATTERN = IndexSpec("public", "orders", ("city varchar_pattern_ops",), ("city",))
TRIGRAM = IndexSpec("sales", "orders", ("city gin_trgm_ops",), ("city",), method="gin")
ON_SQLITE = [PLAIN, TWO, EXPRESSION, COLLATED, PARTIAL]


@pytest.mark.parametrize(
    ("spec", "name", "about"),
    [
        (PLAIN, "ix_orders_city", "orders.city"),
        (TWO, "ix_orders_city_created_at_desc", "orders(city, created_at)"),
        (RESERVED, "ix_order_group", "order.group"),
        (EXPRESSION, "ix_orders_lower_city", "orders(lower(city))"),
        (COLLATED, "ix_orders_city_nocase", "orders.city"),
        (PARTIAL, "ix_orders_created_at_partial", "orders.created_at"),
        (PATTERN, "ix_orders_city_pattern", "orders.city"),
        (TRIGRAM, "ix_orders_city_trgm", "sales.orders.city"),
    ],
)
def test_name_and_subject(spec, name, about):
    assert (name_of(spec), subject(spec)) == (name, about)


def test_a_name_fits_into_63_bytes_and_stays_unlike_others():
    names = {index_name("a_table_with_a_rather_long_name", ["a_column_with_a_long_name", f"å{n}" * 5]) for n in (1, 2)}
    assert len(names) == 2
    assert all(len(name.encode()) <= 63 for name in names)


@pytest.mark.parametrize(
    ("spec", "dialect", "sql"),
    [
        (PLAIN, Dialect.SQLITE, "CREATE INDEX ix_orders_city ON orders (city)"),
        (RESERVED, Dialect.SQLITE, 'CREATE INDEX ix_order_group ON "order" ("group")'),
        (PATTERN, Dialect.POSTGRESQL, "CREATE INDEX ix_orders_city_pattern ON orders (city varchar_pattern_ops)"),
        (TRIGRAM, Dialect.POSTGRESQL, "CREATE INDEX ix_orders_city_trgm ON sales.orders USING gin (city gin_trgm_ops)"),
        (
            PARTIAL,
            Dialect.SQLITE,
            "CREATE INDEX ix_orders_created_at_partial ON orders (created_at) WHERE city IS NULL",
        ),
    ],
)
def test_ddl(spec, dialect, sql):
    assert ddl(spec, dialect) == sql


def test_ddl_that_lets_others_write():
    assert (
        ddl(PLAIN, Dialect.POSTGRESQL, concurrently=True) == "CREATE INDEX CONCURRENTLY ix_orders_city ON orders (city)"
    )


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        (PLAIN, 'Index("ix_orders_city", "city")'),
        (EXPRESSION, 'Index("ix_orders_lower_city", text("lower(city)"))'),
        (PATTERN, 'Index("ix_orders_city_pattern", "city", postgresql_ops={"city": "varchar_pattern_ops"})'),
        (
            TRIGRAM,
            'Index("ix_orders_city_trgm", "city", postgresql_using="gin", postgresql_ops={"city": "gin_trgm_ops"})',
        ),
    ],
)
def test_sqlalchemy(spec, code):
    assert sqlalchemy_code(spec, name_of(spec)) == code


def test_alembic_tells_how_not_to_lock():
    code = alembic_code(TRIGRAM, "ix_t", Dialect.POSTGRESQL)
    assert code.splitlines()[0].startswith("# on a large table: postgresql_concurrently=True")
    assert code.splitlines()[1] == (
        'op.create_index("ix_t", "orders", ["city"], schema="sales", postgresql_using="gin", '
        'postgresql_ops={"city": "gin_trgm_ops"})'
    )
    assert "\n" not in alembic_code(PLAIN, "ix_t", Dialect.SQLITE)


ON_POSTGRES = [
    *(PLAIN, TWO, EXPRESSION, PARTIAL, PATTERN, TRIGRAM),
    IndexSpec("public", "orders", ("city", "created_at DESC NULLS LAST"), ("city", "created_at")),
    IndexSpec("", "orders", ("lower(city) varchar_pattern_ops",), (None,)),
    IndexSpec("", "orders", ("(CAST(created_at AS DATE))",), (None,)),
    IndexSpec("", "orders", ("city gin_trgm_ops", "lower(city) gin_trgm_ops"), ("city", None), method="gin"),
    IndexSpec("", "orders", ("city",), ("city",), is_unique=True, include=("created_at",)),
]


@pytest.mark.parametrize("spec", ON_POSTGRES, ids=name_of)
def test_sqlalchemy_writes_the_same_for_postgres(spec):
    names = {"Index": Index, "text": text}
    table = Table("orders", MetaData(), *columns(), schema=spec.schema.replace("public", "") or None)
    made = eval(sqlalchemy_code(spec, name_of(spec)), names)
    made._set_parent(table)
    assert str(CreateIndex(made).compile(dialect=postgresql.dialect())) == ddl(spec, Dialect.POSTGRESQL)


def columns():
    return Column("id", Integer, primary_key=True), Column("city", String(40)), Column("created_at", Integer)


def made_by(engine):
    with engine.connect() as connection:
        found = connection.exec_driver_sql("SELECT sql FROM sqlite_schema WHERE type = 'index'").scalars()
        return [sql.replace('"', "").lower() for sql in found]


@pytest.mark.parametrize("spec", ON_SQLITE, ids=name_of)
def test_all_spellings_make_the_same_index(spec):
    by_sql = sqlite3.connect(":memory:")
    by_sql.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, city TEXT, created_at INTEGER)")
    by_sql.execute(ddl(spec, Dialect.SQLITE))
    wanted = [
        row[0].replace('"', "").lower() for row in by_sql.execute("SELECT sql FROM sqlite_schema WHERE type = 'index'")
    ]
    by_sql.close()

    names = {"Index": Index, "text": text, "sa": sa}
    engine = create_engine("sqlite://")
    metadata = MetaData()
    Table("orders", metadata, *columns(), eval(sqlalchemy_code(spec, name_of(spec)), names))
    metadata.create_all(engine)
    assert made_by(engine) == wanted

    other = create_engine("sqlite://")
    metadata = MetaData()
    Table("orders", metadata, *columns())
    metadata.create_all(other)
    with other.begin() as connection:
        operations = Operations(MigrationContext.configure(connection))
        eval(alembic_code(spec, name_of(spec), Dialect.SQLITE), names | {"op": operations})
    assert made_by(other) == wanted
