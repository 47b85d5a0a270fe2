"""The tree of joins of one query: which outer joins are none, where conditions arrive, what is joined by what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from pytest_dbguard.sql.facts.model import Join
from pytest_dbguard.sql.facts.readings import Reading
from pytest_dbguard.sql.facts.scans import Found, Leaf


@dataclass(slots=True, eq=False)
class JoinNode:
    """Two sides, the kind, what ON says, and the equations that tie the sides together."""

    left: Node
    right: Node
    kind: str
    readings: list[Reading] = field(default_factory=list)
    pairs: list[tuple[Found, Found]] = field(default_factory=list)
    members: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        self.members = members(self.left) | members(self.right)

    @property
    def is_inner(self) -> bool:
        """Whether rows without a partner are dropped."""
        return self.kind in ("inner", "cross")


Node = Leaf | JoinNode


def members(node: Node) -> frozenset[int]:
    """Return the ids of the elements of FROM in a tree."""
    return node.members if isinstance(node, JoinNode) else frozenset((id(node),))


def leaves(node: Node | None) -> list[Leaf]:
    """Return the elements of FROM in the order of the text."""
    found: list[Leaf] = []
    pending = [node] if node is not None else []
    while pending:
        node = pending.pop()
        if isinstance(node, JoinNode):
            pending += (node.right, node.left)
        else:
            found.append(node)
    return found


def nodes(node: Node | None) -> Iterator[JoinNode]:
    """Yield the joins in the order of the text."""
    if isinstance(node, JoinNode):
        yield from nodes(node.left)
        yield from nodes(node.right)
        yield node


def reduce_outer(node: Node, strict: set[int], *, is_postgres: bool) -> None:
    """Make inner joins of outer ones whose rows of NULLs no condition above lets pass.

    PostgreSQL does so (`reduce_outer_joins`), and goes on with the ON of what it made an inner join. SQLite does it
    for LEFT JOIN by WHERE alone.

    Args:
        node: The tree; its kinds are changed.
        strict: Ids of the elements of FROM that must not be NULL.
        is_postgres: Whose rules hold.
    """
    if not isinstance(node, JoinNode):
        return
    if is_postgres or node.kind == "left":
        left_strict, right_strict = (not strict.isdisjoint(members(side)) for side in (node.left, node.right))
        node.kind = _reduced(node.kind, left_strict, right_strict)
    own = {id(leaf) for reading in node.readings for leaf in reading.strict} if is_postgres else set()
    above = {"inner": (strict | own, strict | own), "left": (strict, own), "right": (own, strict)}
    left, right = above.get("inner" if node.is_inner else node.kind, (set(), set()))
    reduce_outer(node.left, left, is_postgres=is_postgres)
    reduce_outer(node.right, right, is_postgres=is_postgres)


def _reduced(kind: str, left_strict: bool, right_strict: bool) -> str:
    """Return what is left of an outer join whose sides must, or need not, be there."""
    if (kind == "left" and right_strict) or (kind == "right" and left_strict):
        return "inner"
    if kind == "full":
        return {(True, True): "inner", (True, False): "left", (False, True): "right"}.get(
            (left_strict, right_strict), "full"
        )
    return kind


def free(node: Node | None) -> list[Leaf]:
    """Return the elements that conditions above arrive at: all but the sides that outer joins fill with NULLs."""
    if node is None:
        return []
    if not isinstance(node, JoinNode):
        return [node]
    sides = {"left": (node.left,), "right": (node.right,), "full": ()}.get(node.kind, (node.left, node.right))
    return [leaf for side in sides for leaf in free(side)]


def bound_by(node: JoinNode, *, is_postgres: bool) -> list[Leaf]:
    """Return the elements that a join's own conditions arrive at."""
    if node.is_inner:
        return free(node)
    if is_postgres:
        return free({"left": node.right, "right": node.left}.get(node.kind))
    # SQLite makes a table of a join in parentheses
    return [node.right] if node.kind == "left" and isinstance(node.right, Leaf) else []


def meeting(root: Node, one: Leaf, other: Leaf) -> JoinNode | None:
    """Return the join at which two elements meet."""
    node = root
    while isinstance(node, JoinNode):
        left = members(node.left)
        sides = id(one) in left, id(other) in left
        if sides[0] != sides[1]:
            return node
        node = node.left if sides[0] else node.right
    return None


def assign(root: Node, one: Found, other: Found) -> None:
    """Note two columns that must be equal with the join at which their elements meet."""
    node = meeting(root, one.leaf, other.leaf)
    if node is not None:
        is_left = id(one.leaf) in members(node.left)
        node.pairs.append((one, other) if is_left else (other, one))


def told(node: JoinNode) -> Iterator[Join]:
    """Yield what is told of one join: once for each pair of tables that it ties together."""
    groups: dict[tuple[str, int, str, int], dict[tuple[str, str], None]] = {}
    for one, other in node.pairs:
        (left, column), (right, other_column) = one.place, other.place
        group = groups.setdefault((left, one.query, right, other.query), {})
        group[column, other_column] = None
    own_pairs = sum(bool(reading.pairs) for reading in node.readings)
    has_more = len(node.readings) > own_pairs or len(groups) > 1
    for (left, left_query, right, right_query), equal in groups.items():
        kind = "inner" if node.is_inner else node.kind
        yield Join(left, right, kind, tuple(equal), has_more, left_query, right_query)
    if not groups:
        yield _unequal(node)


def _unequal(node: JoinNode) -> Join:
    """Return a join without equations: by the element that ON names, else the nearest one."""
    mentioned = [leaf for reading in node.readings for leaf in reading.mentions]
    left = next((leaf for leaf in mentioned if leaf in leaves(node.left)), leaves(node.left)[-1])
    right = next((leaf for leaf in mentioned if leaf in leaves(node.right)), leaves(node.right)[0])
    kind = "cross" if node.is_inner and not mentioned else "inner" if node.is_inner else node.kind
    return Join(left.alias, right.alias, kind, (), bool(mentioned), left.query.number, right.query.number)
