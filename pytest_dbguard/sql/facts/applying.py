"""Applies the conditions of one query: to its outer joins, to its scans, to the joins that they make."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlglot import exp

from pytest_dbguard.sql.facts.alternatives import give_or, read_condition
from pytest_dbguard.sql.facts.conditions import ConditionReader
from pytest_dbguard.sql.facts.joins import (
    JoinNode,
    Node,
    assign,
    bound_by,
    free,
    leaves,
    meeting,
    nodes,
    reduce_outer,
    told,
)
from pytest_dbguard.sql.facts.model import Join, Term, TermKind
from pytest_dbguard.sql.facts.operands import Operand
from pytest_dbguard.sql.facts.readings import Bound, Reading
from pytest_dbguard.sql.facts.scans import Found, Leaf, QueryInfo, Reach, Ref
from pytest_dbguard.sql.facts.scopes import Scope


@dataclass(slots=True)
class Conditions:
    """The conditions of one query: of WHERE, and of each join by the id of its node."""

    scope: Scope
    infos: Mapping[int, QueryInfo]
    joins: list[Join]
    wheres: list[exp.Expr]
    joined: dict[int, list[exp.Expr]]

    def apply(self, tree: Node | None, info: QueryInfo) -> None:
        """Give every scan its terms, and tell the joins."""
        reader = ConditionReader(self.scope, self.infos)
        is_postgres = self.scope.names.is_postgres
        wheres = [read_condition(condition, reader) for condition in self.wheres]
        for node in nodes(tree):
            node.readings = [read_condition(condition, reader) for condition in self.joined.get(id(node), ())]
        if tree is not None:
            strict = {id(leaf) for reading in wheres for leaf in reading.strict}
            reduce_outer(tree, strict, is_postgres=is_postgres)
        info.free = free(tree)
        self._mark_outer(leaves(tree), info.free)
        self._give(wheres, info.free)
        for node in nodes(tree):
            self._give(node.readings, bound_by(node, is_postgres=is_postgres))
        if self.scope.is_unclear:
            for leaf in info.free:
                if leaf.scan is not None:
                    leaf.scan.is_restricted = leaf.scan.is_restricted or bool(self.wheres)
        self._tie(tree, wheres, info)
        for node in nodes(tree):
            self._tell(node)

    def _mark_outer(self, found: list[Leaf], arriving: list[Leaf]) -> None:
        ids = {id(leaf) for leaf in arriving}
        for leaf in found:
            if leaf.scan is not None:
                leaf.scan.is_outer = id(leaf) not in ids

    def _give(self, readings: list[Reading], arriving: list[Leaf]) -> None:
        """Give terms to the scans that the conditions arrive at."""
        ids = {id(leaf) for leaf in arriving}

        def arrives(bound: Bound) -> bool:
            return bound.is_local and id(bound.leaf) in ids and bound.ref.reach >= bound.needs

        for reading in readings:
            for leaf in reading.mentions:
                if leaf.scan is not None and leaf.scan.query is self.scope.query:
                    leaf.scan.is_restricted = True
            for bound in filter(arrives, reading.bounds):
                bound.ref.scan.terms.setdefault(bound.term)
            if reading.either:
                give_or(reading.either, arrives)
            for kind, columns, query in reading.queries:
                self._semi(kind, columns, self.infos.get(id(query.unnest())), ids)

    def _tie(self, tree: Node | None, wheres: list[Reading], info: QueryInfo) -> None:
        """Note at each join the equations that tie its sides together, and those with queries around."""
        readings: list[tuple[JoinNode | None, Reading]] = [(None, reading) for reading in wheres]
        readings += [(node, reading) for node in nodes(tree) for reading in node.readings]
        for node, reading in readings:
            for one, other in reading.pairs:
                if one.is_local and other.is_local and tree is not None:
                    if node is None or node.is_inner or meeting(tree, one.leaf, other.leaf) is node:
                        assign(tree, one, other)
                elif one.is_local != other.is_local:
                    info.outer_pairs.append((one, other) if one.is_local else (other, one))
        for reading in wheres:
            if tree is not None and not reading.pairs and len(reading.mentions) > 1:
                met = meeting(tree, *reading.mentions[:2])
                if met is not None and met.is_inner:
                    met.readings.append(reading)

    def _tell(self, node: JoinNode) -> None:
        for join in told(node):
            self.joins.append(join)
            if join.kind != "cross":
                tied = [found.leaf for pair in node.pairs for found in pair]
                mentioned = [leaf for reading in node.readings for leaf in reading.mentions]
                for leaf in (*tied, *mentioned):
                    _mark_joined(leaf)

    def _semi(self, kind: str, columns: Iterable[Operand], inner: QueryInfo | None, arriving: set[int]) -> None:
        """Tell the join that IN or EXISTS is."""
        if inner is None:
            return
        groups: dict[tuple[str, int, str, int], dict[tuple[str, str], None]] = {}
        for outer, ref in self._ties(columns, inner):
            (alias, column) = outer.place
            group = groups.setdefault((alias, outer.query, ref.scan.alias, ref.scan.query.number), {})
            group[column, ref.column] = None
            _mark_joined(outer.leaf)
            ref.scan.is_joined = True
            is_tied_to_value = any(True for _ in columns) and inner.query.is_correlated
            if kind == "semi" and inner.is_simple and self.scope.names.is_postgres and not is_tied_to_value:
                self._both_ways(outer, ref, arriving)
        for (left, left_query, right, right_query), equal in groups.items():
            self.joins.append(Join(left, right, kind, tuple(equal), False, left_query, right_query))

    def _ties(self, columns: Iterable[Operand], inner: QueryInfo) -> Iterable[tuple[Found, Ref]]:
        """Yield (column of this query, column of the inner one) that must be equal."""
        for number, column in enumerate(columns):
            ref = inner.plain_output(number)
            if ref is not None and column.kind == "column" and column.found[0].is_local:
                yield column.found[0], ref
        own = {id(leaf) for leaf in self.scope.leaves.values()}
        for one, other in inner.outer_pairs:
            if one.plain is not None and id(other.leaf) in own:
                yield other, one.plain

    def _both_ways(self, outer: Found, ref: Ref, arriving: set[int]) -> None:
        """Let each side be looked up by the other: PostgreSQL may begin at either."""
        other = outer.place
        term = Term(ref.column, TermKind.JOIN, expression=ref.column, operand="column", operator="=")
        if ref.reach is Reach.ALL and not any(t.column == ref.column and t.other == other for t in ref.scan.terms):
            ref.scan.terms.setdefault(_with_other(term, other, outer.query))
        own = outer.plain
        if own is not None and own.reach is Reach.ALL and id(outer.leaf) in arriving:
            place = (ref.scan.alias, ref.column)
            if not any(t.column == own.column and t.other == place for t in own.scan.terms):
                term = Term(own.column, TermKind.JOIN, expression=own.column, operand="column", operator="=")
                own.scan.terms.setdefault(_with_other(term, place, ref.scan.query.number))


def _with_other(term: Term, other: tuple[str, str], query: int) -> Term:
    return Term(
        term.column,
        term.kind,
        expression=term.expression,
        other=other,
        operand=term.operand,
        operator=term.operator,
        other_query=query,
    )


def _mark_joined(leaf: Leaf) -> None:
    for scan in (leaf.scan, leaf.rest, *(ref.scan for output in leaf.outputs.values() for ref in output.refs)):
        if scan is not None:
            scan.is_joined = True
