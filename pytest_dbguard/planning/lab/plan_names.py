"""Puts names of candidates into plans where the planner tells the indexes of partitions that belong to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pytest_dbguard.planning.plan import Node, Plan


def renamed(plan: Plan, names: Mapping[str, str]) -> Plan:
    """Return the plan with other names of indexes."""
    return replace(plan, root=_renamed(plan.root, names))


def _renamed(node: Node, names: Mapping[str, str]) -> Node:
    children = tuple(_renamed(child, names) for child in node.children)
    name = names.get(node.index, node.index)
    return replace(
        node,
        index=name,
        text=node.text.replace(node.index, name) if name != node.index else node.text,
        children=children,
    )
