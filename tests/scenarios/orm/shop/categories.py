"""The tree of categories and the threads of comments, walked in every direction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased, selectinload

from shop.models import Category, Comment


def outline(session: Session) -> list[str]:
    roots = select(Category).where(Category.parent_id.is_(None))
    root = session.scalars(roots).one()  # origin: DBG101 Category.children @test_walk_down
    return _outline(root, 0)


def _outline(node: Category, depth: int) -> list[str]:
    lines = ["  " * depth + node.name]
    for child in node.children:  # expect: DBG101 Category.children @test_walk_down # loop: DBG101 Category.children @test_walk_down  # noqa: E501 # fmt: skip
        lines += _outline(child, depth + 1)
    return lines


def ancestors(session: Session, name: str) -> list[str]:
    wanted = select(Category).where(Category.name == name)
    node = session.scalars(wanted).one()  # origin: DBG101 Category.parent @test_walk_up
    names = []
    while node is not None:  # loop: DBG101 Category.parent @test_walk_up
        names.append(node.name)
        node = node.parent  # expect: DBG101 Category.parent @test_walk_up
    return names


def breadcrumbs(session: Session) -> list[str]:
    trails = []
    leaves = select(Category).where(Category.name.like("%-%"))
    nodes = session.scalars(leaves).all()  # origin: DBG101 Category.parent @test_breadcrumbs
    for node in nodes:  # loop: DBG101 Category.parent @test_breadcrumbs
        trails.append(node.path)
    return trails


def texts(session: Session) -> list[str]:
    starts = select(Comment).where(Comment.parent_id.is_(None))
    found = []
    comments = session.scalars(starts).all()  # origin: DBG101 Comment.replies @test_walk_generator
    for comment in comments:
        found += _texts(comment)
    return found


def _texts(comment: Comment) -> Iterator[str]:
    yield comment.text
    for reply in comment.replies:  # expect: DBG101 Comment.replies @test_walk_generator # loop: DBG101 Comment.replies @test_walk_generator  # noqa: E501 # fmt: skip
        yield from _texts(reply)


def depth_first(session: Session) -> list[str]:
    roots = select(Category).where(Category.parent_id.is_(None))
    stack = list(session.scalars(roots))  # origin: DBG101 Category.children @test_stack
    names = []
    while stack:  # loop: DBG101 Category.children @test_stack
        node = stack.pop()
        names.append(node.name)
        stack.extend(node.children)  # expect: DBG101 Category.children @test_stack
    return names


def ancestors_by_key(session: Session, name: str) -> list[str]:
    node = session.scalars(select(Category).where(Category.name == name)).one()
    names = [node.name]
    while node.parent_id is not None:  # loop: DBG103 category @test_walk_up_by_get
        node = session.get(Category, node.parent_id)  # expect: DBG103 category @test_walk_up_by_get
        names.append(node.name)
    return names


# --- as it should be ---


def paths_of_all(session: Session) -> list[str]:
    nodes = session.scalars(select(Category)).all()
    return sorted(node.path for node in nodes)


def outline_loaded(session: Session) -> list[str]:
    whole = select(Category).where(Category.parent_id.is_(None))
    whole = whole.options(selectinload(Category.children, recursion_depth=-1))
    return _outline(session.scalars(whole).one(), 0)


def below(session: Session, name: str) -> list[str]:
    tree = select(Category.id, Category.name).where(Category.name == name).cte("tree", recursive=True)
    child = aliased(Category)
    tree = tree.union_all(select(child.id, child.name).where(child.parent_id == tree.c.id))
    return sorted(row.name for row in session.execute(select(tree.c.name)))


def outline_from_rows(session: Session) -> list[str]:
    below = defaultdict(list)
    for row in session.execute(select(Category.id, Category.name, Category.parent_id).order_by(Category.id)):
        below[row.parent_id].append(row)
    lines = []
    waiting = [(row, 0) for row in below[None]]
    while waiting:
        row, depth = waiting.pop()
        lines.append("  " * depth + row.name)
        waiting.extend((child, depth + 1) for child in below[row.id])
    return lines


def levels(session: Session) -> list[list[str]]:
    found = []
    level = session.scalars(select(Category).where(Category.name.in_(["tools", "garden", "all"]))).all()
    while level:
        found.append([node.name for node in level])
        level = session.scalars(select(Category).where(Category.parent_id.in_([node.id for node in level[-3:]]))).all()
        level = [node for node in level if "-" in node.name]
    return found


def parent_of(session: Session, name: str) -> str:
    node = session.scalars(select(Category).where(Category.name == name)).one()
    return node.parent.name
