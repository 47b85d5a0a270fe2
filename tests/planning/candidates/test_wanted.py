"""What is proposed for facts that are written by hand: which index, and what it is for."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

import pytest

from pytest_dbguard.planning.assessment import Purpose
from pytest_dbguard.planning.candidates.wanted import wanted
from pytest_dbguard.planning.statistics.model import ColumnStatistics, Origin, Statistics, TableStatistics
from pytest_dbguard.schema.catalog import Dialect, ForeignKey, IndexKey
from pytest_dbguard.sql.facts.model import Alternative, Join, SortKey, StatementFacts, TermKind, Wrapping
from tests.planning.candidates.tables import catalog, column, equal, facts, index, scan, table, term

ORDERS = table(
    "orders",
    "city",
    "name",
    "at",
    "customer_id",
    column("status", "text"),
    column("active", "boolean"),
    column("data", "jsonb"),
    column("code", "character varying(20)"),
    indexes=(index("ix_status", "status"), index("ix_orders_name_at", "name", "at")),
)
CUSTOMER = table("customer", "region")
AT = SortKey("at", "at", descending=True)


def specs(scans, *, statistics=None, dialect=Dialect.POSTGRESQL, joins=(), locale="en_US.UTF-8"):
    made = catalog(ORDERS, CUSTOMER, dialect=dialect, locale=locale)
    return [(w.spec.table, w.spec.keys, w.purpose) for w in wanted(facts(*scans, joins=joins), made, statistics)]


def of(*terms, **more):
    return specs([scan("orders", *terms)], **more)


def test_equality():
    assert of(equal("city")) == [("orders", ("city",), Purpose.FILTER)]


def test_what_is_not_analysed_wants_nothing():
    assert wanted(StatementFacts(problem="not SQL"), catalog(ORDERS), None) == ()


def test_a_table_that_is_not_in_the_catalog():
    assert specs([scan("unknown", equal("city"))]) == []


@pytest.mark.parametrize(
    "terms",
    [
        [equal("id")],
        [term("id", TermKind.LIST)],
        [equal("name"), equal("city")],
        [equal("status"), equal("city")],
        [equal("active")],
        [term("city", TermKind.NULL)],
        [term("city", TermKind.OTHER, operator="<>")],
        [equal("data")],
        [equal("name"), term("at", TermKind.RANGE)],
        [],
    ],
)
def test_silent(terms):
    assert of(*terms) == []


def test_kinds_and_states_behind_other_columns_of_an_index():
    made = table("t", "a", column("kind", "text"), column("state", "text"), column("level", "integer"))
    keyed = replace(made, indexes=(*made.indexes, index("ix_a", "a", "kind"), index("ix_b", "a", "state")))
    found = {name: wanted(facts(scan("t", equal(name))), catalog(keyed), None) for name in ("kind", "state", "level")}
    assert [name for name, specs in found.items() if specs] == ["kind"]


def test_equality_comes_before_a_range_and_flags_are_left_out():
    terms = [equal("active"), term("at", TermKind.RANGE), equal("city")]
    assert of(*terms) == [("orders", ("city", "at"), Purpose.FILTER)]


def test_a_range_alone_is_marked():
    made = wanted(facts(scan("orders", term("at", TermKind.RANGE))), catalog(ORDERS), None)
    assert [(w.spec.keys, w.is_range_only) for w in made] == [(("at",), True)]


def small(rows, **more):
    return Statistics((TableStatistics("public", "orders", rows, **more),))


def test_small_tables_want_nothing():
    assert of(equal("city"), statistics=small(499)) == []
    assert of(equal("city"), statistics=small(500)) != []


def test_keys_of_short_lists_are_few():
    key = ForeignKey("fk", ("city",), "public", "kind", ("id",))
    made = catalog(replace(ORDERS, foreign_keys=(key,)))
    given = facts(scan("orders", equal("city")))
    found = {n: wanted(given, made, small(100_000, columns=(ColumnStatistics("city", n),))) for n in (20, 200)}
    assert [number for number, specs in found.items() if specs] == [200]


def test_production_knows_that_an_index_finds_too_much():
    columns = (ColumnStatistics("status", 3), ColumnStatistics("city", 5_000))
    known = small(1_000_000, columns=columns, origin=Origin.PRODUCTION)
    assert of(equal("status"), equal("city"), statistics=known) == [("orders", ("city",), Purpose.FILTER)]


def test_production_knows_which_column_tells_more():
    columns = (ColumnStatistics("city", 50), ColumnStatistics("customer_id", -0.5))
    known = small(1_000_000, columns=columns, origin=Origin.PRODUCTION)
    assert of(equal("city"), equal("customer_id"), statistics=known)[0][1] == ("customer_id", "city")


def test_order_and_limit():
    ordered = scan("orders", order=(AT,), has_limit=True)
    assert specs([ordered]) == [("orders", ("at",), Purpose.SORT)]
    assert specs([scan("orders", order=(AT,))]) == []


def test_order_with_a_filter():
    assert specs([scan("orders", equal("city"), order=(AT,), has_limit=True)])[0][1] == ("city", "at")
    assert specs([scan("orders", term("city", TermKind.LIST), order=(AT,), has_limit=True)])[0][1] == ("city",)
    assert specs([scan("orders", equal("name"), order=(AT,), has_limit=True)]) == []


@pytest.mark.parametrize(
    ("terms", "keys"),
    [
        ([term("city", TermKind.RANGE)], ("city",)),
        ([term("at", TermKind.RANGE)], ("at",)),
        ([equal("city"), term("at", TermKind.RANGE)], ("city", "at")),
        ([equal("city"), term("customer_id", TermKind.RANGE)], ("city", "at")),
        ([equal("city"), equal("customer_id"), equal("code")], ("city", "customer_id", "code")),
    ],
)
def test_an_order_behind_what_is_filtered(terms, keys):
    assert [each[1] for each in specs([scan("orders", *terms, order=(AT,), has_limit=True)])] == [keys]


@pytest.mark.parametrize(("distinct", "keys"), [(4, [("status", "at")]), (50_000, [])])
def test_production_decides_whether_many_rows_are_left_to_sort(distinct, keys):
    columns = (ColumnStatistics("status", distinct),)
    known = small(1_000_000, columns=columns, origin=Origin.PRODUCTION)
    found = specs([scan("orders", equal("status"), order=(AT,), has_limit=True)], statistics=known)
    assert [each[1] for each in found] == keys


def test_the_name_of_a_status_tells_that_many_rows_are_left_to_sort():
    found = specs([scan("orders", equal("status"), order=(AT,), has_limit=True)])
    assert found == [("orders", ("status", "at"), Purpose.SORT)]


def test_order_of_what_is_not_deleted_is_a_partial_index():
    ordered = scan("orders", term("city", TermKind.NULL), order=(AT,), has_limit=True)
    made = wanted(facts(ordered), catalog(ORDERS), None)
    assert [(w.spec.keys, w.spec.predicate) for w in made] == [(("at",), "city IS NULL")]


@pytest.mark.parametrize(
    ("order", "dialect", "keys"),
    [
        ((SortKey("at", "at"), SortKey("city", "city", descending=True)), Dialect.POSTGRESQL, ("at", "city DESC")),
        ((SortKey("at", "at", descending=True, nulls_first=False),), Dialect.POSTGRESQL, ("at DESC NULLS LAST",)),
        ((SortKey("at", "at"), SortKey("id", "id")), Dialect.POSTGRESQL, ("at",)),
        ((SortKey("at", "at", nulls_first=False),), Dialect.SQLITE, None),
        ((SortKey(None, "lower(city)"),), Dialect.POSTGRESQL, None),
    ],
)
def test_directions(order, dialect, keys):
    found = specs([scan("orders", order=order, has_limit=True)], dialect=dialect)
    assert [each[1] for each in found] == ([keys] if keys else [])


def queue(dialect):
    columns = (column("status", "text"), "priority", "at")
    made = table("queue", *columns)
    rowid = index("", "id", is_unique=True, is_primary=True, is_constraint=True)
    return replace(made, indexes=(rowid,)) if dialect is Dialect.SQLITE else made


@pytest.mark.parametrize(
    ("order", "dialect", "keys"),
    [
        ("priority DESC, id", Dialect.POSTGRESQL, ("status", "priority DESC", "id")),
        ("priority DESC, id DESC", Dialect.POSTGRESQL, ("status", "priority", "id")),
        ("at DESC, id", Dialect.POSTGRESQL, ("status", "at")),
        ("priority DESC, at, id", Dialect.POSTGRESQL, ("status", "priority DESC", "at")),
        ("priority, id", Dialect.SQLITE, ("status", "priority")),
        ("priority DESC, id", Dialect.SQLITE, ("status", "priority DESC")),
        ("priority, id DESC", Dialect.SQLITE, ("status", "priority DESC")),
        ("priority DESC, id DESC", Dialect.SQLITE, ("status", "priority")),
        ("priority DESC, at, id", Dialect.SQLITE, ("status", "priority DESC", "at")),
    ],
)
def test_a_primary_key_at_the_end_of_an_order(order, dialect, keys):
    wishes = tuple(
        SortKey(name, name, descending=bool(turned))
        for name, _, turned in (e.partition(" ") for e in order.split(", "))
    )
    given = facts(scan("queue", equal("status"), order=wishes, has_limit=True))
    (made,) = wanted(given, catalog(queue(dialect), dialect=dialect), None)
    assert made.spec.keys == keys
    if dialect is Dialect.SQLITE:
        lite = sqlite3.connect(":memory:")
        lite.execute("CREATE TABLE queue (id INTEGER PRIMARY KEY, status, priority, at, note)")
        lite.execute(f"CREATE INDEX i ON queue ({', '.join(keys)})")
        plan = lite.execute(f"EXPLAIN QUERY PLAN SELECT * FROM queue WHERE status = 1 ORDER BY {order} LIMIT 1")
        assert [row[3] for row in plan] == ["SEARCH queue USING INDEX i (status=?)"]


def test_an_index_in_the_other_direction_yields_the_order():
    made = table("t", "a", indexes=(index("down", IndexKey("a", descending=True, nulls_first=True)),))
    for order in (SortKey("a", "a"), SortKey("a", "a", descending=True)):
        assert wanted(facts(scan("t", order=(order,), has_limit=True)), catalog(made), None) == ()
    last = SortKey("a", "a", descending=True, nulls_first=False)
    assert wanted(facts(scan("t", order=(last,), has_limit=True)), catalog(made), None) != ()


def join(name, alias, other, **more):
    return term(name, TermKind.JOIN, other=(alias, other), operand="column", **more)


def test_a_join_needs_an_index_on_the_side_that_is_gone_to():
    customer = scan("customer", equal("id"), join("id", "orders", "customer_id"))
    orders = scan("orders", join("customer_id", "customer", "id"))
    assert specs([orders, customer]) == [("orders", ("customer_id",), Purpose.JOIN)]


def test_a_join_to_a_primary_key_needs_none():
    customer = scan("customer", join("id", "orders", "customer_id"), equal("region"))
    orders = scan("orders", join("customer_id", "customer", "id"), equal("name"))
    assert specs([orders, customer]) == []


def test_the_way_with_the_fewest_new_indexes():
    customer = scan("customer", join("id", "orders", "customer_id"), equal("region"))
    orders = scan("orders", join("customer_id", "customer", "id"), equal("city"))
    assert specs([orders, customer]) == [("orders", ("city",), Purpose.FILTER)]


def test_a_whole_join_is_read_by_loops_in_sqlite_only():
    customer = scan("customer")
    orders = scan("orders", join("customer_id", "customer", "id"), is_outer=True)
    assert specs([customer, orders]) == []
    assert specs([customer, orders], dialect=Dialect.SQLITE) == [("orders", ("customer_id",), Purpose.JOIN)]


def test_what_runs_for_each_row_of_an_outer_query():
    inner = scan("orders", join("customer_id", "customer", "id", other_query=0), query=1, is_once=True)
    assert specs([scan("customer"), inner]) == [("orders", ("customer_id",), Purpose.JOIN)]
    semi = Join("customer", "orders", "semi", (("id", "customer_id"),), left_query=0, right_query=1)
    assert specs([scan("customer"), inner], joins=(semi,)) == []
    assert specs([scan("customer", equal("id")), inner], joins=(semi,)) != []


def choice(*branches, is_of_one_scan=True):
    return Alternative(tuple(branches), is_of_one_scan)


def test_an_or_needs_all_or_nothing():
    both = scan("orders", alternatives=(choice((equal("city"),), (equal("customer_id"),)),))
    made = wanted(facts(both), catalog(ORDERS), None)
    assert [(w.spec.keys, w.alternative, w.group) for w in made] == [(("city",), True, 1), (("customer_id",), True, 1)]
    assert specs([scan("orders", alternatives=(choice((equal("city"),), (equal("active"),)),))]) == []
    assert specs([scan("orders", alternatives=(choice((equal("city"),), ()),))]) == []
    assert specs([scan("orders", alternatives=(choice((equal("name"),), (equal("status"),)),))]) == []
    one = scan("orders", alternatives=(choice((equal("name"),), (equal("city"),)),))
    assert [each[1] for each in specs([one])] == [("city",)]


def test_an_or_over_one_column_is_a_list():
    same = scan("orders", alternatives=(choice((equal("city"),), (equal("city"),)),))
    assert [each[1] for each in specs([same])] == [("city",)]
    open_end = scan("orders", alternatives=(choice((term("at", TermKind.NULL),), (term("at", TermKind.RANGE),)),))
    assert specs([open_end]) == []


def prefix(**more):
    return term("code", TermKind.PREFIX, pattern="prefix", operator="LIKE", **more)


def test_prefixes_need_a_class_or_a_collation():
    assert of(prefix())[0][1] == ("code varchar_pattern_ops",)
    assert of(prefix(), locale="C")[0][1] == ("code varchar_pattern_ops",)
    assert of(prefix(), dialect=Dialect.SQLITE)[0][1] == ("code COLLATE NOCASE",)
    assert of(term("code", TermKind.PREFIX, pattern="unknown")) == []


def test_the_index_that_becomes_superfluous_is_named():
    city = table("t", "city", "at", indexes=(index("ix_city", "city"),))
    columns = (ColumnStatistics("city", 4),)
    known = Statistics((TableStatistics("public", "t", 1_000_000, columns=columns, origin=Origin.PRODUCTION),))
    ordered = scan("t", equal("city"), order=(AT,), has_limit=True)
    made = wanted(facts(ordered), catalog(city), known)
    assert [(w.spec.keys, w.extends) for w in made] == [(("city", "at"), "ix_city")]


def test_a_wrapped_column_narrows_only():
    lowered = equal("code", wrapping=Wrapping.FUNCTION, expression="lower(code)")
    assert of(lowered, equal("city")) == [("orders", ("city",), Purpose.FILTER)]


def test_what_is_proposed_depends_on_no_order_of_indexes():
    turned = table("orders", "city", "name", "at", indexes=tuple(reversed(ORDERS.indexes)))
    given = facts(scan("orders", equal("city"), term("at", TermKind.RANGE)))
    assert wanted(given, catalog(turned), None) == wanted(given, catalog(ORDERS), None)
