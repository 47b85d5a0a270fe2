"""Joins: forgotten, on purpose, and in other words."""

from __future__ import annotations

from shop import reports


def test_forgotten_join(session, shop):
    """Columns of two tables, a filter on one of them."""
    assert len(reports.forgotten_join(session)) == 36


def test_third_table_unjoined(session, shop):
    """Two tables are joined, the third is not."""
    assert len(reports.third_table(session)) == 72


def test_comma_in_text(engine, shop):
    """A comma in text() without its condition."""
    with engine.connect() as connection:
        assert len(reports.comma_in_text(connection)) == 132


def test_where_on_another_table(session, shop):
    """A WHERE brings a table into FROM."""
    assert len(reports.filter_on_another(session)) == 12


def test_condition_on_the_wrong_alias(session, shop):
    """The condition compares the table with itself, its alias is left alone."""
    assert reports.wrong_alias(session) == []


def test_join_in_where(session, shop):
    """The join stands in WHERE. # expect: none"""
    assert len(reports.joined_in_where(session)) == 12


def test_join_in_text(engine, shop):
    """Commas and their conditions in text(). # expect: none"""
    with engine.connect() as connection:
        assert len(reports.joined_in_text(connection)) == 36


def test_cross_by_true(session, shop):
    """JOIN ON true says that it is meant. # expect: none"""
    assert len(reports.crossed_on_purpose(session)) == 48


def test_cross_join_in_text(engine, shop):
    """CROSS JOIN says that it is meant. # expect: none"""
    with engine.connect() as connection:
        assert len(reports.crossed_in_text(connection)) == 48


def test_correlated_subquery(session, shop):
    """A correlated scalar subquery. # expect: none"""
    assert len(reports.correlated(session)) == 6


def test_exists_filter(session, shop):
    """EXISTS in WHERE. # expect: none"""
    assert len(reports.exists_filter(session)) == 3


def test_subquery_of_one_row(session, shop):
    """An aggregate without GROUP BY has one row. # expect: none"""
    assert len(reports.with_total(session)) == 12


def test_cte_joined_in_where(session, shop):
    """A CTE joined in WHERE. # expect: none"""
    assert len(reports.with_cte(session)) == 6


def test_lateral(session, shop):
    """LATERAL, correlated inside. # expect: none"""
    assert len(reports.latest_by_lateral(session)) == 6


def test_table_function(session, shop):
    """json_each over a column of the row. # expect: none"""
    assert len(reports.tags(session)) == 24


def test_join_by_range(session, shop):
    """An inequality joins two aliases. # expect: none"""
    assert len(reports.inequality(session)) == 6


def test_constants_joined(session, shop):
    """Constants in a subquery, joined by a column. # expect: none"""
    assert len(reports.with_constants(session)) == 2


def test_join_and_filters(session, shop):
    """The join condition among filters. # expect: none"""
    assert len(reports.one_setting(session)) == 3


def test_no_table(session, shop):
    """A select without FROM. # expect: none"""
    assert len(reports.literal_only(session)) == 1


def test_union_of_two_tables(session, shop):
    """UNION ALL of two tables. # expect: none"""
    assert len(reports.unioned(session)) == 17
