"""A lab made from the exported statistics of a full database plans as that does: the same trees at the same costs."""

from __future__ import annotations

import pytest

from pytest_dbguard.planning.lab.base import IndexSpec, Rung
from pytest_dbguard.planning.lab.candidate_indexes import Candidate, create_statement
from pytest_dbguard.planning.lab.planner_session import PlannerSession
from pytest_dbguard.planning.lab.registry import LabOptions, open_lab
from pytest_dbguard.planning.statistics.completion import completed
from pytest_dbguard.planning.statistics.export_postgres import export_postgres
from tests.planning.lab.shop_of_postgres import SHOP, catalog_of, connect, planned

ROWS = """
    INSERT INTO customers (email, name, city, status, tags, data)
        SELECT 'user' || i || '@example.org', 'Name ' || i * 7919 % 2000, 'City ' || i % 90,
               (array['open', 'paid', 'sent'])[1 + i % 3]::order_status, array['t' || i % 50, 't' || i % 77],
               jsonb_build_object('a', i % 9)
        FROM generate_series(1, 6000) i;
    INSERT INTO orders (customer_id, status, total, placed_at, note)
        SELECT 1 + i * 31 % 6000, (array['open', 'paid', 'sent', 'gone', 'gone'])[1 + i % 5]::order_status,
               i % 10000 / 7.0, timestamptz '2024-01-01' + i * interval '20 minutes',
               CASE WHEN i % 3 = 0 THEN 'note ' || i END
        FROM generate_series(1, 20000) i;
    INSERT INTO order_items SELECT o, p, 'sku' || o * p % 900 FROM generate_series(1, 9000) o, generate_series(1, 2) p;
    INSERT INTO events (at, kind)
        SELECT timestamptz '2024-01-05' + i * interval '50 minutes', 'kind' || i % 40 FROM generate_series(1, 20000) i;
    INSERT INTO audit.orders SELECT i, 1 + i % 20000, 'who' || i % 300 FROM generate_series(1, 9000) i;
    INSERT INTO documents SELECT i, 'title ' || i FROM generate_series(1, 5000) i;
    INSERT INTO invoices SELECT i, 'title ' || i, i FROM generate_series(5001, 9000) i;
    REFRESH MATERIALIZED VIEW cities;
"""
STATEMENTS = [
    "SELECT * FROM orders WHERE customer_id = $1",
    "SELECT * FROM orders WHERE customer_id = 77 ORDER BY placed_at DESC LIMIT 20",
    "SELECT * FROM orders WHERE note = $1",
    "SELECT count(*) FROM orders",
    "SELECT * FROM orders WHERE placed_at BETWEEN '2024-06-01' AND '2024-06-03'",
    "SELECT max(placed_at) FROM orders WHERE status = 'open'",
    "SELECT * FROM customers WHERE lower(email) = $1",
    "SELECT * FROM customers WHERE city = $1",
    "SELECT * FROM customers WHERE name LIKE 'Name 12%'",
    "SELECT * FROM events WHERE kind = 'kind3' AND at > '2025-02-01' AND at < '2025-03-01'",
    "SELECT * FROM events WHERE kind = $1",
    "SELECT * FROM audit.orders WHERE who = $1",
    "SELECT * FROM open_orders WHERE email = $1",
    "SELECT * FROM cities WHERE city = $1",
    "SELECT * FROM documents WHERE title = $1",
    "SELECT o.id FROM orders o JOIN order_items i ON i.order_id = o.id WHERE i.sku = $1",
    "SELECT c.city, sum(o.total) FROM customers c JOIN orders o ON o.customer_id = c.id GROUP BY c.city",
    "SELECT * FROM customers c WHERE EXISTS (SELECT FROM orders o WHERE o.customer_id = c.id AND o.total > 1000)",
    "UPDATE orders SET status = 'paid' WHERE id = $1",
    "DELETE FROM customers WHERE id = $1",
]


CANDIDATES = {
    IndexSpec("public", "orders", ("note",), ("note",)): "SELECT * FROM orders WHERE note = $1",
    IndexSpec("public", "orders", ("customer_id", "placed_at DESC"), ("customer_id", "placed_at")): (
        "SELECT * FROM orders WHERE customer_id = $1 ORDER BY placed_at DESC LIMIT 5"
    ),
    IndexSpec("public", "orders", ("total",), ("total",), predicate="status = 'paid'"): (
        "SELECT * FROM orders WHERE status = 'paid' AND total > 1400 ORDER BY total LIMIT 10"
    ),
    IndexSpec("public", "customers", ("city",), ("city",), include=("name",)): (
        "SELECT name FROM customers WHERE city = 'City 5'"
    ),
    IndexSpec("public", "events", ("kind",), ("kind",)): "SELECT * FROM events WHERE kind = $1",
    IndexSpec("audit", "orders", ("order_id",), ("order_id",), is_unique=True): (
        "SELECT * FROM orders o JOIN audit.orders a ON a.order_id = o.id WHERE o.id < 4"
    ),
}


@pytest.fixture(scope="module", params=[18, 15])
def filled(request, servers):
    """A connection to a full database, and a lab that knows nothing but its statistics."""
    server = servers(request.param)
    with connect(server) as connection:
        connection.execute("CREATE DATABASE filled")
    with connect(server, "filled") as connection:
        connection.execute(SHOP)
        connection.execute(ROWS)
        connection.execute("VACUUM (ANALYZE)")
        connection.execute("ANALYZE events")
        catalog = catalog_of(connection)
        statistics = export_postgres(lambda text: connection.execute(text).fetchall(), values=True)
        connection.prepare_threshold = None
        choice = open_lab(catalog, completed(statistics, catalog), LabOptions(server=server))
        assert (choice.lab.description.rung, choice.lab.description.problems) == (Rung.FORGED, ())
        yield connection, choice.lab
        choice.lab.close()


def real_session(connection, lab):
    return PlannerSession(connection, lab.catalog, lab.statistics.settings, is_read_only=False)


# What a GIN index says of itself in its first page is in nobody's statistics: its plans are alike, not their costs.
def test_plans_and_costs_are_those_of_the_full_database(filled):
    connection, lab = filled
    real = real_session(connection, lab)
    plans = {sql: (lab.explain(sql).plan, real.explain(sql).plan) for sql in STATEMENTS}
    assert [sql for sql, (modelled, actual) in plans.items() if modelled != actual or actual is None] == []


@pytest.mark.parametrize("spec", CANDIDATES, ids=lambda spec: f"{spec.schema}.{spec.table}-{spec.keys[0]}")
def test_candidates_do_what_the_real_index_does(filled, spec):
    connection, lab = filled
    (name,) = lab.add([spec])
    with lab.visible(shown=[name]):
        modelled = planned(lab, CANDIDATES[spec])
    with connection.transaction(force_rollback=True):
        connection.execute(create_statement(Candidate(spec, "real_index", lab.catalog.table(spec.table, spec.schema))))
        actual = real_session(connection, lab).explain(CANDIDATES[spec]).plan
    assert [node.access for node in modelled.root.walk()] == [node.access for node in actual.root.walk()]
    assert modelled.cost == pytest.approx(actual.cost, rel=0.01)
    assert name in modelled.indexes
