"""Self-referential relationships, walked down, up and across."""

from __future__ import annotations

from shop import categories


def test_walk_down(session):
    """A recursive function walks down a tree."""
    assert len(categories.outline(session)) == 9


def test_walk_up(session):
    """A loop climbs from a leaf to the root."""
    assert categories.ancestors(session, "tools-1") == ["tools-1", "tools", "all"]


def test_breadcrumbs(session):
    """A recursive property of each leaf, read in a loop."""
    assert "all/garden/garden-2" in categories.breadcrumbs(session)


def test_walk_generator(session):
    """Recursive generators."""
    assert len(categories.texts(session)) == 10


def test_stack(session):
    """Depth first with a stack instead of recursion."""
    assert len(categories.depth_first(session)) == 9


def test_walk_up_by_get(session):
    """The same climb with session.get() and the parent's key."""
    assert categories.ancestors_by_key(session, "garden-0") == ["garden-0", "garden", "all"]


# --- as it should be ---


def test_paths_of_all(session):
    """The same recursive property when all nodes are at hand. # expect: none"""
    assert categories.paths_of_all(session)[0] == "all"


def test_recursive_selectin(session):
    """The same recursive walk over a tree that one option loaded. # expect: none"""
    assert len(categories.outline_loaded(session)) == 9


def test_recursive_cte(session):
    """The database walks. # expect: none"""
    assert len(categories.below(session, "tools")) == 4


def test_tree_from_rows(session):
    """One query, and a tree made in Python. # expect: none"""
    assert len(categories.outline_from_rows(session)) == 9


def test_one_level_a_query(session):
    """A query for each level, with a list of keys. # expect: none"""
    assert len(categories.levels(session)) == 2


def test_one_parent(session):
    """One node's parent. # expect: none"""
    assert categories.parent_of(session, "tools-1") == "tools"
