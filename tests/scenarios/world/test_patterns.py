"""Several statements in one loop, nested loops, questions asked twice."""

from __future__ import annotations

from shop import patterns


def test_a_b_in_one_loop(session, shop):
    """Two statements alternate: one finding, at the first."""
    assert patterns.order_cards(session, [1, 2, 3, 4])[0] == "open 3"


def test_a_b_c_below_a_loop(session, shop):
    """A function of three statements in a comprehension: one finding, at the first."""
    assert patterns.customer_cards(session, [1, 2, 3])[0] == ("customer 0", 2, 201)


def test_two_loops_behind_each_other(session, shop):
    """Two loops of one function."""
    assert patterns.two_loops(session, [1, 2, 3]) == 39


def test_read_and_write(session, shop):
    """A read and a write in each round."""
    patterns.read_and_write(session, [1, 2, 3])


def test_nested_loops(session, shop):
    """Both loops ask."""
    assert patterns.nested(session) == 72


def test_vat_twice(session, shop):
    """Two functions ask one helper in one use case: both questions run on the helper's line."""
    assert patterns.quote(session, 10) == "8 12"


def test_two_helpers_one_question(session, shop):
    """Two helpers ask the same question in one use case."""
    assert patterns.invoice(session, 1) == "customer 0...customer 0"


def test_write_between(session, shop):
    """The same question before and after a write. # expect: none"""
    assert patterns.jobs_before_and_after(session) == (6, 5)


def test_commit_between(session, shop):
    """The same question in two transactions. # expect: none"""
    assert patterns.jobs_in_two_transactions(session) == (6, 6)


def test_same_text_other_key(session, shop):
    """The same text with another parameter, on two lines. # expect: none"""
    assert patterns.same_text_other_key(session) == "12"


def test_locked_again(session, shop):
    """Read, then read with a lock. # expect: none"""
    assert patterns.locked_again(session) == 1


def test_two_adds_of_two_tables(session, shop):
    """Four adds, one flush. # expect: none"""
    assert patterns.outbox_and_log(session, ["a", "b"]) == 2


def test_known_states(session, shop):
    """A loop over constants reads a dictionary. # expect: none"""
    assert patterns.by_state(session) == {"open": 12, "closed": 0}


def test_asks_what_the_application_asked(session, shop):
    """The test asserts with the application's own question, again. # expect: none"""
    assert patterns.open_jobs(session) == 6
    assert patterns.open_jobs(session) == 6


def test_two_use_cases_in_one_test(session, shop):
    """The test calls two use cases that share a helper. # expect: none"""
    assert patterns.net(session, 10) == 8
    assert patterns.gross(session, 10) == 12
