"""Recursion over trees; a recursion is no loop with a head, so that these scenarios name none."""

from __future__ import annotations

from shop import trees


def test_recursion_with_core(engine, shop):
    """A function asks for the children of a node and calls itself."""
    with engine.connect() as connection:
        assert trees.count_below(connection, 1) == 9


def test_breadth_first(engine, shop):
    """A queue of nodes, a statement for each."""
    with engine.connect() as connection:
        assert len(trees.breadth_first(connection, 1)) == 10


def test_path_to_root(engine, shop):
    """A walk from a leaf to the root."""
    with engine.connect() as connection:
        assert len(trees.path_to_root(connection, 10)) == 3


def test_count_at_each_node(session, shop):
    """A recursion over nodes in memory, with a count at each node."""
    assert len(trees.rendered_tree(session)) == 10


def test_level_by_level(engine, shop):
    """One statement for each level of the tree. # expect: none"""
    with engine.connect() as connection:
        assert trees.level_by_level(connection, 1) == 3


def test_recursive_cte(engine, shop):
    """A recursive CTE. # expect: none"""
    with engine.connect() as connection:
        assert trees.below_by_cte(connection, 1) == 10


def test_tree_from_one_select(session, shop):
    """All rows in one select, the tree in memory. # expect: none"""
    assert trees.depth_in_memory(trees.tree_in_memory(session)) == 5
