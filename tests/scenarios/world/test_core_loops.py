"""Core, text() and driver SQL in loops, and loops over results that ask nothing."""

from __future__ import annotations

from shop import core_reads


def test_core_select_in_a_loop(engine, shop):
    """A Core aggregate for each id."""
    with engine.connect() as connection:
        assert core_reads.totals_by_core(connection, range(1, 7))[1] == 201


def test_text_in_a_loop(engine, shop):
    """text() with a parameter for each id."""
    with engine.connect() as connection:
        assert len(core_reads.names_by_text(connection, range(1, 7))) == 6


def test_driver_sql_in_a_loop(engine, shop):
    """Driver SQL for each sku."""
    with engine.connect() as connection:
        assert core_reads.stock_by_driver(connection, [f"sku{n}" for n in range(8)]) == 400


def test_fstring_sql_in_a_loop(engine, shop):
    """Literals written into the text: each statement differs, the shape is one."""
    with engine.connect() as connection:
        assert len(core_reads.find_by_mail(connection, [f"c{n}@shop.test" for n in range(6)])) == 6


def test_session_text_in_a_loop(session, shop):
    """A text() constant through the session."""
    assert core_reads.convert_all(session, [("EUR", 1), ("USD", 2), ("GBP", 3), ("CHF", 4)]) == 30


def test_dict_comp(engine, shop):
    """A dictionary comprehension that asks for each key."""
    with engine.connect() as connection:
        assert len(core_reads.stock_dictionary(connection, [f"sku{n}" for n in range(5)])) == 5


def test_aggregate_for_each_parent(session, shop):
    """A sum for each customer in a function of its own."""
    assert core_reads.best_customers(session)[0] == "customer 5"


def test_four_tables_counted(engine, shop):
    """A loop over four tables runs four different statements. # expect: none"""
    with engine.connect() as connection:
        assert core_reads.items_of_each_table(connection) == [6, 12, 36, 12]


def test_grouped_totals(engine, shop):
    """One grouped statement for all ids. # expect: none"""
    with engine.connect() as connection:
        assert len(core_reads.totals_in_one(connection, [1, 2, 3])) == 3


def test_rows_walked(engine, shop):
    """A loop over one cursor. # expect: none"""
    with engine.connect() as connection:
        assert core_reads.walk_rows(connection) == 72


def test_two_calls_on_one_line(engine, shop):
    """The same question for two people in one line, no loop. # expect: none"""
    with engine.connect() as connection:
        assert core_reads.greet_two(connection, 1, 2) == "customer 0 meets customer 1"


def test_first_known_setting(session, shop):
    """A chain of fallbacks that stops at the first hit: one IN list would ask them all."""
    assert core_reads.first_known_setting(session, ["a", "b", "c", "d", "key1", "key2"]) == "1"


def test_free_sku(session, shop):
    """A search for a free name asks until nobody has it. # expect: none"""
    assert core_reads.free_sku(session, "sku") == "sku12"


def test_fallback_with_continue(session, shop):
    """A search whose misses go on with `continue`. # expect: none"""
    assert core_reads.rate_with_fallback(session, ["AAA", "BBB", "CCC", "EUR", "USD"]).value == 1
