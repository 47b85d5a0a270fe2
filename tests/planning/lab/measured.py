"""A database with columns of many types, filled and measured, and an empty copy of it."""

from __future__ import annotations

import contextlib
import uuid

import psycopg

from pytest_dbguard.databases.connection_string import connection_string
from pytest_dbguard.planning.statistics.export_postgres import export_postgres
from pytest_dbguard.schema.postgres_reflection import reflect_postgres

SCHEMA = (
    "CREATE SCHEMA shop",
    "CREATE TYPE mood AS ENUM ('bad', 'fair', 'good')",
    "CREATE DOMAIN zip AS varchar(10)",
    """CREATE TABLE shop.things (
        gone text, id bigint PRIMARY KEY, name varchar(40), code char(8), price numeric(10, 2), day date,
        at timestamptz, is_new boolean, mood mood, tags text[], numbers int[], words tsvector, during int4range,
        data jsonb, token uuid, host inet, net cidr, place zip, area point, "Odd \\name'" text, kind int, sort int,
        half int)""",
    "ALTER TABLE shop.things DROP COLUMN gone",
    "CREATE INDEX things_lower ON shop.things (lower(name), day)",
    "CREATE INDEX things_open ON shop.things (day) WHERE is_new",
    "CREATE INDEX things_tags ON shop.things USING gin (tags)",
    "CREATE STATISTICS shop.things_kinds (ndistinct, dependencies) ON kind, sort, day FROM shop.things",
    "CREATE TABLE events (id int, at date, note text) PARTITION BY RANGE (at)",
    "CREATE TABLE events_old PARTITION OF events FOR VALUES FROM ('2020-01-01') TO ('2024-01-01')",
    "CREATE TABLE events_new PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2030-01-01')",
    "CREATE INDEX events_at ON events (at)",
    "CREATE MATERIALIZED VIEW kinds AS SELECT kind, count(*) AS times FROM shop.things GROUP BY kind",
)
ROWS = (
    """INSERT INTO shop.things SELECT n, 'Name ''\\' || n % 700, 'c' || n % 90, n % 1000 / 3.0,
        date '2020-01-01' + n % 800, timestamptz '2020-01-01' + n * interval '1 hour', n % 10 = 0,
        (ARRAY['bad', 'fair', 'good']::mood[])[1 + n % 3], ARRAY['t' || n % 5, 'u, "' || n % 7], ARRAY[n % 4, n % 6],
        to_tsvector('simple', 'word' || n % 9 || ' other'), int4range(n % 50, n % 50 + 10),
        jsonb_build_object('n', n % 3), md5(n::text)::uuid,
        ('10.0.0.' || n % 200)::inet, ('10.' || n % 20 || '.0.0/16')::cidr,
        'z' || n % 40, point(n, n), CASE WHEN n % 4 > 0 THEN 'odd' || n % 30 END, n % 12, n % 12 / 2, n / 2
        FROM generate_series(1, 6000) AS n""",
    "INSERT INTO events SELECT n, date '2020-01-01' + n % 3000, 'note ' || n % 11 FROM generate_series(1, 4000) AS n",
    "REFRESH MATERIALIZED VIEW kinds",
    "ANALYZE",
)


def fetcher(connection):
    """Return what runs one SQL text and gives its rows."""

    def fetch(sql):
        cursor = connection.execute(sql)
        return cursor.fetchall() if cursor.description else []

    return fetch


def administered(server):
    """Return a connection to a server, to make databases on it; it ends with the block."""
    return psycopg.connect(connection_string(server.url), autocommit=True)


@contextlib.contextmanager
def made(connection, *statements):
    """Make a database by statements, next to the one of a connection; yield a connection to it."""
    name = f"lab_{uuid.uuid4().hex[:8]}"
    connection.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    try:
        with psycopg.connect(f"{connection.info.dsn} dbname={name}", autocommit=True) as other:
            for statement in statements:
                other.execute(statement)
            yield other
    finally:
        connection.execute(f"DROP DATABASE {name}")


def measure(connection, *, values):
    """Return the catalog and the statistics of a database."""
    fetch = fetcher(connection)
    return reflect_postgres(fetch), export_postgres(fetch, values=values)
