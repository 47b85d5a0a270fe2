"""The same question twice, and questions that have to be asked again."""

from __future__ import annotations

from shop import checkout
from sqlalchemy.orm import Session


def test_setting_twice(session):
    """Two steps ask for one setting."""
    assert checkout.check_out(session) == "on tax is on"


def test_user_twice(session):
    """Permission and audit both look for the user."""
    assert checkout.act(session, "c1@example.org") == "name-1 did it"


def test_count_twice(session):
    """Header and footer both count."""
    assert checkout.page(session) == (13, "13 orders")


# --- as it should be ---


def test_read_after_update(session):
    """Read, written by a statement, read again. # expect: none"""
    assert checkout.book(session, 1, 5) == (0, 5)


def test_read_after_text(session):
    """Read, written by plain SQL, read again. # expect: none"""
    assert checkout.book_by_text(session, 1) == (0, 1)


def test_read_after_flush(session):
    """Read, written by a flush, read again. # expect: none"""
    assert checkout.book_by_unit_of_work(session, 1) == 3


def test_read_in_new_transaction(session):
    """Read again in the next transaction, which may see something else. # expect: none"""
    assert checkout.watch(session, 1) == (0, 0)


def test_two_keys(session):
    """The same statement for two different rows. # expect: none"""
    assert checkout.two_settings(session) == ("on", "on")


def test_count_and_page(session):
    """The count of what a page shows a part of. # expect: none"""
    assert checkout.count_and_page(session) == (6, ["n-1", "n-3", "n-5"])


def test_lock_again(session):
    """Read, then read again with a lock. # expect: none"""
    assert checkout.lock(session, 2) == 1


def test_user_from_map(session):
    """get() twice, the second from the identity map. # expect: none"""
    assert checkout.greet(session, 1) == "name-0 c0@example.org"


def test_two_sessions(engine, shop):
    """The same question in two sessions, as two requests ask it. # expect: none"""
    with Session(engine) as session:
        first = checkout.tax(session)
    with Session(engine) as session:
        assert checkout.mail_footer(session).endswith(first)
