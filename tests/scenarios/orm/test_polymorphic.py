"""Hierarchies of classes: joined tables and one table."""

from __future__ import annotations

from shop import staff


def test_subclass_column(session):
    """A column of a joined subclass, after a query for the base class."""
    assert staff.languages(session) == ["python"] * 3


def test_match(session):
    """The same behind a match statement."""
    assert staff.cost(session) == 6


def test_subclass_relationship(session):
    """A relationship of a subclass."""
    assert staff.laptops(session) == ["model-0", "model-1", "model-2"]


def test_base_relationship(session):
    """A relationship of the base class, read from a subclass."""
    assert len(staff.employers(session)) == 3


def test_single_table_column(session):
    """A column of a subclass in one table, after a query for the base class."""
    assert staff.tonnage(session) == 3


def test_single_table_lazy(session):
    """A relationship of a subclass in one table."""
    assert staff.cities(session) == ["Riga", "Tartu", "Vilnius"]


def test_mixed_collection(session):
    """A collection of several kinds, for each parent."""
    assert len(staff.payroll(session)) == 3


# --- as it should be ---


def test_with_polymorphic(session):
    """All columns of all kinds by one join. # expect: none"""
    assert len(staff.languages_at_once(session)) == 3


def test_selectin_polymorphic(session):
    """One more query for each kind. # expect: none"""
    assert len(staff.languages_in_two(session)) == 6


def test_kinds_only(session):
    """The kind alone is asked for. # expect: none"""
    assert staff.kinds(session) == {"engineer": 3, "manager": 3}


def test_inline_subclass(session):
    """A subclass in the same table whose mapping loads its columns inline. # expect: none"""
    assert staff.seats(session) == 15


def test_subclass_relationship_loaded(session):
    """A subclass's columns and relationship, both loaded. # expect: none"""
    assert len(staff.laptops_loaded(session)) == 3


def test_base_relationship_loaded(session):
    """The inherited relationship, joined. # expect: none"""
    assert len(staff.employers_loaded(session)) == 3


def test_one_subclass_column(session):
    """A column of the subclass for one person. # expect: none"""
    assert staff.language_of(session, "engineer-1") == "python"


def test_subclass_query(session):
    """A query for the subclass has the columns. # expect: none"""
    assert len(staff.own_columns(session)) == 3
