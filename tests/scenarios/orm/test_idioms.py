"""Loads behind sorting, grouping, callbacks, generated methods and introspection."""

from __future__ import annotations

from shop import idioms


def test_less_than(session):
    """The models' own comparison loads while a list is sorted."""
    assert idioms.sorted_by_owner(session)[0] == "n-12"


def test_groupby(session):
    """The key of itertools.groupby() loads."""
    assert idioms.grouped(session)["name-0"] == 2


def test_min_key(session):
    """The key of min() calls a property that loads."""
    assert idioms.lightest(session) == "n-0"


def test_attrgetter_property(session):
    """The key of max() is an attrgetter() of a property that loads."""
    assert idioms.heaviest(session) == "n-12"


def test_reduce(session):
    """functools.reduce() calls what loads."""
    assert idioms.folded(session) == 38


def test_writerows(session):
    """A csv writer drives a generator expression."""
    assert "n-3,name-1" in idioms.table(session)


def test_chain_of_two(session):
    """Two queries' rows in one loop, of which one finds nothing."""
    assert len(idioms.chained(session)) == 6


def test_generated_repr(session):
    """The generated repr of a mapped dataclass shows a relationship."""
    assert "badge-engineer-0" in idioms.badges(session)[0]


def test_all_relationships(session):
    """A serialiser that goes over the mapper's relationships."""
    assert len(idioms.everything(session)) == 38


def test_closure(session):
    """A closure that is called for each row."""
    assert len(idioms.labels(session)) == 13


def test_single_dispatch(session):
    """functools.singledispatch() stands between loop and access."""
    assert len(idioms.rendered(session)) == 13


def test_inner_break(session):
    """The inner loop is left after one round, so the outer one repeats."""
    assert len(idioms.first_of_each(session)) == 7


# --- as it should be ---


def test_mapper_columns(session):
    """A serialiser that goes over the mapper's columns. # expect: none"""
    assert len(idioms.own_columns(session)) == 13


def test_log_is_off(session):
    """A log call whose level is off. # expect: none"""
    assert len(idioms.logged(session)) == 6


def test_vars(session):
    """vars() shows what is there. # expect: none"""
    assert len(idioms.what_is_there(session)) == 13


def test_groupby_loaded(session):
    """The same grouping over joined parents. # expect: none"""
    assert idioms.grouped_loaded(session)["name-0"] == 2


def test_max_loaded(session):
    """The same key over loaded collections. # expect: none"""
    assert idioms.heaviest_loaded(session) == "n-12"


def test_three_of_a_kind(session):
    """Three rows by their keys, each with its items, on lines of their own. # expect: none"""
    assert idioms.three_sizes(session) == [3, 6, 3]


def test_generator_loaded(session):
    """A generator over joined parents. # expect: none"""
    assert len(list(idioms.lazily(session))) == 13


def test_unloaded(session):
    """inspect() tells what is not loaded and loads nothing. # expect: none"""
    assert idioms.unloaded(session) == 13
