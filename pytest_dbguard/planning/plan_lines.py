"""A plan as people read it: a line a node with its conditions, the costly node marked; two plans below each other."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from difflib import SequenceMatcher
from types import MappingProxyType
from typing import Final

from pytest_dbguard.core.findings import PlanLine, PlanMark
from pytest_dbguard.planning.plan import Access, Node, Plan
from pytest_dbguard.planning.plan_shape import Shape, ShapeNode, shape_nodes
from pytest_dbguard.planning.sqlite_plans import ROOT

_SHOWN: Final = ("Index Cond", "Hash Cond", "Merge Cond", "Join Filter", "Filter", "TID Cond", "Order By")
_NO_NAMES: Final[Mapping[str, str]] = MappingProxyType({})


def plan_lines(plan: Plan, hot: Node | None = None, names: Mapping[str, str] = _NO_NAMES) -> tuple[PlanLine, ...]:
    """Return the lines of a plan.

    Args:
        plan: The plan.
        hot: A node of it that is to be marked, by identity, such as `hot_node` returns.
        names: Names for indexes that are called otherwise in the plan, such as candidates of a lab.
    """
    return tuple(_lines(plan.root, 0, hot, names))


def hot_node(plan: Plan, rows_of: Callable[[str], float] = lambda table: 0.0) -> Node | None:
    """Return the node with the largest cost of its own.

    What an inner side costs, and a subplan that runs for each row, counts as often as it runs. SQLite tells no costs:
    there it is the largest table that is read whole or by an index made for this query, else a temporary B-tree.

    Args:
        plan: The plan.
        rows_of: Rows of a table by its name, where costs are not told.
    """
    if plan.cost is None:
        return _hot_without_costs(plan.root, rows_of)
    own: list[tuple[float, Node]] = list(_own_costs(plan.root, 1.0))
    return max(own, key=lambda each: each[0])[1]


def two_trees(
    before: Shape, now: Shape, *, before_cost: float | None = None, now_cost: float | None = None
) -> tuple[PlanLine, ...]:
    """Return two shapes below each other, the lines marked that only one of them has.

    A node that merely stands deeper than before is not marked.
    """
    old, new = shape_nodes(before), shape_nodes(now)
    matcher = SequenceMatcher(None, [node.text for node in old], [node.text for node in new], autojunk=False)
    kept_old, kept_new = set[int](), set[int]()
    for start, start_now, size in matcher.get_matching_blocks():
        kept_old.update(range(start, start + size))
        kept_new.update(range(start_now, start_now + size))
    lines = [_heading("before", before_cost)]
    lines += _marked(old, kept_old, PlanMark.REMOVED)
    lines += [_heading("now", now_cost)]
    lines += _marked(new, kept_new, PlanMark.ADDED)
    return tuple(lines)


def figure(value: float) -> str:
    """Return a cost or a number of rows as people read it: `18,334`, `8.45`."""
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:,.2f}"


def _lines(node: Node, depth: int, hot: Node | None, names: Mapping[str, str]) -> Iterator[PlanLine]:
    if node.text == ROOT:
        for child in node.children:
            yield from _lines(child, depth, hot, names)
        return
    arrow = "-> " if depth and node.total_cost is not None else ""
    yield PlanLine(depth, arrow + _heading_of(node, names), PlanMark.HOT if node is hot else PlanMark.NONE)
    if node.total_cost is not None:
        yield from (PlanLine(depth + 1, text) for text in _details(node))
    for child in node.children:
        yield from _lines(child, depth + 1, hot, names)


def _heading_of(node: Node, names: Mapping[str, str]) -> str:
    text = node.text
    if node.index in names:
        text = text.replace(node.index, names[node.index])
    if node.total_cost is None or node.access is Access.SUBPLAN:
        return text
    rows = "" if node.rows is None else f"rows={figure(node.rows)} "
    return f"{text} ({rows}cost={figure(node.total_cost)})"


def _details(node: Node) -> Iterator[str]:
    """Yield conditions; what a bitmap checks again is said already where the index is read."""
    if node.sort_key:
        yield f"Sort Key: {', '.join(node.sort_key)}"
    yield from (f"{name}: {text}" for name, text in node.condition if name in _SHOWN)


def _own_costs(node: Node, share: float) -> Iterator[tuple[float, Node]]:
    """Yield what each node costs by itself.

    `share` is how often the node's cost occurs in that of the whole plan: more than once on the inner side of a loop,
    less where a node above stops early.
    """
    left = total = node.total_cost or 0.0
    for position, child in enumerate(node.children):
        cost = child.total_cost or 0.0
        taken = min(cost * _runs(node, position), left) if cost else 0.0
        left -= taken
        if cost:
            # planners count a hash table or an InitPlan again in each round of a loop above; it is made once
            often = min(share, 1.0) if _runs_once(node, child) else share
            yield from _own_costs(child, often * taken / cost)
    if total and node.access is not Access.SUBPLAN:
        yield left * share, node


def _runs(node: Node, position: int) -> float:
    """Return how often a child runs while its node runs once."""
    child = node.children[position]
    if node.access is Access.NESTED_LOOP and position == 1:
        return max(node.children[0].rows or 1.0, 1.0)
    if child.access is Access.SUBPLAN and not _runs_once(node, child):
        return max(node.rows or 1.0, 1.0)
    return 1.0


def _runs_once(node: Node, child: Node) -> bool:
    """Whether a child is evaluated once, however often its node runs: an InitPlan, a CTE, a hashed subplan."""
    if child.access is not Access.SUBPLAN:
        return False
    return not child.text.startswith("SubPlan") or any(f"hashed {child.text}" in text for _, text in node.condition)


def _hot_without_costs(root: Node, rows_of: Callable[[str], float]) -> Node | None:
    nodes = list(root.walk())
    whole = [node for node in nodes if node.table and (node.is_whole or node.access is Access.AUTOMATIC_INDEX)]
    if whole:
        return max(whole, key=lambda node: rows_of(node.table))
    return next((node for node in nodes if node.access in (Access.SORT, Access.TEMPORARY)), None)


def _heading(word: str, cost: float | None) -> PlanLine:
    return PlanLine(0, f"{word}:" if cost is None else f"{word}, cost {figure(cost)}:")


def _marked(nodes: Iterable[ShapeNode], kept: Collection[int], mark: PlanMark) -> list[PlanLine]:
    return [
        PlanLine(node.depth + 1, node.text, PlanMark.NONE if number in kept else mark)
        for number, node in enumerate(nodes)
    ]
