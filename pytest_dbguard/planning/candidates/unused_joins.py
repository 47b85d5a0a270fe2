"""Joins that change nothing: no column of the joined table is read, and it neither adds rows nor takes any away."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from pytest_dbguard.planning.candidates.expressions import parsed_statement
from pytest_dbguard.schema.catalog import Catalog, Dialect, Table
from pytest_dbguard.sql.facts.model import Join, Scan, StatementFacts

if TYPE_CHECKING:
    from sqlglot import exp


@dataclass(frozen=True, slots=True)
class UnusedJoin:
    """A join that can go.

    Attributes:
        alias: Of the joined table in the statement.
        table: The table, as `Table.label`.
        kind: "left" or "inner".
        columns: Columns of it that the join compares.
        reason: Why it adds and takes no rows, in a few words.
    """

    alias: str
    table: str
    kind: str
    columns: tuple[str, ...]
    reason: str


def unused_joins(facts: StatementFacts, catalog: Catalog, *, sql: str = "") -> tuple[UnusedJoin, ...]:
    """Return the joins that a statement can do without; () without `sql`, the text that `facts` are of."""
    has_joins = facts.verb == "SELECT" and any(join.kind in ("left", "inner") for join in facts.joins)
    if not sql or not has_joins or not catalog.tables:
        return ()
    # most joins are told apart without it
    tree = cache(lambda: parsed_statement(sql, catalog.dialect))
    found: dict[str, UnusedJoin] = {}
    # without the last join of a chain nothing may be left that reads the one before
    while more := [each for each in _found(facts, catalog, tree, frozenset(found)) if each.alias not in found]:
        found |= {each.alias: each for each in more}
    return tuple(found.values())


def _found(
    facts: StatementFacts, catalog: Catalog, tree: Callable[[], exp.Expr | None], gone: frozenset[str]
) -> Iterator[UnusedJoin]:
    left = [each for each in facts.joins if each.right not in gone]
    for join in left:
        scans = [scan for scan in facts.scans if scan.alias == join.right]
        # whatever else the ON of an outer join says, its left side's rows stay
        is_kept = join.kind == "left" or (join.kind == "inner" and not join.has_other_terms)
        is_simple = len(scans) == 1 and join.equal and is_kept
        if not is_simple or sum(join.right in (each.left, each.right) for each in left) != 1:
            continue
        table = catalog.table(scans[0].table, scans[0].schema)
        reason = _reason(facts, catalog, join, table) if table is not None else ""
        if table is None or not reason:
            continue
        parsed = tree()
        if parsed is not None and _is_named_only_by_joins(parsed, {join.right, *gone}, join.right, table):
            columns = tuple(right for _, right in join.equal)
            yield UnusedJoin(join.right, table.label, join.kind, columns, reason)


def _reason(facts: StatementFacts, catalog: Catalog, join: Join, table: Table) -> str:
    """Return why a join neither adds rows nor takes any away; "" where it may."""
    columns = {right for _, right in join.equal}
    if not any(set(unique) <= columns for unique in table.uniques()):
        return ""
    if join.kind == "left":
        return "its key is unique, and an outer join takes no rows away"
    scans = [scan for scan in facts.scans if scan.alias == join.left]
    # SQLite enforces foreign keys only where it is asked to
    if len(scans) != 1 or catalog.dialect is Dialect.SQLITE or scans[0].is_outer:
        return ""
    return "a foreign key that is never NULL leads to its only row" if _is_kept(catalog, scans[0], join, table) else ""


def _is_kept(catalog: Catalog, scan: Scan, join: Join, table: Table) -> bool:
    """Whether each row of the left side has its row on the right, by a foreign key."""
    own = catalog.table(scan.table, scan.schema)
    if own is None:
        return False
    pairs = set(join.equal)
    return any(
        (key.referred_schema, key.referred_table) == (table.schema, table.name)
        and set(zip(key.columns, key.referred_columns, strict=False)) == pairs
        and all(column is not None and not column.nullable for column in map(own.column, key.columns))
        for key in own.foreign_keys
    )


def _is_named_only_by_joins(tree: exp.Expr, aliases: set[str], alias: str, table: Table) -> bool:
    """Whether a table is named nowhere but in the conditions of its own join and of others that can go."""
    from sqlglot import exp

    if tree.find(exp.Lock) is not None:
        # it locks the rows of all tables
        return False
    joins = [join for join in tree.find_all(exp.Join) if join.this.alias_or_name == alias]
    if len(joins) != 1 or not isinstance(joins[0].this, exp.Table) or joins[0].args.get("using"):
        return False
    stars = (star for star in tree.find_all(exp.Star) if not isinstance(star.parent, exp.Count))
    if any(not isinstance(star.parent, exp.Column) or star.parent.table == alias for star in stars):
        return False
    going = (join.args.get("on") for join in tree.find_all(exp.Join) if join.this.alias_or_name in aliases)
    inside = {id(column) for condition in going if condition is not None for column in condition.find_all(exp.Column)}
    names = {column.name for column in table.columns}
    return not any(
        column.table == alias or (not column.table and column.name in names)
        for column in tree.find_all(exp.Column)
        if id(column) not in inside
    )
