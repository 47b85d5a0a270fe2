"""Connections that are kept or go back, and questions that are asked twice or only look so."""

from __future__ import annotations

from shop import keeping


def test_generator_left_open(pooled_engine):
    """A generator is read once and kept, with its connection."""
    assert keeping.first_order(pooled_engine) == 1


def test_raw_connection_kept(pooled_engine):
    """A raw connection that the program keeps."""
    assert keeping.count_by_driver(pooled_engine) == 6


def test_scoped_kept(maker):
    """A scoped_session that nobody removes."""
    assert keeping.count_scoped(maker) == 12


def test_total_asked_by_two_steps(session, shop):
    """Two steps of one use case ask for one total."""
    assert keeping.close_order(session, 1) == (300, 100)


def test_row_twice(session, shop):
    """Two helpers load one row by select()."""
    assert keeping.letter(session, 1) == "c0@shop.test: Dear customer 0"


def test_generator_drained(pooled_engine):
    """The same generator, read to its end. # expect: none"""
    assert keeping.drained(pooled_engine) == 12


def test_raw_connection_in_closing(pooled_engine):
    """A raw connection in closing(). # expect: none"""
    assert keeping.count_and_close(pooled_engine) == 6


def test_scoped_removed(maker):
    """A scoped_session that is removed. # expect: none"""
    assert keeping.count_scoped_and_remove(maker) == 12


def test_failing_block(pooled_engine):
    """A block fails, its connection goes back. # expect: none"""
    assert keeping.failing(pooled_engine) == "nothing"


def test_thread_closes(maker):
    """A thread closes its session. # expect: none"""
    assert keeping.in_thread(maker) == [12]


def test_get_of_a_forgotten_row(session, shop):
    """get() twice, the first row was not kept: two statements."""
    assert keeping.letter_by_get(session, 1) == "c0@shop.test: customer 0"


def test_get_of_a_kept_row(session, shop):
    """get() twice, the first row is kept: one statement. # expect: none"""
    assert keeping.letter_by_kept_row(session, 1) == "c0@shop.test: customer 0"


def test_flush_between(session, shop):
    """An autoflush between two counts. # expect: none"""
    assert keeping.log_and_count(session, "x") == (0, 1)


def test_two_sessions(maker):
    """The same question in two sessions. # expect: none"""
    assert keeping.count_in_two_sessions(maker) == (12, 12)


def test_core_write_between(engine):
    """A Core INSERT between two counts. # expect: none"""
    with engine.begin() as connection:
        assert keeping.after_core_insert(connection) == (0, 1)
