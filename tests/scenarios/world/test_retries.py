"""Retries, polling and work queues: loops that are right to ask again, and loops inside or around them that are not."""

from __future__ import annotations

from shop import retries
from shop.models import Job
from sqlalchemy import update


def finish(engine, pk, after):
    """Return a tick that finishes a job, from another transaction, at the nth call."""
    calls = []

    def tick():
        calls.append(pk)
        if len(calls) == after:
            with engine.begin() as connection:
                connection.execute(update(Job).where(Job.id == pk).values(state="done"))

    return tick


def test_retry_around_a_loop(session, shop):
    """A retry loop runs twice around a loop that asks."""
    assert len(retries.report_retried(session, retries.Flaky(1))) == 4


def test_loop_around_a_retry(session, shop):
    """A loop calls a function that retries within: the caller's loop owns the repetition."""
    assert len(retries.fetch_all_retried(session, [1, 2, 3, 4, 5])) == 5


def test_queue_consumer_queries(session, shop):
    """A batch is claimed at once, then each message asks for its customer."""
    assert retries.relay(session) == ["customer 0", "customer 0", "customer 1", "customer 1", "customer 2"]


def test_retry_by_hand(session, shop):
    """Read, fail, roll back, read again. # expect: none"""
    assert retries.reserve(session, "sku1", retries.Flaky(3)) == 3


def test_retry_helper(session, shop):
    """A helper calls a lambda until it succeeds. # expect: none"""
    assert retries.open_total_retried(session, retries.Flaky(3)) == 1266


def test_retry_attempts_as_context_managers(session, shop):
    """A for loop over attempts that are context managers. # expect: none"""
    assert retries.setting_retried(session, "key1", retries.Flaky(3)) == "1"


def test_polling(maker, pooled_engine):
    """A loop asks until another process is done. # expect: none"""
    with maker() as session:
        assert retries.wait_until_done(session, 1, finish(pooled_engine, 1, 4)) == 4


def test_polling_by_refresh(maker, pooled_engine):
    """A loop refreshes one row until another process is done. # expect: none"""
    with maker() as session:
        session.connection(execution_options={"isolation_level": "AUTOCOMMIT"})
        assert retries.wait_for_row(session, 1, finish(pooled_engine, 1, 3)).state == "done"


def test_queue_one_by_one(maker):
    """A worker claims a job a transaction with SKIP LOCKED. # expect: none"""
    assert retries.work_off(maker) == 6


def test_queue_in_batches(session, shop):
    """A worker claims two jobs a transaction. # expect: none"""
    assert retries.work_off_batches(session, 2) == 6


def test_compare_and_swap(session, shop):
    """Optimistic locking tries three times. # expect: none"""
    assert retries.compare_and_swap(session, 1) == 3
