"""A lab's database is our own: no other file changes, killed runs leave nothing, text sorts as in production."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_dbguard.databases.base import StartOptions
from pytest_dbguard.databases.joined_server import JoinedServer
from pytest_dbguard.databases.registry import load_provider
from pytest_dbguard.planning.lab.base import IndexSpec, LabError, Rung
from pytest_dbguard.planning.lab.lab_collation import collation_clauses
from pytest_dbguard.planning.lab.registry import LabOptions, open_lab
from pytest_dbguard.planning.lab.relation_files import LocalFiles, ServerFiles
from pytest_dbguard.schema.catalog import Collation
from pytest_dbguard.templates.advisory_locks import held_locks
from pytest_dbguard.templates.marks import Kind, read_mark
from pytest_dbguard.templates.runs import run_lock
from tests.databases.servers import docker_api
from tests.planning.lab.shop_of_postgres import catalog_of, connect, make_shop, nodes, planned, statistics_of

BY_NOTE = "SELECT * FROM orders WHERE note = $1"
NOTE = IndexSpec("public", "orders", ("note",), ("note",))
ROOT = Path(__file__).parents[3]
KILLED = """
import sys
from sqlalchemy import make_url
from pytest_dbguard.databases.joined_server import JoinedServer
from pytest_dbguard.planning.lab.registry import LabOptions, open_lab
from tests.planning.lab.shop_of_postgres import catalog_of, connect, statistics_of

server = JoinedServer("postgres-url", make_url(sys.argv[1]), is_ours=False)
with connect(server, "shop") as connection:
    catalog = catalog_of(connection)
choice = open_lab(catalog, statistics_of(catalog), LabOptions(server=server, server_was_given=True, mode="server"))
print(choice.lab._database.name, flush=True)
sys.stdin.read()
"""


def databases(server):
    """Return our databases with the marks in their comments."""
    query = "SELECT datname, shobj_description(oid, 'pg_database') FROM pg_database WHERE datname ~ '^dbguard'"
    with connect(server) as connection:
        return dict(connection.execute(query).fetchall())


def wait_until_free(server, number):
    """Wait until the server has noticed that whoever held a lock is gone."""
    with connect(server) as connection:
        for _ in range(4000):
            if number not in held_locks(connection):
                return
            connection.execute("SELECT pg_sleep(0.005)")
    raise AssertionError("the lock is still held")


def digests(server, database):
    """Return a checksum of each file of a database, after the server has written what it holds in memory."""
    with connect(server) as connection:
        connection.execute("CHECKPOINT")
        query = "SELECT current_setting('data_directory') || '/base/' || oid FROM pg_database WHERE datname = %s"
        (directory,) = connection.execute(query, [database]).fetchone()
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(Path(directory).iterdir())}


@pytest.mark.parametrize("mode", ["auto", "server"])
def test_no_file_of_another_database_changes(shops, mode):
    server, catalog = shops(18)
    given = JoinedServer("postgres-url", server.url, is_ours=False)
    used = server if mode == "auto" else given
    before = {name: digests(server, name) for name in ("shop", "postgres", "template1")}
    options = LabOptions(server=used, server_was_given=mode == "server", mode=mode)
    lab = open_lab(catalog, statistics_of(catalog, orders=5_000_000), options).lab
    assert lab.description.rung == Rung.FORGED
    (name,) = lab.add([NOTE])
    with lab.visible(shown=[name], hidden=["orders_pkey"]), lab.at_rows("orders", 100):
        planned(lab, BY_NOTE)
        planned(lab, "DELETE FROM orders WHERE id = $1")
    lab.close()
    lab.close()
    assert {name: digests(server, name) for name in before} == before
    assert len(before["shop"]) > 100


@pytest.mark.parametrize("path", ["base/5/16384", "base/77/../5/16384", "/etc/passwd", "pg_tblspc/1/x", "base/77/1;ls"])
def test_no_path_but_those_of_the_database_is_taken(path, tmp_path):
    for files in (LocalFiles(tmp_path, 77), ServerFiles(None, 77)):
        with pytest.raises(LabError, match="does not lie in the directory of its database"):
            files.write({path: b""})
        with pytest.raises(LabError, match="does not lie in the directory of its database"):
            files.resize({path: 0})
    assert list(tmp_path.iterdir()) == []


def test_it_is_marked_while_it_is_there_and_gone_when_closed(shops):
    server, catalog = shops(18)
    lab = open_lab(catalog, statistics_of(catalog), LabOptions(server=server)).lab
    comments = databases(server)
    mark = read_mark(comments[lab._database.name])
    assert (mark.kind, lab._database.name) == (Kind.COPY, f"dbguard_{mark.run}_lab")
    with connect(server) as connection:
        assert run_lock(mark.run) in held_locks(connection)
    lab.close()
    assert lab._database.name not in databases(server)


def test_what_a_killed_run_left_is_swept_and_what_lives_is_not(shops):
    server, catalog = shops(18)
    url = server.url.render_as_string(hide_password=False)
    living = open_lab(catalog, statistics_of(catalog), LabOptions(server=server)).lab
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", KILLED, url], cwd=ROOT, **pipes) as process:
        left = process.stdout.readline().strip()
        process.kill()
    assert left in databases(server)
    wait_until_free(server, run_lock(left.split("_")[1]))
    try:
        open_lab(catalog, statistics_of(catalog), LabOptions(server=server)).lab.close()
        assert left not in databases(server)
        assert living._database.name in databases(server)
        assert nodes(living, "SELECT * FROM orders WHERE id = $1") == [("index scan", "orders", "orders_pkey")]
    finally:
        living.close()


def test_a_table_that_was_dropped_and_made_again_plans_alike(servers):
    server = servers(18)
    before = make_shop(server, "remade")
    with connect(server, "remade") as connection:
        connection.execute("DROP TABLE order_items")
        connection.execute(
            "CREATE TABLE order_items (order_id bigint REFERENCES orders (id), position int, sku text NOT NULL, "
            "PRIMARY KEY (order_id, position))"
        )
        after = catalog_of(connection)
    plans = []
    for catalog in (before, after):
        lab = open_lab(catalog, statistics_of(catalog), LabOptions(server=server)).lab
        plans.append([lab.explain(sql) for sql in (BY_NOTE, "SELECT * FROM order_items WHERE order_id = $1")])
        lab.close()
    assert plans[0] == plans[1]
    assert None not in [found.plan for found in plans[0]]


def test_settings_of_production_count_and_those_of_the_server_do_not(shops):
    server, catalog = shops(18)
    with connect(server) as connection:
        connection.execute(
            "ALTER ROLE postgres SET random_page_cost = 77; ALTER ROLE postgres SET enable_seqscan = off"
        )
    try:
        plain = open_lab(catalog, statistics_of(catalog), LabOptions(server=server)).lab
        told = {
            "work_mem": "64MB",
            "random_page_cost": "1.1",
            "nothing_of_the_kind": "on",
            "enable_hashjoin": "perhaps",
        }
        tuned = open_lab(catalog, statistics_of(catalog, settings=told), LabOptions(server=server)).lab
    finally:
        with connect(server) as connection:
            connection.execute("ALTER ROLE postgres RESET ALL")
    by_id = "SELECT * FROM orders WHERE id = $1"
    assert (planned(plain, by_id).cost, planned(tuned, by_id).cost) == (8.31, pytest.approx(2.5, abs=0.1))
    assert planned(plain, by_id).settings == ()
    assert planned(tuned, by_id).settings == (("random_page_cost", "1.1"), ("work_mem", "64MB"))
    assert tuned.description.problems == (
        "setting nothing_of_the_kind: not taken by this server",
        "setting enable_hashjoin: not taken by this server",
    )
    plain.close()
    tuned.close()


@pytest.mark.parametrize("major", [18, 15])
@pytest.mark.parametrize(
    ("collation", "serves"),
    [
        (Collation("libc", "C"), True),
        (Collation("builtin", "C.UTF-8"), True),
        (Collation("icu", "de-DE"), False),
        (Collation("libc", "xx_XX.UTF-8"), False),
    ],
)
def test_prefixes_are_served_as_production_serves_them(shops, major, collation, serves):
    server, catalog = shops(major)
    with connect(server) as connection:
        has_icu = connection.execute("SELECT FROM pg_collation WHERE collname = 'und-x-icu'").rowcount > 0
    told = collation.locale.startswith("xx") or (collation.provider == "icu" and not has_icu)
    statistics = replace(statistics_of(catalog), collation=collation)
    lab = open_lab(catalog, statistics, LabOptions(server=server)).lab
    used = "customers_email_key" in planned(lab, "SELECT * FROM customers WHERE email LIKE 'abc%'").indexes
    problems = [line for line in lab.description.problems if "collation" in line]
    lab.close()
    assert (used, bool(problems)) == (serves, told)


def test_ways_to_sort_end_with_one_that_works_everywhere(servers):
    with connect(servers(15)) as connection:
        ways = {major: collation_clauses(connection, Collation("icu", "de-DE"), major) for major in (14, 15, 17)}
    assert " LOCALE_PROVIDER icu LOCALE 'de-DE'" in ways[17][0][0]
    assert " LOCALE_PROVIDER icu ICU_LOCALE 'de-DE'" in ways[15][0][0]
    assert "PROVIDER" not in ways[14][0][0], "it has no providers for whole databases"
    assert {clauses[-2][0] for clauses in ways.values()} == {""}
    assert all(clauses[-2][1].startswith("icu collation de-DE: not on this server") for clauses in ways.values())
    assert {clauses[-1][0].removeprefix(" LOCALE_PROVIDER libc") for clauses in ways.values()} == {
        " LC_COLLATE 'C' LC_CTYPE 'C'"
    }


def test_a_server_that_refuses_its_own_way_to_sort_gets_the_next(shops, monkeypatch):
    server, catalog = shops(15)
    ways = [(" LC_COLLATE 'xx_XX' LC_CTYPE 'xx_XX'", "never"), (" LC_COLLATE 'C' LC_CTYPE 'C'", "the second")]
    monkeypatch.setattr("pytest_dbguard.planning.lab.lab_database.collation_clauses", lambda *_: ways)
    lab = open_lab(catalog, statistics_of(catalog), LabOptions(server=server)).lab
    lab.close()
    assert lab.description.problems == ("the second",)


def test_pages_carry_checksums_where_the_server_wants_them(monkeypatch, tmp_path):
    flags = "pytest_dbguard.databases.postgres_flags.layout_arguments"
    monkeypatch.setattr(flags, lambda _major: ["--wal-segsize=1", "--data-checksums"])
    replica = {"fsync": "off", "wal_level": "replica", "synchronous_commit": "off"}
    monkeypatch.setattr("pytest_dbguard.databases.server_process.server_settings", lambda _major: replica)
    server = load_provider("postgres-embedded").launch(StartOptions(cache_mb=0)).ready()
    try:
        catalog = make_shop(server)
        given = JoinedServer("postgres-url", server.url, is_ours=False)
        options = LabOptions(server=given, server_was_given=True, mode="server")
        lab = open_lab(catalog, statistics_of(catalog, orders=200_000_000), options).lab
        (name,) = lab.add([NOTE])
        with lab.visible(shown=[name]):
            assert name in planned(lab, BY_NOTE).indexes
        with lab.at_rows("orders", 10):
            assert nodes(lab, BY_NOTE) == [("sequential scan", "orders", "")]
        with connect(server, lab._database.name) as connection:
            assert connection.execute("SHOW data_checksums").fetchone() == ("on",)
            connection.execute("CREATE EXTENSION amcheck")
            checked = "SELECT bt_index_check('ix_orders_customer'), bt_index_check('customers_pkey')"
            assert connection.execute(f"{checked}, (SELECT count(*) FROM customers)").fetchone()[2] == 0
        lab.close()
    finally:
        server.close()


def test_in_a_container_the_server_itself_writes_the_files(monkeypatch):
    docker_api()
    server = load_provider("postgres-container").launch(StartOptions()).ready()
    try:
        catalog = make_shop(server)
        lab = open_lab(catalog, statistics_of(catalog, orders=200_000_000), LabOptions(server=server)).lab
        assert lab.description.reason == (
            f"forged files on postgres-container {server.version}, which dbguard started for the tests"
        )
        (name,) = lab.add([NOTE])
        with lab.visible(shown=[name]), lab.at_rows("orders", 2_000_000):
            assert name in planned(lab, BY_NOTE).indexes
        assert name not in planned(lab, BY_NOTE).indexes
        lab.close()
        assert databases(server) == {}
    finally:
        server.close()
