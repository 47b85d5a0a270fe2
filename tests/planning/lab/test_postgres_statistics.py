"""Statistics that are written into an empty copy: the planner's views say of it what they say of the original."""

from __future__ import annotations

import json

import pytest

from pytest_dbguard.planning.lab.postgres_statistics import inject, inject_sizes
from pytest_dbguard.planning.lab.sized_statistics import statistics_at_rows
from tests.planning.lab.measured import ROWS, SCHEMA, administered, fetcher, made, measure

PLANNED = "null_frac, avg_width, n_distinct, correlation"
VALUES = (
    "most_common_vals::text, most_common_freqs, histogram_bounds::text, most_common_elems::text,"
    " most_common_elem_freqs, elem_count_histogram"
)
RANGES = "range_length_histogram::text, range_empty_frac, range_bounds_histogram::text"
SIZES = """SELECT n.nspname, c.relname, c.relpages, c.reltuples
    FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
    WHERE n.nspname IN ('public', 'shop') AND c.relkind IN ('r', 'm', 'i') ORDER BY 1, 2"""


@pytest.fixture(scope="module", params=[18, 15])
def planner(request, servers):
    """A connection to a server that all tests of labs share."""
    with administered(servers(request.param)) as connection:
        yield connection


@pytest.fixture(scope="module")
def major(planner):
    return planner.info.server_version // 10_000


@pytest.fixture(scope="module")
def original(planner):
    with made(planner, *SCHEMA, *ROWS) as connection:
        yield connection


@pytest.fixture
def copy(planner):
    with made(planner, *SCHEMA) as connection:
        yield connection


def seen(connection, columns, where="true"):
    sql = f"""SELECT schemaname, tablename, attname, inherited, {columns} FROM pg_stats
        WHERE schemaname IN ('public', 'shop') AND {where} ORDER BY 1, 2, 3, 4"""
    return connection.execute(sql).fetchall()


def sizes(connection):
    return {(schema, name): (pages, rows) for schema, name, pages, rows in connection.execute(SIZES)}


def test_the_views_say_the_same_of_the_copy(original, copy, major):
    catalog, statistics = measure(original, values=True)
    assert inject(fetcher(copy), catalog, statistics, major=major, is_superuser=True) == ()
    columns = f"{PLANNED}, {VALUES}" + (f", {RANGES}" if major >= 17 else "")
    # of partitioned tables there is nothing but what holds for all partitions
    assert seen(copy, columns) == seen(original, columns)
    assert len(seen(copy, columns)) > 30
    measured, written = sizes(original), sizes(copy)
    assert written.keys() == measured.keys()
    assert {name: rows for name, (_, rows) in written.items()} == {name: rows for name, (_, rows) in measured.items()}


def test_slots_know_their_operators_and_collations(original, copy, major):
    catalog, statistics = measure(original, values=True)
    inject(fetcher(copy), catalog, statistics, major=major, is_superuser=True)
    fields = [f"{field}{n}" for n in range(1, 6) for field in ("stakind", "staop", "stacoll")]
    sql = f"""SELECT starelid::regclass::text, staattnum, {", ".join(fields)} FROM pg_statistic
        WHERE starelid >= 16384 ORDER BY 1, 2, stainherit"""

    def slots(connection):
        found = {}
        for table, number, *values in connection.execute(sql):
            groups = zip(values[::3], values[1::3], values[2::3], strict=True)
            # ranges are in the planner's views from 17 on
            found[table, number] = {group for group in groups if group[0] and (group[0] < 6 or major >= 17)}
        return found

    assert slots(copy) == slots(original)


def test_statistics_without_values_keep_what_is_no_value(original, copy, major):
    catalog, statistics = measure(original, values=False)
    assert inject(fetcher(copy), catalog, statistics, major=major, is_superuser=True) == ()
    assert seen(copy, PLANNED) == seen(original, PLANNED)
    assert {row[4:] for row in seen(copy, "most_common_vals::text, histogram_bounds::text")} == {(None, None)}


def test_combinations_count_in_estimates(original, copy, major):
    catalog, statistics = measure(original, values=False)
    inject(fetcher(copy), catalog, statistics, major=major, is_superuser=True)
    objects = "SELECT n_distinct::text, dependencies::text FROM pg_stats_ext WHERE statistics_name = 'things_kinds'"
    (written,), (measured,) = copy.execute(objects).fetchall(), original.execute(objects).fetchall()
    assert list(map(json.loads, written)) == list(map(json.loads, measured))
    assert all(measured)
    assert copy.execute("EXPLAIN SELECT kind, sort, count(*) FROM shop.things GROUP BY kind, sort").fetchall()
    assert copy.execute("SELECT count(*) FROM pg_cast WHERE casttarget = 'pg_ndistinct'::regtype").fetchone() == (0,)


def test_writing_again_replaces_what_was_there(original, copy, major):
    catalog, statistics = measure(original, values=True)
    inject(fetcher(copy), catalog, statistics, major=major, is_superuser=True)
    without = measure(original, values=False)[1]
    things = catalog.table("things", "shop")
    inject(fetcher(copy), catalog, statistics_at_rows(without, things, 60_000), major=major, is_superuser=True)
    rows = sizes(copy)
    assert rows["shop", "things"][1] == 60_000 and rows["shop", "things_pkey"][1] == 60_000
    assert rows["public", "events_old"][1] == sizes(original)["public", "events_old"][1]


def test_sizes_alone_are_written_for_the_tables_that_are_named(original, copy, major):
    catalog, statistics = measure(original, values=False)
    named = [("public", "events_old")]
    inject_sizes(fetcher(copy), catalog, statistics, major=major, is_superuser=True, tables=named)
    written = sizes(copy)
    assert written["public", "events_old"][1] > 0 and written["public", "events_old_at_idx"][1] > 0
    assert written["shop", "things"][1] <= 0
    assert not seen(copy, "1")


def test_what_is_not_in_the_lab_is_told_and_the_rest_written(original, copy, major):
    catalog, statistics = measure(original, values=True)
    copy.execute("DROP TABLE events CASCADE")
    copy.execute("ALTER TABLE shop.things RENAME COLUMN kind TO sort_of")
    problems = inject(fetcher(copy), catalog, statistics, major=major, is_superuser=True)
    assert "no statistics of `shop.things.kind`: it is not in the lab" in problems
    assert any("events" in problem for problem in problems)
    assert len(seen(copy, "1", "schemaname = 'shop'")) == len(seen(original, "1", "schemaname = 'shop'")) - 1


def test_values_that_do_not_fit_are_told_of_and_not_shown(original, copy, major):
    catalog, statistics = measure(original, values=True)
    # as where the schema of the tests is ahead of production's
    copy.execute("ALTER TYPE mood RENAME VALUE 'fair' TO 'so-so'")
    copy.execute("ALTER TABLE shop.things ALTER COLUMN place TYPE int USING 0")
    problems = inject(fetcher(copy), catalog, statistics, major=major, is_superuser=True)
    assert problems == tuple(
        f"not all statistics of `shop.things.{name}` could be written" for name in ("mood", "place")
    )
    assert len(seen(copy, "1")) == len(seen(original, "1"))
    written = {row[2]: row[4:] for row in seen(copy, "n_distinct, null_frac, most_common_vals", "tablename = 'things'")}
    assert written["mood"][0] == 3 and written["place"][0] == 40
    assert (
        written["name"]
        == {row[2]: row[4:] for row in seen(original, "n_distinct, null_frac, most_common_vals")}["name"]
    )


def test_the_owner_writes_from_18_on_and_nobody_before(original, copy, major):
    catalog, statistics = measure(original, values=True)
    copy.execute("DROP ROLE IF EXISTS keeper")
    copy.execute("CREATE ROLE keeper")
    for kind, name in (
        ("SCHEMA", "shop"),
        ("TABLE", "shop.things"),
        ("MATERIALIZED VIEW", "kinds"),
        ("TABLE", "events"),
    ):
        copy.execute(f"ALTER {kind} {name} OWNER TO keeper")
    for name in ("events_old", "events_new"):
        copy.execute(f"ALTER TABLE {name} OWNER TO keeper")
    copy.execute("SET ROLE keeper")
    problems = inject(fetcher(copy), catalog, statistics, major=major, is_superuser=False)
    copy.execute("RESET ROLE")
    if major >= 18:
        assert problems == ()
        assert len(seen(copy, "1")) == len(seen(original, "1"))
    else:
        assert problems == (f"statistics cannot be written: PostgreSQL {major} lets only superusers do so",)
    copy.execute("DROP OWNED BY keeper")
    copy.execute("DROP ROLE keeper")
