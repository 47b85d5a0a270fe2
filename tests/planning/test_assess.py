"""Assessments with a scripted planner: verdicts, order, limits of time and number, and what is counted."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from pytest_dbguard.core.findings import Shape
from pytest_dbguard.planning import assess as module
from pytest_dbguard.planning.assess import NO_TIME, TOO_MANY, assess
from pytest_dbguard.planning.assessment import Basis, Obstacle, Purpose, Unusable, Wanted
from pytest_dbguard.planning.plan import Access, Node
from pytest_dbguard.planning.statements import NO_TEXT, Prepared, Variant
from pytest_dbguard.planning.statistics.model import ColumnStatistics, Origin, Statistics, TableStatistics
from pytest_dbguard.planning.workload import Exemplar, Use, Workload, WorkloadStatement
from pytest_dbguard.schema.catalog import Catalog, Dialect, ForeignKey, Table
from pytest_dbguard.sql.facts.model import Scan, SortKey, StatementFacts, Term, TermKind
from tests.planning.scripted_lab import ScriptedLab, index_on, orders, plan_of, scan_of, sizes

CITY = Term("city", TermKind.EQUAL, expression="city")
TOTAL = Term("city", TermKind.RANGE, expression="city")
CATALOG = Catalog(Dialect.POSTGRESQL, tables=(orders(),))
CATALOG_OF_SQLITE = Catalog(Dialect.SQLITE, tables=(orders(),))
A = "orders(city)"
SORT = Node(Access.SORT, "USE TEMP B-TREE FOR ORDER BY")


def want(*columns, purpose=Purpose.FILTER, terms=(CITY,), **more):
    return Wanted(index_on("orders", *columns), purpose, "orders", terms=terms, **more)


def variant(sql="q", wanted=(), unusable=()):
    return Variant(sql, StatementFacts((Scan("orders", "orders"),)), tuple(wanted), tuple(unusable))


def statement(shape="a", verb="SELECT"):
    return WorkloadStatement(Shape(shape, "SELECT"), Exemplar("q", "qmark"), (Use(None, 1, ("t",)),), verb)


def planner(costs, **given):
    """A lab whose plans cost what the cheapest visible index makes them cost; "" is the cost without any."""

    def script(sql, shown, rows):
        found = costs.get(sql) if isinstance(next(iter(costs.values())), dict) else costs
        if found is None:
            return None
        name = min((each for each in found if not each or each in shown), key=lambda each: found[each])
        return plan_of(scan_of("orders", found[name], index=name), cost=found[name])

    lab = ScriptedLab(script, catalog=CATALOG, **given)
    lab.statistics = sizes(orders=50_000)
    return lab


@pytest.fixture
def given(monkeypatch):
    """Lets a test say what is understood of each statement, by shape id."""
    known = {}

    class Understanding:
        def __init__(self, catalog, statistics): ...

        def prepare(self, statement):
            return known.get(statement.shape.id) or Prepared(statement, problem=NO_TEXT)

    monkeypatch.setattr(module, "Reader", Understanding)
    monkeypatch.setattr(module, "completed", lambda statistics, catalog: statistics)
    return known


def assessed(given, lab, *variants, catalog=CATALOG, **more):
    """The one statement that has these variants, assessed."""
    one = statement()
    given["a"] = Prepared(one, variants)
    [found] = assess(Workload("s", (one,)), catalog, Statistics(), lab, **more).statements
    return found


def helping(found):
    return [wanted.spec.keys for wanted, verdict in found.wanted if verdict.helps]


def test_a_verdict(given):
    found = assessed(given, planner({"": 1000.0, A: 8.0}), variant(wanted=[want("city")]))
    [(_, verdict)] = found.wanted
    assert (verdict.helps, verdict.basis, verdict.rows) == (True, Basis.MODELLED, 50_000)
    assert (verdict.cost_before, verdict.cost_after) == (1000.0, 8.0)
    assert (verdict.plan_before.cost, verdict.plan_after.indexes) == (1000.0, {A})
    assert verdict.size.pages == 271
    assert found.plan.cost == 1000.0
    assert found.problem == ""


def test_production_proves(given):
    lab = planner({"": 1000.0, A: 8.0})
    lab.statistics = Statistics((TableStatistics("", "orders", 7e6, origin=Origin.PRODUCTION),))
    [(_, verdict)] = assessed(given, lab, variant(wanted=[want("city")])).wanted
    assert (verdict.basis, verdict.rows) == (Basis.PROVEN, 7e6)


def test_refuted(given):
    [(_, verdict)] = assessed(given, planner({"": 10.0, A: 9.5}), variant(wanted=[want("city")])).wanted
    assert (verdict.helps, verdict.pays_from_rows) == (False, None)


def test_without_a_lab_nobody_is_asked(given):
    found = assessed(given, None, variant(wanted=[want("city")]), no_lab="no server")
    [(_, verdict)] = found.wanted
    assert (verdict.helps, verdict.basis, verdict.rows, found.plan) == (True, Basis.STATIC, None, None)


def test_what_the_planner_refuses_is_static_and_counted(given):
    one = statement()
    given["a"] = Prepared(one, (variant("other", wanted=[want("city")]),))
    done = assess(Workload("s", (one,)), CATALOG, Statistics(), planner({"q": {"": 1.0}}))
    assert done.statements[0].wanted[0][1].basis is Basis.STATIC
    assert done.not_analysed == {"the planner refused it": 1}


def test_an_or_needs_all_or_none(given):
    pair = [want("city", group=1, alternative=True), want("id", group=1, alternative=True)]

    def script(sql, shown, rows):
        names = sorted(shown)
        cost = 10.0 if len(shown) == 2 else 1000.0
        return plan_of(*(scan_of("orders", cost, index=name) for name in names), cost=cost)

    lab = ScriptedLab(script, catalog=CATALOG)
    assert len(helping(assessed(given, lab, variant(wanted=pair)))) == 2
    assert {asked for _, asked in lab.asked} == {frozenset(), frozenset({A, "orders(id)"})}
    assert helping(assessed(given, planner({"": 1000.0, A: 999.0}), variant(wanted=pair))) == []


def test_what_helps_one_variant_helps(given):
    costs = {"new": {"": 1000.0, A: 999.0}, "old": {"": 1000.0, A: 8.0}}
    variants = [variant(sql, wanted=[want("city")]) for sql in costs]
    found = assessed(given, planner(costs), *variants)
    assert helping(found) == [("city",)]
    assert len(found.wanted) == 1


def test_a_range_of_unknown_width_is_asked_for_a_narrow_one(given):
    sql = "SELECT 1 FROM orders WHERE city > $1"
    narrow = "SELECT 1 FROM orders WHERE (city > $1 AND city < $1)"
    costs = {sql: {"": 1000.0, A: 1000.0}, narrow: {"": 1000.0, A: 50.0}}
    wanted = want("city", terms=(TOTAL,), is_range_only=True)
    [(_, verdict)] = assessed(given, planner(costs), variant(sql, [wanted])).wanted
    assert (verdict.helps, verdict.is_assumed, verdict.cost_after) == (True, True, 50.0)
    assert not verdict.plan_before.indexes
    costs[narrow] = {"": 1000.0, A: 990.0}
    [(_, verdict)] = assessed(given, planner(costs), variant(sql, [wanted])).wanted
    assert (verdict.helps, verdict.is_assumed) == (False, False)


@pytest.mark.parametrize(("cost", "helps"), [(840.0, False), (400.0, True)])
def test_an_index_for_a_range_must_save_half(given, cost, helps):
    wanted = want("city", terms=(TOTAL,), is_range_only=True)
    found = assessed(given, planner({"": 1000.0, A: cost}), variant(wanted=[wanted]))
    assert bool(helping(found)) is helps
    assert helping(assessed(given, planner({"": 1000.0, A: cost}), variant(wanted=[want("city")]))) == [("city",)]


@pytest.mark.parametrize(("above", "helps"), [((), False), ((SORT,), True)])
def test_a_range_behind_few_values_that_are_skipped_needs_no_index(given, above, helps):
    condition = "ANY(state) AND city>?"
    text = f"SEARCH orders USING INDEX ix ({condition})"
    searched = Node(Access.INDEX, text, table="orders", index="ix", condition=(("Index Cond", condition),))

    def script(sql, shown, rows):
        return plan_of(scan_of("orders", index=A)) if shown else plan_of(searched, *above)

    lab = ScriptedLab(script, catalog=CATALOG, dialect="sqlite")
    wanted = want("city", terms=(TOTAL,), is_range_only=True)
    assert bool(helping(assessed(given, lab, variant(wanted=[wanted])))) is helps


def test_partitions_find_ranges_of_their_key(given):
    table = Table("", "orders", columns=orders().columns, partition_key="RANGE (city)")
    catalog = Catalog(Dialect.POSTGRESQL, tables=(table,))
    lab = planner({"": 1000.0, A: 8.0})
    wanted = [want("city", terms=(TOTAL,), is_range_only=True)]
    assert helping(assessed(given, lab, variant(wanted=wanted), catalog=catalog)) == []
    assert helping(assessed(given, lab, variant(wanted=wanted))) == [("city",)]


@pytest.mark.parametrize(
    ("distinct", "above", "helps"), [(8, (), False), (100, (), False), (10_000, (), True), (8, (SORT,), True)]
)
def test_an_index_in_order_ends_soon_where_values_are_few(given, distinct, above, helps):
    whole = Node(Access.INDEX, "SCAN orders USING INDEX ix", table="orders", index="ix")

    def script(sql, shown, rows):
        return plan_of(scan_of("orders", index=A)) if shown else plan_of(whole, *above)

    lab = ScriptedLab(script, catalog=CATALOG, dialect="sqlite")
    column = ColumnStatistics("city", n_distinct=distinct)
    lab.statistics = Statistics((TableStatistics("", "orders", 1e5, columns=(column,)),))
    scan = Scan("orders", "orders", order=(SortKey("id", "id"),), has_limit=True)
    limited = Variant("q", StatementFacts((scan,)), (want("city"),))
    assert helping(assessed(given, lab, limited)) == ([("city",)] if helps else [])


def hidden(spec=None, kind=TermKind.EQUAL):
    term = Term("city", kind, expression="lower(city)")
    return Unusable(Obstacle.FUNCTION, "orders", 0, "orders", term, spec=spec)


@pytest.mark.parametrize(
    ("costs", "unusable", "helps", "is_assumed"),
    [
        ({"": 1000.0, A: 8.0}, hidden(index_on("orders", "city")), True, False),
        ({"": 1000.0, A: 1000.0}, hidden(index_on("orders", "city")), False, False),
        ({"": 1000.0, A: 1000.0}, hidden(index_on("orders", "city"), TermKind.RANGE), True, True),
        ({"": 1000.0}, hidden(), True, True),
    ],
)
def test_terms_that_no_index_serves(given, costs, unusable, helps, is_assumed):
    [(_, verdict)] = assessed(given, planner(costs), variant(unusable=[unusable])).unusable
    assert (verdict.helps, verdict.is_assumed) == (helps, is_assumed)
    assert verdict.plan_before is None or verdict.plan_before.cost == 1000.0


@pytest.mark.parametrize(("rewrite", "helps"), [("city = :value", True), ("", False)])
def test_sqlite_takes_an_index_on_an_expression_or_it_is_spelt_otherwise(given, rewrite, helps):
    lab = ScriptedLab(lambda sql, shown, rows: plan_of(scan_of("orders")), catalog=CATALOG_OF_SQLITE, dialect="sqlite")
    lab.statistics = sizes(orders=50_000)
    unusable = replace(hidden(index_on("orders", "lower")), rewrite=rewrite)
    [(found, verdict)] = assessed(given, lab, variant(unusable=[unusable]), catalog=CATALOG_OF_SQLITE).unusable
    assert (verdict.helps, found.spec is None) == (helps, helps)


@pytest.mark.parametrize("rows", [100, 499])
def test_a_small_table_may_be_read(given, rows):
    lab = planner({"": 1000.0})
    lab.statistics = sizes(orders=rows)
    [(_, verdict)] = assessed(given, lab, variant(unusable=[hidden()])).unusable
    assert not verdict.helps


def test_one_term_is_told_once(given):
    lab = planner({"": 1000.0, A: 8.0, "orders(lower)": 9.0})
    both = variant(wanted=[want("city")], unusable=[hidden(index_on("orders", "lower"))])
    found = assessed(given, lab, both)
    assert (len(helping(found)), [verdict.helps for _, verdict in found.unusable]) == (1, [False])
    found = assessed(given, lab, variant(wanted=[want("city")], unusable=[hidden()]))
    assert (len(helping(found)), [verdict.helps for _, verdict in found.unusable]) == (1, [False])
    found = assessed(given, planner({"": 100.0, "orders(lower)": 1.0}), both)
    assert (helping(found), [verdict.helps for _, verdict in found.unusable]) == ([], [True])


def test_from_how_many_rows_it_pays_is_asked_once_for_an_index(given):
    def script(sql, shown, rows):
        cost, index = (8.0, A) if shown and rows >= 360 else (1000.0, "")
        return plan_of(scan_of("orders", cost, index=index), cost=cost)

    lab = ScriptedLab(script, catalog=CATALOG)
    lab.statistics = sizes(orders=50_000)
    statements = tuple(statement(name) for name in "ab")
    for one in statements:
        given[one.shape.id] = Prepared(one, (variant(one.shape.id, [want("city")]),))
    found = assess(Workload("s", statements), CATALOG, Statistics(), lab).statements
    pays = [verdict.pays_from_rows for each in found for _, verdict in each.wanted]
    assert pays[0] == pays[1]
    assert 360 <= pays[0] <= 500
    assert len([1 for sql, shown in lab.asked if sql == "b" and shown]) == 1


def test_sqlite_is_not_asked_for_sizes(given):
    lab = planner({"": 1000.0, A: 8.0}, dialect="sqlite")
    [(_, verdict)] = assessed(given, lab, variant(wanted=[want("city")])).wanted
    assert (verdict.helps, verdict.pays_from_rows) == (True, None)


def test_statements_come_by_shape_and_only_those_that_are_planned(given):
    statements = (statement("b"), statement("a", "UPDATE"), statement("c", "BEGIN"))
    done = assess(Workload("s", statements), CATALOG, Statistics(), None)
    assert [each.statement.shape.id for each in done.statements] == ["a", "b"]
    assert done.not_analysed == {NO_TEXT: 2}


def test_what_was_skipped_before_is_counted_too(given):
    done = assess(Workload("s", (statement(),), {"no catalog": 3}), CATALOG, Statistics(), None)
    assert done.not_analysed == {"no catalog": 3, NO_TEXT: 1}


def test_after_the_deadline_the_rest_is_counted(given):
    statements = tuple(statement(name) for name in "abc")
    for one in statements:
        given[one.shape.id] = Prepared(one, (variant(wanted=[want("city")]),))
    clock = itertools.count()
    lab = planner({"": 1000.0, A: 8.0})
    done = assess(Workload("s", statements), CATALOG, Statistics(), lab, deadline_s=5, clock=lambda: float(next(clock)))
    assert [len(each.wanted) for each in done.statements] == [1, 1, 0]
    assert done.not_analysed == {NO_TIME: 1}


def test_there_is_a_limit_to_the_number(given, monkeypatch):
    monkeypatch.setattr(module, "MAX_STATEMENTS", 1)
    done = assess(Workload("s", (statement("a"), statement("b"))), CATALOG, Statistics(), None)
    assert [each.problem for each in done.statements] == [NO_TEXT, TOO_MANY]


def test_keys_are_judged_by_the_query_that_the_database_asks(given):
    key = ForeignKey("fk", ("customer_id",), "", "customer", ("id",))
    table = Table("", "orders", columns=orders().columns, primary_key=("id",), foreign_keys=(key,))
    catalog = Catalog(Dialect.POSTGRESQL, tables=(table, Table("", "customer", columns=orders().columns)))
    lab = planner({'SELECT 1 FROM "orders" WHERE "customer_id" = $1': {"": 1000.0, "orders(customer_id)": 8.0}})
    [found] = assess(Workload("s"), catalog, Statistics(), lab).keys
    assert (found.key, found.spec.keys, found.verdict.helps) == (key, ("customer_id",), True)
    lab.statistics = sizes(orders=100)
    assert assess(Workload("s"), catalog, Statistics(), lab).keys == ()
