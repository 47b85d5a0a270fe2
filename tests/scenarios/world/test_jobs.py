"""Batch jobs, a command line, writes without a filter."""

from __future__ import annotations

from datetime import date

from shop import jobs

DAY = date(2024, 1, 5)


def test_job_commits_each_order(session, shop):
    """A job commits after each order."""
    assert jobs.close_orders(session) == 12


def test_session_for_each(maker):
    """A job opens a session and commits for each customer."""
    sent = []
    assert jobs.mail_reminders(maker, sent.append) == len(sent) == 6


def test_command_line_export(session, shop):
    """A command gets each id of its arguments."""
    assert jobs.run(session, ["export", "1", "2", "3"]) == 303


def test_update_without_where(session, shop):
    """A Core UPDATE of a whole table."""
    jobs.mark_all_read(session)


def test_delete_without_where(session, shop):
    """An ORM bulk DELETE of a whole table."""
    jobs.empty_outbox(session)


def test_text_update_without_where(session, shop):
    """text() updates a whole table."""
    jobs.reset_stock(session)


def test_query_delete_without_where(session, shop):
    """Query.delete() of a whole table."""
    assert jobs.drop_settings(session) == 5


def test_optional_filter_missing(session, shop):
    """The filter is optional and was not given."""
    jobs.cancel_jobs(session)


def test_optional_filter_given(session, shop):
    """The same function with its filter. # expect: none"""
    jobs.cancel_jobs(session, "waiting")


def test_nightly_steps(session, shop):
    """A loop over four different steps commits each. # expect: none"""
    assert jobs.nightly(session, DAY)["count"] == 4


def test_command_line_totals(session, shop):
    """A command that asks once. # expect: none"""
    assert jobs.run(session, ["totals"]) == 6


def test_update_by_subquery(session, shop):
    """UPDATE with IN over a subquery. # expect: none"""
    jobs.deactivate(session, DAY)


def test_delete_by_exists(session, shop):
    """DELETE with a correlated EXISTS. # expect: none"""
    jobs.delete_with_items(session, "closed")


def test_insert_from_select(session, shop):
    """INSERT from SELECT. # expect: none"""
    jobs.copy_log(session)


def test_temporary_table(session, shop):
    """DELETE without WHERE from a temporary table of the job itself. # expect: none"""
    jobs.rebuild(session)


def test_flush_updates(session, shop):
    """The unit of work updates two rows. # expect: none"""
    assert jobs.change_two(session, "done") == 2


def test_commit_behind_the_loop(session, shop):
    """One commit after the loop. # expect: none"""
    assert jobs.low_stock(session) == 12
    assert len(jobs.tables()) == 10
