"""Columns that come later: deferred, left out, expired, refreshed."""

from __future__ import annotations

from shop import accounts, documents
from shop.models import Account
from sqlalchemy.orm import Session


def test_deferred(session):
    """A deferred column of each row."""
    assert documents.bodies(session) == ["body"] * 4


def test_deferred_group(session):
    """A group of deferred columns: the first that is read loads both."""
    assert documents.rendered(session) == ["htmlpdf"] * 4


def test_load_only(session):
    """load_only() without the column that is read."""
    assert sorted(documents.balances(session)) == [0, 1, 2, 3]


def test_defer_option(session):
    """An option defers what the next line reads."""
    assert "sku-1 10" in documents.price_list(session)


def test_deferred_map(session):
    """map() calls what reads the deferred column; no loop stands anywhere."""
    assert len(documents.remarks_by_order(session)) == 7


def test_commit_in_loop(session):
    """A commit for each row expires the next one."""
    accounts.raise_each(session)


def test_commit_then_loop(session):
    """A commit between the query and the loop."""
    assert len(accounts.names_after_commit(session)) == 4


def test_rollback_then_loop(session):
    """A rollback between the query and the loop."""
    assert len(accounts.names_after_rollback(session)) == 4


def test_expire_all(session):
    """expire_all() between the query and the loop."""
    assert accounts.total_after_expiry(session) == 9


def test_refresh_in_loop(session):
    """refresh() for each row."""
    assert sorted(accounts.fresh_balances(session)) == [0, 1, 2, 3]


def test_expire_each(session):
    """expire() for each row, which is then read."""
    assert len(accounts.forget_each(session)) == 4


def test_save_then_show(session):
    """The commit hides in a unit of work, the read in a line of a report."""
    assert "account-3: 0" in accounts.close_month(accounts.Ledger(session))


def test_onupdate(session):
    """A column that the database computes on update, read after the flush."""
    assert len(accounts.touched(session)) == 4


# --- as it should be ---


def test_undefer(session):
    """The deferred column comes with the query. # expect: none"""
    assert documents.bodies_loaded(session) == ["body"] * 4


def test_undefer_group(session):
    """The group comes with the query. # expect: none"""
    assert documents.rendered_loaded(session) == ["htmlpdf"] * 4


def test_deferred_of_one(session):
    """Deferred columns of one document's page. # expect: none"""
    assert documents.show(session, 1) == ("document-0", "body", "html")


def test_deferred_unread(session):
    """A list that leaves the long columns alone. # expect: none"""
    assert len(documents.titles(session)) == 4


def test_load_only_enough(session):
    """load_only() with what is read. # expect: none"""
    assert len(documents.names(session)) == 4


def test_deferred_as_column(session):
    """The deferred column, selected by itself. # expect: none"""
    assert len(documents.bodies_as_rows(session)) == 4


def test_deferred_of_found(session):
    """A loop finds one row and reads its deferred column. # expect: none"""
    assert documents.long_one(session) == "body"


def test_commit_then_query(session):
    """After the commit one query makes all fresh. # expect: none"""
    assert len(accounts.names_requeried(session)) == 4


def test_read_before_commit(session):
    """What is needed later is read before the commit. # expect: none"""
    assert len(accounts.names_before_commit(session)) == 4


def test_deposit(session):
    """One row, changed, committed and refreshed. # expect: none"""
    assert accounts.deposit(session, 1, 5).balance == 5


def test_transfer(session):
    """Two rows are read again after the commit, each on its own. # expect: none"""
    assert accounts.transfer(session, 3, 4, 1) == (1, 4)


def test_populate_existing(session):
    """One query refreshes all. # expect: none"""
    assert len(accounts.fresh_by_query(session)) == 4


def test_rollback_of_one(session):
    """One row after a rollback. # expect: none"""
    assert accounts.undo(session, 1) == "account-0"


def test_no_expiry(engine, shop):
    """A session that does not expire what it commits. # expect: none"""
    with Session(engine, expire_on_commit=False) as session:
        assert "account-3: 0" in accounts.close_month(accounts.Ledger(session))


def test_asserts_after_commit(session):
    """The test reads two rows after the application's commit. # expect: none"""
    first, second = session.get(Account, 1), session.get(Account, 2)
    accounts.names_before_commit(session)
    assert first.balance == 1
    assert second.balance == 2


def test_populate_existing_first(session):
    """populate_existing in a session that has nothing yet. # expect: none"""
    assert len(accounts.statuses(session)) == 13
