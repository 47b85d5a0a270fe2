"""Threads and thread pools."""

from __future__ import annotations

from shop import parallel


def test_lazy_in_a_thread(maker):
    """The lazy loads run in a thread that the application starts."""
    names = []
    parallel.in_thread(maker, names)
    assert len(names) == 12


def test_pool_map(maker):
    """pool.map() over a function that asks for one row: a loop in parallel."""
    assert sum(parallel.prices_by_map(maker, [1, 2, 3, 4, 5, 6])) == 75


def test_pool_submit(maker):
    """pool.submit() in a comprehension, a row each."""
    assert parallel.prices_by_submit(maker, [1, 2, 3, 4, 5, 6]) == 75


def test_loop_in_a_pool(maker):
    """A loop within one task of a pool."""
    assert len(parallel.states_in_pool(maker, [1, 2, 3, 4])) == 4


def test_loaded_in_a_thread(maker):
    """Collections loaded with the query. # expect: none"""
    assert parallel.sizes(maker) == [3] * 12


def test_two_questions_in_a_pool(maker):
    """Two different statements at the same time. # expect: none"""
    assert parallel.report(maker) == (12, 6)


def test_queue_workers(maker):
    """Three workers, each claims one job a transaction. # expect: none"""
    assert parallel.run_workers(maker, 3) == 6


def test_ranges_in_a_pool(maker):
    """One aggregate split into three ranges for a pool. # expect: none"""
    assert parallel.sum_in_ranges(maker, [(1, 4), (5, 8), (9, 12)]) == 1266
