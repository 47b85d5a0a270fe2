"""Compares the plan that was accepted with the one that a planner chooses now: what became worse, what only differs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from pytest_dbguard.planning.plan import Access, Plan
from pytest_dbguard.planning.plan_shape import Shape, ShapeNode, plan_shape, shape_nodes

_INDEXED: Final = (str(Access.INDEX), str(Access.INDEX_ONLY), str(Access.BITMAP))
_UNINDEXED: Final = (str(Access.SEQUENTIAL), str(Access.AUTOMATIC_INDEX))
_JOINS: Final = (str(Access.NESTED_LOOP), str(Access.HASH_JOIN), str(Access.MERGE_JOIN))
_APPEARING: Final = ((str(Access.SORT), "a sort appeared"), (str(Access.TEMPORARY), "a temporary appeared"))


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two plans.

    Attributes:
        text: In words: "index scan became sequential scan on `orders`".
        is_worse: Whether it is worse by itself, unless the cost tells otherwise.
        table: The table that is read otherwise; "" without one.
    """

    text: str
    is_worse: bool
    table: str = ""


@dataclass(frozen=True, slots=True)
class Changes:
    """All differences, the worse ones first."""

    before: Shape
    now: Shape
    changes: tuple[Change, ...] = ()

    @property
    def worse(self) -> tuple[Change, ...]:
        """The changes that are worse by themselves."""
        return tuple(change for change in self.changes if change.is_worse)

    @property
    def worse_tables(self) -> frozenset[str]:
        """The tables that are read in a worse way than before."""
        return frozenset(change.table for change in self.worse if change.table)


def compare(before: Shape, now: Plan) -> Changes:
    """Return how a plan differs from an accepted shape.

    Worse are: a table that was read by an index and is now read whole, or by an index from end to end; a sort, and in
    SQLite another temporary table, that appeared. Where another table is read better than before, the planner has
    chosen another order of joins, which may be right: then it is told and nothing is called worse.
    """
    shape = plan_shape(now)
    if shape == before:
        return Changes(before, shape)
    old, new = shape_nodes(before), shape_nodes(shape)
    reads = list(_reads(old, new))
    is_traded = any(not change.is_worse for change in reads)
    told = [Change(change.text, change.is_worse and not is_traded, change.table) for change in reads]
    told += _appeared(old, new, has_costs=now.cost is not None)
    told += _joins(old, new)
    told += _indexes(old, new)
    return Changes(before, shape, tuple(sorted(told, key=lambda change: not change.is_worse)))


def _reads(old: Iterable[ShapeNode], new: Iterable[ShapeNode]) -> Iterator[Change]:
    """Yield a change for each table that is read better or worse than before."""
    before, now = _by_table(old), _by_table(new)
    for table in sorted(before.keys() & now.keys()):
        was, is_now = before[table], now[table]
        for lost, gained in ((was, is_now), (is_now, was)):
            worse = gained is is_now
            # each count beside the other: a table that several queries of a statement read may be read both ways
            if lost.keyed > gained.keyed and gained.unindexed > lost.unindexed:
                first, second = (was.words(keyed=worse), is_now.words(keyed=not worse))
                yield Change(f"{first} became {second} on `{table}`", worse, table)
            elif lost.keyed > gained.keyed and gained.full > lost.full:
                words = (f"an index scan by a key became one of all entries on `{table}`", True)
                if not worse:
                    words = (f"an index scan of all entries became one by a key on `{table}`", False)
                yield Change(*words, table)


@dataclass(slots=True)
class _Reads:
    """How often a table is read in which way, and how that is called."""

    keyed: int = 0
    full: int = 0
    unindexed: int = 0
    keyed_word: str = "index scan"
    unindexed_word: str = "sequential scan"

    def words(self, *, keyed: bool) -> str:
        return self.keyed_word if keyed else self.unindexed_word


def _by_table(nodes: Iterable[ShapeNode]) -> dict[str, _Reads]:
    found: dict[str, _Reads] = {}
    for node in nodes:
        if not node.table or node.what not in (*_INDEXED, *_UNINDEXED):
            continue
        reads = found.setdefault(node.table, _Reads())
        if node.what in _UNINDEXED:
            reads.unindexed += 1
            reads.unindexed_word = node.what
        elif node.is_full:
            reads.full += 1
        else:
            reads.keyed += 1
            reads.keyed_word = node.what
    return found


def _appeared(old: Iterable[ShapeNode], new: Iterable[ShapeNode], *, has_costs: bool) -> Iterator[Change]:
    before, now = (Counter(node.what for node in nodes) for nodes in (old, new))
    for what, text in _APPEARING:
        if now[what] > before[what]:
            # PostgreSQL keeps rows of the inner side of a loop as it likes: there the cost tells
            yield Change(text, is_worse=what == str(Access.SORT) or not has_costs)


def _joins(old: Iterable[ShapeNode], new: Iterable[ShapeNode]) -> Iterator[Change]:
    before, now = (Counter(node.what for node in nodes if node.what in _JOINS) for nodes in (old, new))
    gone, come = sorted((before - now).elements()), sorted((now - before).elements())
    for was, is_now in zip(gone, come, strict=False):
        yield Change(f"{was} became {is_now}", is_worse=False)


def _indexes(old: Iterable[ShapeNode], new: Iterable[ShapeNode]) -> Iterator[Change]:
    before, now = (Counter((node.table, node.index) for node in nodes if node.index) for nodes in (old, new))
    gone, come = sorted((before - now).elements()), sorted((now - before).elements())
    for table, index in come:
        other = next((name for of, name in gone if of == table), "")
        if other:
            gone.remove((table, other))
            where = f" on `{table}`" if table else ""
            yield Change(f"index `{other}` became `{index}`{where}", is_worse=False)
