"""A forged lab plans as a database of that size would: costs by PostgreSQL's own formulas, indexes shown and hidden."""

from __future__ import annotations

import math
import os

import pytest

from pytest_dbguard.planning.lab.base import IndexSpec, LabError, Rung
from pytest_dbguard.planning.lab.forged_height import height_seen
from pytest_dbguard.planning.lab.relation_sizes import relation_sizes
from tests.planning.lab.shop_of_postgres import connect, nodes, planned

NOTE = IndexSpec("public", "orders", ("note",), ("note",))
BY_NOTE = "SELECT * FROM orders WHERE note = $1"
SCANNED = [("sequential scan", "orders", "")]


def database_of(lab):
    return lab._database.name


def sizes_of(lab):
    major = int(lab.description.version.partition(".")[0])
    sizes = relation_sizes(lab.catalog, lab.statistics, major=major)
    return {(size.schema, size.name): size for size in sizes}


def sequential_cost(pages, rows, filters=1):
    """Return what a sequential scan costs by the formula of PostgreSQL's own documentation of EXPLAIN."""
    return pages * 1.0 + rows * (0.01 + 0.0025 * filters)


def test_it_says_what_it_is(lab):
    description = lab.description
    assert (description.dialect, description.rung, description.skipped) == ("postgresql", Rung.FORGED, ())
    assert description.problems == ()
    assert description.reason == f"forged files on {lab._database.server.kind} {description.version}, " + (
        "which dbguard started for the tests"
    )


def test_a_table_costs_what_its_size_would(lab):
    size = sizes_of(lab)["audit", "orders"]
    plan = planned(lab, "SELECT * FROM audit.orders WHERE order_id = $1")
    assert (size.rows, plan.root.schema) == (100_000, "audit")
    assert plan.cost == pytest.approx(sequential_cost(size.pages, size.rows), rel=1e-4)


def test_a_table_of_many_files_costs_what_its_size_would(lab):
    with lab.at_rows("orders", 100_000_000):
        size = sizes_of(lab)["public", "orders"]
        assert size.pages > 4 * 131_072, "more than four files of 1 GiB"
        (scan,) = [node for node in planned(lab, "SELECT * FROM orders").root.walk() if node.table]
        assert scan.rows == pytest.approx(100_000_000, rel=1e-4)
        assert scan.total_cost == pytest.approx(sequential_cost(size.pages, size.rows, filters=0), rel=1e-4)


def test_every_tree_is_as_high_as_it_would_be(lab):
    sizes, seen = sizes_of(lab), {}
    with connect(lab._database.server, database_of(lab)) as connection:
        for table in lab.catalog.tables:
            for index in table.indexes:
                size = sizes.get((table.schema, index.name))
                if size is not None and size.height is not None and not index.predicate and index.keys[0].column:
                    seen[table.label, index.name] = (height_seen(connection, table, index), size.height)
    asked = {name: pair for name, pair in seen.items() if pair[0] is not None}
    assert {name: pair[0] for name, pair in asked.items()} == {name: pair[1] for name, pair in asked.items()}
    assert {
        ("customers", "customers_pkey"),
        ("events_2024", "events_2024_pkey"),
        ("cities", "ix_cities"),
    } <= asked.keys()
    assert {height for height, _ in asked.values()} >= {1, 2}


def test_forged_trees_are_in_order_to_postgresql(lab):
    with connect(lab._database.server, database_of(lab)) as connection, connection.transaction(force_rollback=True):
        connection.execute("CREATE EXTENSION amcheck")
        checked = connection.execute(
            "SELECT count(bt_index_check(i.indexrelid)::text) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
            "JOIN pg_am a ON a.oid = c.relam WHERE a.amname = 'btree' AND c.relkind = 'i' AND c.oid >= 16384"
        ).fetchone()
    assert checked[0] > 12


def test_nothing_of_the_size_is_written(lab):
    with connect(lab._database.server, database_of(lab)) as connection:
        apparent, data, database = connection.execute(
            "SELECT pg_relation_size('orders'), current_setting('data_directory'), pg_relation_filepath('orders')"
        ).fetchone()
    assert apparent == sizes_of(lab)["public", "orders"].pages * 8192 > 500_000_000
    assert os.stat(f"{data}/{database}").st_blocks * 512 < 100_000


def test_existing_indexes_serve(lab):
    assert nodes(lab, "SELECT * FROM orders WHERE id = $1") == [("index scan", "orders", "orders_pkey")]
    assert nodes(lab, "SELECT * FROM customers WHERE lower(email) = $1") == [
        ("index scan", "customers", "ix_customers_lower")
    ]
    assert nodes(lab, "SELECT * FROM audit.orders WHERE who = $1")[-1][2] == "ix_audit_who"
    assert nodes(lab, "SELECT * FROM customers WHERE tags @> $1::text[]")[-1][2] == "ix_customers_tags"
    assert nodes(lab, "SELECT * FROM customers WHERE city = $1")[-1][2] == "ix_customers_city"
    assert nodes(lab, "SELECT * FROM cities WHERE city = $1") == [("index scan", "cities", "ix_cities")]
    assert {index for _, _, index in nodes(lab, "SELECT * FROM open_orders WHERE email = $1")} >= {
        "customers_email_key",
        "ix_orders_customer",
    }


def test_a_partial_index_serves_only_its_condition(lab):
    recent = "SELECT * FROM orders WHERE placed_at = $1 AND status"
    assert nodes(lab, f"{recent} = 'open'")[-1][2] == "ix_orders_open"
    assert "ix_orders_open" not in {index for _, _, index in nodes(lab, f"{recent} = 'gone'")}


def test_partitions_share_the_rows_and_the_pruned_are_not_read(lab):
    every = planned(lab, "SELECT * FROM events WHERE kind = $1")
    tables = {node.table for node in every.root.walk() if node.table}
    assert tables == {"events_2024", "events_2025", "events_rest"}
    one = "SELECT * FROM events WHERE at = '2025-02-01'"
    assert nodes(lab, one)[-1][2] == "events_2025_at_idx"
    with lab.visible(hidden=["ix_events_at"]):
        assert nodes(lab, one)[-1][0] == "sequential scan"


def test_a_candidate_is_seen_only_while_it_is_shown(lab):
    before = planned(lab, BY_NOTE)
    (name,) = lab.add([NOTE])
    assert planned(lab, BY_NOTE) == before
    with lab.visible(shown=[name]):
        after = planned(lab, BY_NOTE)
        assert name in after.indexes
        assert after.cost < before.cost / 10
        with lab.visible(shown=[name], hidden=["ix_orders_customer"]):
            assert name in planned(lab, BY_NOTE).indexes
        assert name in planned(lab, BY_NOTE).indexes
    assert planned(lab, BY_NOTE) == before
    assert lab.add([NOTE]) == (name,)


def test_a_block_that_fails_leaves_things_as_they_were(lab):
    (name,) = lab.add([NOTE])
    before = planned(lab, BY_NOTE)
    with pytest.raises(ZeroDivisionError), lab.visible(shown=[name]), lab.at_rows("orders", 10):
        raise ZeroDivisionError
    assert planned(lab, BY_NOTE) == before


def test_an_existing_index_is_hidden_for_a_while_by_its_name_along_the_path(lab):
    by_id = "SELECT * FROM {} WHERE id = $1"
    with lab.visible(hidden=["orders_pkey"]):
        assert nodes(lab, by_id.format("public.orders"))[0][0] != "index scan"
        assert nodes(lab, by_id.format("audit.orders")) == [("index scan", "orders", "orders_pkey")]
    with lab.visible(hidden=["audit.orders_pkey"]):
        assert nodes(lab, by_id.format("public.orders")) == [("index scan", "orders", "orders_pkey")]
        assert nodes(lab, by_id.format("audit.orders"))[0][0] == "sequential scan"
    assert nodes(lab, by_id.format("audit.orders")) == [("index scan", "orders", "orders_pkey")]


def test_a_candidate_of_partitions_goes_by_its_own_name(lab):
    (name,) = lab.add([IndexSpec("public", "events", ("kind",), ("kind",))])
    with lab.visible(shown=[name]):
        plan = planned(lab, "SELECT * FROM events WHERE kind = $1")
    assert plan.indexes == {name}
    assert not [node.text for node in plan.root.walk() if node.index and name not in node.text]
    assert lab.size_of(name).pages > 300


def test_candidates_of_all_kinds(lab):
    specs = [
        IndexSpec("public", "customers", ("upper(name)",), (None,)),
        IndexSpec("public", "customers", ("name text_pattern_ops", "city DESC"), ("name", "city")),
        IndexSpec("public", "orders", ("total",), ("total",), predicate="status = 'paid'"),
        IndexSpec("public", "customers", ("data jsonb_path_ops",), ("data",), method="gin"),
        IndexSpec("audit", "orders", ("order_id",), ("order_id",), include=("who",), is_unique=True),
    ]
    upper, pattern, partial, gin, unique = lab.add(specs)
    with lab.visible(shown=[upper, pattern, partial, gin, unique]):
        used = {
            upper: "SELECT * FROM customers WHERE upper(name) = $1",
            pattern: "SELECT * FROM customers WHERE name LIKE 'abc%'",
            partial: "SELECT * FROM orders WHERE total = $1 AND status = 'paid'",
            gin: "SELECT * FROM customers WHERE data @> $1::jsonb",
            unique: "SELECT who FROM audit.orders WHERE order_id = $1",
        }
        assert {name: name in planned(lab, sql).indexes for name, sql in used.items()} == dict.fromkeys(used, True)
    (whole,) = lab.add([IndexSpec("public", "orders", ("total",), ("total",))])
    assert lab.size_of(partial).pages < lab.size_of(whole).pages / 2
    assert lab.size_of(whole).height == 2


def test_expressions_of_candidates_have_as_many_values_as_their_columns(lab):
    by_name = "SELECT * FROM customers WHERE upper(email) = $1"
    (name,) = lab.add([IndexSpec("public", "customers", ("upper(email)",), (None,))])
    assert planned(lab, by_name).root.rows == 5_000, "what is taken of an expression that nobody knows"
    with lab.visible(shown=[name]):
        assert (planned(lab, by_name).indexes, planned(lab, by_name).root.rows) == ({name}, 1)
        with lab.at_rows("customers", 5_000):
            assert planned(lab, by_name).root.rows == 1


def test_what_cannot_be_made_is_refused(lab):
    refused = [
        IndexSpec("public", "nowhere", ("id",), ("id",)),
        IndexSpec("public", "orders", ("nothing",), ("nothing",)),
        IndexSpec("public", "open_orders", ("note",), ("note",)),
        IndexSpec("public", "customers", ("data",), ("data",), method="nothing"),
    ]
    total = IndexSpec("public", "orders", ("total", "id"), ("total", "id"))
    *none, name = lab.add([*refused, total])
    assert none == ["", "", "", ""]
    assert lab.size_of(name).pages > 100, "one that can be made among others that cannot"
    for call in (lambda: lab.size_of("nothing"), lambda: lab.at_rows("nothing", 1).__enter__()):
        with pytest.raises(LabError, match="`nothing`"):
            call()
    for names in ({"shown": ["nothing"]}, {"hidden": ["nothing"]}, {"shown": ["orders_pkey"]}):
        with pytest.raises(LabError), lab.visible(**names):
            pass


def test_other_numbers_of_rows_for_a_while(lab):
    (name,) = lab.add([NOTE])
    before, size = planned(lab, BY_NOTE), lab.size_of(name)
    costs = {}
    with lab.visible(shown=[name]):
        for rows in (20, 2_000, 50_000_000):
            with lab.at_rows("orders", rows):
                costs[rows] = (name in planned(lab, BY_NOTE).indexes, lab.size_of(name).height)
                assert lab.statistics.table("orders", "public").rows == rows
    assert [costs[20], costs[2_000][0], costs[50_000_000][0]] == [(False, 0), True, True]
    assert costs[50_000_000][1] >= 2
    assert (planned(lab, BY_NOTE), lab.size_of(name)) == (before, size)


def test_rows_of_a_partitioned_table_are_those_of_its_partitions(lab):
    def rows():
        plan = planned(lab, "SELECT * FROM events")
        return sum(node.rows for node in plan.root.walk() if node.table)

    before = rows()
    with lab.at_rows("events", 300):
        assert math.isclose(rows(), 300, abs_tol=3)
    assert rows() == before == pytest.approx(3_000_000, rel=0.01)


def test_every_kind_of_statement_is_planned_and_none_runs(lab):
    statements = {
        "INSERT INTO orders (customer_id, status, total, placed_at) VALUES ($1, 'open', $2, now())": set(),
        "UPDATE orders SET status = 'paid' WHERE id = $1": {"orders_pkey"},
        "DELETE FROM orders WHERE id = ANY($1::bigint[])": {"orders_pkey"},
        "WITH gone AS (DELETE FROM orders WHERE id = $1 RETURNING id) SELECT * FROM gone;": {"orders_pkey"},
        "INSERT INTO cities SELECT 1": None,
        "SELECT '$1', '%s', $$ $7 $$ FROM orders WHERE id = $1::BIGINT FOR UPDATE": {"orders_pkey"},
        "SELECT '$3' FROM orders WHERE id = 5 -- $4": {"orders_pkey"},
        "SELECT pg_sleep(10000)": set(),
        "SELECT count($2), json_build_object($3, $4), '$3' FROM orders WHERE id = $1": {"orders_pkey"},
    }
    for sql, indexes in statements.items():
        found = lab.explain(sql)
        assert (None if found.plan is None else set(found.plan.indexes)) == indexes, (sql, found.problem)


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("SELECT * FROM nowhere WHERE id = $1", 'relation "nowhere" does not exist'),
        ("SELECT nothing FROM orders", 'column "nothing" does not exist'),
        ("SELECT * FROM orders WHERE id = 'secret'", "invalid text representation"),
        ("SELECT 'secret", "syntax error"),
        ("SELECT * FROM orders WHERE note = 'x' 'secret'", "syntax error"),
        ("SELECT 1; DROP TABLE audit.orders", "read only sql transaction"),
        ("SELECT '\udcff secret'", "its text is not UTF-8"),
        ("SELECT '\0 secret'", "syntax error"),
        ("", "syntax error"),
        ("CALL nothing($1)", "syntax error"),
        ("SELECT count($1) FROM nowhere", 'relation "nowhere" does not exist'),
    ],
)
def test_what_the_planner_refuses_is_told_without_values(lab, sql, told):
    found = lab.explain(sql)
    assert found.plan is None
    assert told in found.problem
    assert "secret" not in found.problem
    assert nodes(lab, "SELECT * FROM audit.orders WHERE id = $1"), "it goes on"


def test_sets_of_candidates_one_after_the_other(lab):
    names = lab.add([NOTE, IndexSpec("public", "orders", ("total",), ("total",))])
    before = planned(lab, BY_NOTE)
    lab.show(names)
    with_both = planned(lab, BY_NOTE)
    lab.show(names[1:])
    assert planned(lab, BY_NOTE) == before
    lab.show(names[:1])
    assert planned(lab, BY_NOTE) == with_both != before
    with pytest.raises(LabError):
        lab.show(["dbguard_candidate_9999"])
    lab.show(())
    assert planned(lab, BY_NOTE) == before
