"""Commits every so many rows, portions, retrying decorators, and joins inside subqueries."""

from __future__ import annotations

from shop import batches, calls

LINES = [f"line {n}" for n in range(20)]


def test_retrying_decorator_in_a_loop(session, shop):
    """A decorated function retries within, the caller loops around it."""
    assert len(batches.product_names(session, [1, 2, 3, 4])) == 4


def test_retried_lazy_loads(session, shop):
    """A retrying decorator around lazy loads in a loop."""
    assert len(batches.all_orders(session, [1])) == 12


def test_lazy_and_core(session, shop):
    """A lazy load and a Core statement in one loop."""
    assert batches.lazy_and_core(session)[0] == ("customer 0", 6)


def test_unjoined_in_a_subquery(session, shop):
    """The join is missing inside a subquery."""
    assert batches.unjoined_in_subquery(session) == [(66,)]


def test_unjoined_in_a_cte(session, shop):
    """The join is missing inside a CTE."""
    assert len(batches.unjoined_in_cte(session)) == 6


def test_commit_every_five(session):
    """A commit every five rows. # expect: none"""
    assert batches.import_lines(session, LINES, 5) == 20


def test_flush_every_five(session):
    """A flush every five rows. # expect: none"""
    assert batches.import_and_forget(session, LINES, 5) == 20


def test_buffer(session):
    """A buffer of six rows, written when it is full. # expect: none"""
    assert batches.import_buffered(session, LINES, 6) == 20


def test_delete_in_portions(session, shop):
    """DELETE of ten rows a transaction. # expect: none"""
    assert batches.delete_in_portions(session, 10) == 36


def test_retrying_decorator(session, shop):
    """A decorated function succeeds at the fourth try. # expect: none"""
    assert batches.busy_count(session, [1, 2, 3]) == 12


def test_uncorrelated_exists(session, shop):
    """EXISTS without correlation joins nothing. # expect: none"""
    assert len(batches.uncorrelated_exists(session)) == 6


def test_self_join(session, shop):
    """A table joined to its alias. # expect: none"""
    assert len(batches.self_join(session)) == 9


def test_grouped_subquery(session, shop):
    """A grouped subquery joined in WHERE. # expect: none"""
    assert len(batches.grouped_subquery(session)) == 12


def test_subquery_of_limit_one(session, shop):
    """A subquery of LIMIT 1 beside each row. # expect: none"""
    assert len(batches.limits(session)) == 12


def test_update_from(session, shop):
    """UPDATE ... FROM with a condition. # expect: none"""
    batches.update_from(session)


def test_constant_on_the_left(session, shop):
    """A condition written the other way round. # expect: none"""
    batches.filter_of_parameters(session)


def test_two_levels_loaded(session, shop):
    """Two levels of selectinload. # expect: none"""
    assert batches.nested_loaded(session) == 36


def test_subtests_fixture(session, shop, subtests):
    """One question in each of three subtests of the fixture. # expect: none"""
    for sku in ("sku1", "sku2", "sku3"):
        with subtests.test(sku=sku):
            assert calls.price(session, sku) > 10
