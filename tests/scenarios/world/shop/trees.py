"""Trees walked with Core and with the ORM."""

from __future__ import annotations

from collections import deque

from sqlalchemy import Connection, func, select
from sqlalchemy.orm import Session, aliased

from shop.models import Category, Product


def count_below(connection: Connection, pk: int) -> int:
    stmt = select(Category.id).where(Category.parent_id == pk)
    ids = connection.scalars(stmt).all()  # expect: DBG103 category @test_recursion_with_core
    below = 0
    for child in ids:
        below += 1 + count_below(connection, child)
    return below


def breadth_first(connection: Connection, root: int) -> list[int]:
    seen, queue = [], deque([root])
    while queue:  # loop: DBG103 category @test_breadth_first
        pk = queue.popleft()
        seen.append(pk)
        stmt = select(Category.id).where(Category.parent_id == pk)
        queue.extend(connection.scalars(stmt))  # expect: DBG103 category @test_breadth_first
    return seen


def level_by_level(connection: Connection, root: int) -> int:
    """One statement a level, whatever its breadth."""
    depth, level = 0, [root]
    while level:
        depth += 1
        level = list(connection.scalars(select(Category.id).where(Category.parent_id.in_(level))))
    return depth


def path_to_root(connection: Connection, pk: int | None) -> list[str]:
    names = []
    while pk is not None:  # loop: DBG103 category @test_path_to_root
        stmt = select(Category.name, Category.parent_id).where(Category.id == pk)
        row = connection.execute(stmt).one()  # expect: DBG103 category @test_path_to_root
        names.append(row.name)
        pk = row.parent_id
    return names[::-1]


def below_by_cte(connection: Connection, root: int) -> int:
    tree = select(Category.id).where(Category.id == root).cte("tree", recursive=True)
    child = aliased(Category)
    tree = tree.union_all(select(child.id).join(tree, child.parent_id == tree.c.id))
    return connection.scalar(select(func.count()).select_from(tree)) or 0


def tree_in_memory(session: Session) -> dict[int | None, list[str]]:
    """Load all rows once and build the tree from them."""
    by_parent: dict[int | None, list[str]] = {}
    for category in session.scalars(select(Category).order_by(Category.id)):
        by_parent.setdefault(category.parent_id, []).append(category.name)
    return by_parent


def render(session: Session, node: Category, depth: int = 0) -> list[str]:
    stmt = select(func.count(Product.id)).where(Product.category_id == node.id)
    amount = session.scalar(stmt)  # expect: DBG103 product @test_count_at_each_node
    lines = ["  " * depth + f"{node.name} ({amount})"]
    for child in node.known:  # type: ignore[attr-defined]
        lines += render(session, child, depth + 1)
    return lines


def rendered_tree(session: Session) -> list[str]:
    nodes = session.scalars(select(Category).order_by(Category.id)).all()
    for node in nodes:
        node.known = [child for child in nodes if child.parent_id == node.id]
    return render(session, nodes[0])


def depth_in_memory(tree: dict[int | None, list[str]]) -> int:
    return len(tree)
