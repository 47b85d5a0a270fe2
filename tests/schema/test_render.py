"""Catalogs as people read them."""

from __future__ import annotations

import sqlite3
from textwrap import dedent

from pytest_dbguard.schema.catalog import Catalog, Dialect, Index, IndexKey, Table
from pytest_dbguard.schema.postgres_reflection import reflect_postgres
from pytest_dbguard.schema.render import catalog_lines
from pytest_dbguard.schema.sqlite_reflection import reflect_sqlite
from tests.schema.conftest import HERE, connect, fetcher


def section(lines, title):
    """Return the lines of one table."""
    start = next(number for number, line in enumerate(lines) if line.startswith(title))
    return "\n".join(lines[start : lines.index("", start) if "" in lines[start:] else None])


def test_postgres_shows_all_that_matters_within_80_columns(nasty, kind):
    with connect(nasty(kind)) as connection:
        lines = list(catalog_lines(reflect_postgres(fetcher(connection)), rows={("public", "tree"): "1,000 rows"}))
    assert lines[0].startswith("PostgreSQL 1")
    assert ": 21 tables, 46 indexes, sorted by " in lines[0]
    assert max(map(len, lines)) <= 80
    assert section(lines, "Shop.Orders") == dedent(
        """\
        Shop.Orders, fillfactor=80
          Id        integer          not null
          customer  bigint           not null
          status    "Shop"."Status"  not null, 2 labels
          number    text
          during    tsrange
          room      integer
          primary key Orders_pkey (Id, status)
          unique Orders_number_key (number)
          exclusion no overlap (room, during) using gist where room > 0
          index Orders by Customer (customer)
          foreign key (customer) to customers (id) on delete cascade on update set null"""
    )
    assert section(lines, "events, ") == dedent(
        """\
        events, partitioned by RANGE (at)
          id        bigint  not null
          at        date    not null
          kind      text    not null
          customer  bigint
          primary key events_pkey (id, at, kind)
          index events_kind (kind, at desc)
          index events_upper (upper(kind))
          foreign key (customer) to customers (id)
          partition events_2025 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')
          partition events_2026 FOR VALUES FROM ('2026-01-01') TO (MAXVALUE)"""
    )
    assert "  index unfinished (id) INVALID" in lines
    assert "a_view, view, reads z_view, security_barrier=true" in lines
    assert "tree, 1,000 rows" in lines
    text = " ".join(" ".join(lines).split())
    assert "unique index customers_lower (lower(plain), id desc nulls last) where at IS NOT NULL" in text
    assert "unique customers_name_key (name, plain) include (at)" in text
    assert "trees, inherits plants and animals" in lines


def test_sqlite_shows_all_that_matters():
    connection = sqlite3.connect(":memory:")
    connection.executescript((HERE / "nasty_sqlite.sql").read_text())
    lines = list(catalog_lines(reflect_sqlite(fetcher(connection)), paint=lambda text, style: f"<{style}>{text}</>"))
    assert lines[0] == f"SQLite {sqlite3.sqlite_version}: 8 tables, 14 indexes"
    assert section(lines, "<bold>Orders</>, without rowid").splitlines()[-3:] == [
        "  index orders_customer (customer)",
        "  foreign key (customer) to customers (id) on delete cascade",
        "  foreign key (id, other) to Orders (id, number) on update set null",
    ]
    assert "  primary key (rowid) (id)" in lines
    assert "  index by name (Full Name collate RTRIM desc, email)" in lines
    assert "<bold>words</>, virtual table" in lines
    assert "<bold>session_rows</>, temporary" in lines


def test_long_lines_are_wrapped_and_names_never_cut():
    keys = tuple(IndexKey(f"a_rather_long_name_of_a_column_{number}") for number in range(4))
    table = Table("", "t" * 90, indexes=(Index("wide", keys),))
    lines = list(catalog_lines(Catalog(Dialect.SQLITE, tables=(table,)), width=60))
    assert "t" * 90 in lines
    wrapped = [line for line in lines if "a_rather" in line]
    assert len(wrapped) > 1
    assert all(len(line) <= 60 for line in wrapped)
    assert all(line.startswith("      ") for line in wrapped[1:])


def test_the_models_are_told_from_a_database():
    assert next(catalog_lines(Catalog(Dialect.SQLITE, source="metadata"))) == (
        "SQLite (as the models would make it): 0 tables, 0 indexes"
    )
