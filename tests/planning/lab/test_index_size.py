"""What tables and indexes are computed to weigh, beside what real ones weigh."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_dbguard.planning.lab.base import IndexSize, IndexSpec
from pytest_dbguard.planning.lab.index_size import heap_pages, index_size, tree_height
from pytest_dbguard.planning.lab.relation_sizes import relation_sizes
from pytest_dbguard.planning.statistics.completion import completed
from pytest_dbguard.planning.statistics.model import ColumnStatistics, IndexStatistics, Statistics, TableStatistics
from pytest_dbguard.schema.catalog import Catalog, Column, Dialect, Index, IndexKey, RelationKind, Table
from tests.planning.lab.measured import administered, made, measure

ROWS = 60_000
TABLE = f"""CREATE TABLE facts AS SELECT n AS id, (n % 7)::smallint AS few, (n * 7919 % 5000)::int AS medium,
    n::bigint AS many,
    CASE WHEN n % 2 = 0 THEN (n % 100)::int END AS half, (n % 1000 / 4.0)::numeric(12, 2) AS price, n % 3 = 0 AS flag,
    ('user' || n * 7919 % {ROWS} || '@example.org')::varchar(80) AS email,
    ('code' || abs(hashint4(n)) % 40)::char(12) AS code,
    date '2020-01-01' + n % 2000 AS day, timestamp '2020-01-01' + n * interval '1 minute' AS at,
    CASE WHEN n % 25 = 0 THEN n::bigint END AS gone,
    md5(n::text)::uuid AS token, repeat('x', n % 200) AS note, ARRAY['t' || n % 9] AS tags
    FROM generate_series(1, {ROWS}) AS n"""
KEYS = (
    "few",
    "medium",
    "many",
    "half",
    "price",
    "flag",
    "email",
    "code",
    "day",
    "at",
    "token",
    "few, medium",
    "code, day",
    "flag, at",
    "few, gone, flag",
    "lower(email)",
)


@pytest.fixture(scope="module", params=[18, 15])
def planner(request, servers):
    """A connection to a server that all tests of labs share."""
    with administered(servers(request.param)) as connection:
        yield connection


@pytest.fixture(scope="module")
def facts(planner):
    # so that ANALYZE reads all rows, not other ones each time
    every_row = "SET default_statistics_target = 300"
    with made(planner, TABLE, "ALTER TABLE facts ADD PRIMARY KEY (id)", every_row, "VACUUM ANALYZE") as connection:
        connection.execute("CREATE EXTENSION pageinspect")
        catalog, statistics = measure(connection, values=False)
        yield connection, catalog, statistics


def real(connection, sql):
    """Return pages and height of an index, which is made for this only."""
    with connection.transaction(force_rollback=True):
        connection.execute(sql)
        pages = connection.execute("SELECT pg_relation_size('probe') / current_setting('block_size')::int").fetchone()[
            0
        ]
        return IndexSize(pages, connection.execute("SELECT level FROM bt_metap('probe')").fetchone()[0])


def spec(keys, **options):
    names = tuple(None if "(" in key else key for key in keys.split(", "))
    return IndexSpec("public", "facts", tuple(keys.split(", ")), names, **options)


def check(facts, index, sql, tolerance=0.08):
    connection, catalog, statistics = facts
    measured = real(connection, sql)
    computed = index_size(statistics.table("facts", "public"), index, catalog, major=18)
    assert computed.pages == pytest.approx(measured.pages, rel=tolerance, abs=2), (computed, measured)
    assert computed.height == measured.height


@pytest.mark.parametrize("keys", KEYS)
def test_a_tree_weighs_what_a_real_one_weighs(facts, keys):
    check(facts, spec(keys), f"CREATE INDEX probe ON facts ({keys})")


def test_unique_including_partial_and_filled_trees(facts):
    check(facts, spec("medium", include=("day", "price")), "CREATE INDEX probe ON facts (medium) INCLUDE (day, price)")
    check(facts, spec("email", is_unique=True), "CREATE UNIQUE INDEX probe ON facts (email)")
    check(facts, spec("medium", predicate="flag"), "CREATE INDEX probe ON facts (medium) WHERE flag", 0.6)
    check(facts, spec("many", predicate="half IS NULL"), "CREATE INDEX probe ON facts (many) WHERE half IS NULL")
    loose = Index("probe", (IndexKey("many"),), ddl="CREATE INDEX probe ON facts (many) WITH (fillfactor='50')")
    check(facts, loose, loose.ddl)


@pytest.mark.parametrize(
    ("method", "keys"), [("hash", "medium"), ("gin", "tags"), ("brin", "at"), ("gist", "at"), ("spgist", "note")]
)
def test_other_methods_are_of_the_right_order(facts, method, keys):
    connection, catalog, statistics = facts
    with connection.transaction(force_rollback=True):
        connection.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
        connection.execute(f"CREATE INDEX probe ON facts USING {method} ({keys})")
        measured = connection.execute("SELECT pg_relation_size('probe') / 8192").fetchone()[0]
    computed = index_size(statistics.table("facts"), spec(keys, method=method), catalog, major=18)
    assert computed.height == 0
    assert measured / 4 <= computed.pages <= measured * 4


def test_a_table_weighs_what_its_columns_weigh(facts):
    connection, catalog, statistics = facts
    known = statistics.table("facts")
    measured = connection.execute("SELECT pg_relation_size('facts') / 8192").fetchone()[0]
    assert heap_pages(known, catalog) == measured
    assert heap_pages(replace(known, pages=0), catalog) == pytest.approx(measured, rel=0.03)
    assert heap_pages(replace(known, pages=0, rows=0), catalog) == 0


def wide(rows, **options):
    columns = (Column("id", "bigint", nullable=False), Column("name", "character varying(60)"))
    keys = (
        Index("wide_pkey", (IndexKey("id"),), is_unique=True, is_primary=True),
        Index("by_name", (IndexKey("name"),)),
    )
    table = Table("public", "wide", columns=columns, primary_key=("id",), indexes=keys, **options)
    known = TableStatistics("public", "wide", rows, columns=(ColumnStatistics("name", -0.5, average_width=24),))
    return Catalog(Dialect.POSTGRESQL, tables=(table,)), Statistics((known,))


def test_sizes_grow_with_the_rows():
    catalog, statistics = wide(0)
    known, index = statistics.tables[0], catalog.tables[0].indexes[1]
    found = [index_size(replace(known, rows=rows), index, catalog, major=16) for rows in (0, 1, 10**3, 10**6, 10**9)]
    assert found[0] == IndexSize(1, 0) and found[1] == IndexSize(2, 0)
    assert [size.pages for size in found] == sorted(size.pages for size in found)
    assert [size.height for size in found] == [0, 0, 1, 2, 3]


def test_the_height_of_a_tree_follows_from_its_pages():
    catalog, statistics = wide(10**6)
    known, index = statistics.tables[0], catalog.tables[0].indexes[0]
    for rows in (100, 10**4, 10**6, 10**8):
        size = index_size(replace(known, rows=rows), index, catalog, major=16)
        assert tree_height(size.pages, known, index, catalog) == size.height


def test_what_the_statistics_tell_counts_and_the_rest_is_computed():
    catalog, statistics = wide(10**6)
    told = IndexStatistics("wide_pkey", "wide", pages=5000, rows=990_000, height=2)
    (known,) = statistics.tables
    sizes = relation_sizes(
        catalog, Statistics((replace(known, pages=9000, all_visible=8000, indexes=(told,)),)), major=17
    )
    table, key, name = sizes
    assert (table.pages, table.rows, table.all_visible, table.height) == (9000, 10**6, 8000, None)
    assert (key.pages, key.rows, key.height, key.table) == (5000, 990_000, 2, "wide")
    assert (name.pages, name.rows) == (index_size(known, catalog.tables[0].indexes[1], catalog, major=17).pages, 10**6)
    without = relation_sizes(catalog, Statistics((replace(known, indexes=(replace(told, height=None),)),)), major=17)
    assert without[1].height == 2


def test_partitioned_tables_have_no_size_of_their_own():
    catalog, statistics = wide(10**6, kind=RelationKind.PARTITIONED)
    assert relation_sizes(catalog, statistics, major=16) == ()


def test_a_table_that_nobody_knows_has_the_default_number_of_rows():
    catalog, _ = wide(0)
    sizes = relation_sizes(catalog, completed(Statistics(default_rows=500_000), catalog), major=16)
    assert [size.rows for size in sizes] == [500_000] * 3
    assert all(size.pages > 500 for size in sizes)
