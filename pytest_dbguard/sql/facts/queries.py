"""Walks over the queries of a statement, each in its scope, and gathers what its scans are asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from sqlglot import exp

from pytest_dbguard.sql.facts.applying import Conditions
from pytest_dbguard.sql.facts.elements import FromReader, holds_query
from pytest_dbguard.sql.facts.joins import Node, leaves
from pytest_dbguard.sql.facts.model import Join, Written
from pytest_dbguard.sql.facts.names import Names, arg
from pytest_dbguard.sql.facts.ordering import set_groups, set_order
from pytest_dbguard.sql.facts.outputs import fill_outputs, is_limited
from pytest_dbguard.sql.facts.readings import conjuncts
from pytest_dbguard.sql.facts.scans import Output, Part, Query, QueryInfo, Reach, ScanDraft
from pytest_dbguard.sql.facts.scopes import Scope
from pytest_dbguard.sql.facts.text import NotUnderstood
from pytest_dbguard.sql.facts.trees import children, find_all

Parts = Mapping[str, Part]
# arguments of a query that are read by themselves
_OWN = frozenset({"from", "from_", "joins", "laterals", "with", "with_", "where"})


@dataclass(slots=True)
class Analyst:
    """Reads one statement; what it finds grows in the order of the text."""

    names: Names
    uses: Mapping[str, int] = field(default_factory=dict)
    scans: list[ScanDraft] = field(default_factory=list)
    joins: list[Join] = field(default_factory=list)
    written: list[Written] = field(default_factory=list)
    unresolved: dict[str, None] = field(default_factory=dict)
    infos: dict[int, QueryInfo] = field(default_factory=dict)
    scopes: dict[int, Scope] = field(default_factory=dict)
    count: int = 0

    def new_query(self, around: Query | None) -> Query:
        """Return the next query; `around` is the one that it stands in."""
        query = Query(self.count, parent=around)
        self.count += 1
        return query

    def query(self, node: exp.Expr, sees: Scope | None, around: Query | None, parts: Parts) -> QueryInfo:
        """Read a query of any kind, once.

        Args:
            node: Its tree.
            sees: The scope around it, where it may be correlated; None for a derived table.
            around: The query that it stands in.
            parts: Of WITH that it may name.

        Raises:
            NotUnderstood: It is of a kind that is not known.
        """
        known = self.infos.get(id(node))
        if known is not None:
            return known
        if isinstance(node, exp.Subquery):
            info = self._wrapped(node, sees, around, parts)
        elif isinstance(node, exp.SetOperation):
            info = self._set_operation(node, sees, around, parts)
        elif isinstance(node, exp.Select):
            info = self._select(node, sees, around, parts)
        elif isinstance(node, exp.Values):
            info = self._values(node, sees, around, parts)
        else:
            raise NotUnderstood(f"{node.key} as a query")
        self.infos[id(node)] = info
        return info

    def visit(self, expression: exp.Expr, scope: Scope, *, is_read: bool = True) -> None:
        """Note the columns that an expression names, and read the queries in it."""
        pending = [expression]
        while pending:
            node = pending.pop()
            if isinstance(node, exp.Query) and not _is_parenthesis(node):
                self.query(node, scope, scope.query, scope.parts)
            elif isinstance(node, exp.Column):
                self._name(node, scope, is_read=is_read)
            elif isinstance(node, exp.Star):
                if isinstance(node.parent, exp.Select | exp.Returning):
                    _mark_whole(scope.leaves.values())
            else:
                pending += reversed(children(node))

    def _name(self, column: exp.Column, scope: Scope, *, is_read: bool) -> None:
        if isinstance(column.this, exp.Star):
            leaf = scope.by_alias(column)
            _mark_whole([leaf] if leaf is not None else [])
            return
        found = scope.find(column)
        if found is None:
            leaf = scope.whole(column)
            if leaf is not None:
                _mark_whole([leaf])
            elif scope.is_alias(column):
                # SQLite takes it for the expression of the SELECT list also in WHERE
                scope.is_unclear = scope.is_unclear or not self.names.is_postgres
            elif not scope.is_string(column):
                scope.is_unclear = True
                self.unresolved[column.sql(self.names.sqlglot_dialect)] = None
            return
        scan = found.leaf.scan or (found.leaf.rest if found.name not in found.leaf.outputs else None)
        if scan is not None:
            scan.columns.add(found.name)
            if is_read:
                scan.read.add(found.name)

    def visit_condition(self, condition: exp.Expr, scope: Scope) -> None:
        """Note what one condition names; an equation of two columns does not read them."""
        node = condition.unnest()
        is_equation = isinstance(node, exp.EQ) and all(
            isinstance(side.unnest(), exp.Column) for side in (node.this, node.expression)
        )
        self.visit(condition, scope, is_read=not is_equation)

    def from_reader(self, scope: Scope) -> FromReader:
        """Return what reads the FROM of a query in this scope."""
        return FromReader(
            scope,
            self.scans,
            self.unresolved,
            lambda node, sees: self.query(node, sees, scope.query, scope.parts),
            self.visit,
        )

    def conditions(self, scope: Scope, reader: FromReader, where: exp.Expr | None) -> Conditions:
        """Return the conditions of a query, after noting what they name."""
        wheres = list(conjuncts(where.this)) if where is not None else []
        joined = {key: [c for on in ons for c in conjuncts(on)] for key, ons in reader.conditions.items()}
        for condition in (*(c for ons in joined.values() for c in ons), *wheres):
            self.visit_condition(condition, scope)
        return Conditions(scope, self.infos, self.joins, wheres, joined)

    def with_parts(self, node: exp.Expr, sees: Scope | None, query: Query, parts: Parts) -> Parts:
        """Return the parts that a query may name: those around it and those of its own WITH."""
        found = arg(node, "with")
        if found is None:
            return parts
        known = dict(parts)
        for part in found.expressions:
            key = self.names.key(self.names.name(part.args["alias"].this))
            names = tuple(self.names.name(column) for column in part.args["alias"].args.get("columns") or ())
            is_recursive = bool(found.args.get("recursive")) and self._names_itself(part, key)
            if is_recursive:
                known[key] = _recursive(part.this, names, query)
            info = self._part(part.this, sees, query, known)
            reach = self._reach(part, key, is_recursive=is_recursive)
            if reach is Reach.NONE and self.uses.get(key, 0) > 1:
                # a table of its own: joined with itself it is not the same scan twice
                info = QueryInfo(info.query, [Output(o.name) for o in info.outputs], info.is_open, is_simple=False)
            known[key] = Part(info, names, reach)
        return known

    def change(self, node: exp.Expr, sees: Scope | None, around: Query | None, parts: Parts) -> QueryInfo:
        """Read a statement that changes rows."""
        raise NotUnderstood(f"{node.key} as a query")

    def _part(self, node: exp.Expr, sees: Scope | None, query: Query, parts: Parts) -> QueryInfo:
        if isinstance(node, exp.Insert | exp.Update | exp.Delete | exp.Merge):
            return self.change(node, sees, query, parts)
        return self.query(node, sees, query, parts)

    def _names_itself(self, part: exp.Expr, key: str) -> bool:
        return any(self.names.key(self.names.name(t.this)) == key for t in find_all(part.this, exp.Table))

    def _reach(self, part: exp.Expr, key: str, *, is_recursive: bool) -> Reach:
        """Return what arrives within a part: nothing where it is computed once for all."""
        hint = part.args.get("materialized")
        is_inlined = not is_recursive and hint is not True and self.uses.get(key, 0) == 1
        return Reach.ALL if is_inlined and isinstance(part.this, exp.Query) else Reach.NONE

    def _select(self, node: exp.Select, sees: Scope | None, around: Query | None, parts: Parts) -> QueryInfo:
        query = self.new_query(around)
        scope = Scope(self.names, query, sees, parts=self.with_parts(node, sees, query, parts))
        self.scopes[id(node)] = scope
        scope.aliases = frozenset(
            self.names.key(self.names.name(item.args["alias"]))
            for item in node.expressions
            if isinstance(item, exp.Alias)
        )
        reader = self.from_reader(scope)
        source = arg(node, "from")
        tree = reader.read(source.this if source is not None else None, node.args.get("joins") or [])
        for lateral in node.args.get("laterals") or ():
            reader.element(lateral)
        for name, value in node.args.items():
            if name not in _OWN:
                for part in value if isinstance(value, list) else [value]:
                    if isinstance(part, exp.Expression):
                        self.visit(part, scope)
        info = QueryInfo(query)
        self.conditions(scope, reader, node.args.get("where")).apply(tree, info)
        self._finish(info, node, scope, tree)
        return info

    def _finish(self, info: QueryInfo, node: exp.Select, scope: Scope, tree: Node | None) -> None:
        gathers = fill_outputs(info, node, scope, leaves(tree))
        set_groups(node, scope)
        set_order(node, scope, info.free, gathers=gathers)

    def _wrapped(self, node: exp.Subquery, sees: Scope | None, around: Query | None, parts: Parts) -> QueryInfo:
        """Read a query in parentheses, which may have a LIMIT of their own."""
        if arg(node, "with") is not None:
            parts = self.with_parts(node, sees, around or Query(self.count), parts)
        info = self.query(node.this, sees, around, parts)
        if not is_limited(node):
            return info
        outputs = [Output(o.name, tuple(replace(ref, reach=Reach.NONE) for ref in o.refs)) for o in info.outputs]
        return QueryInfo(info.query, outputs, info.is_open, info.rest, is_simple=False)

    def _set_operation(self, node: exp.Expr, sees: Scope | None, around: Query | None, parts: Parts) -> QueryInfo:
        """Read the branches of UNION and its like; a chain of them leans to the left."""
        chain: list[exp.Expr] = []
        branches: list[exp.Expr] = []
        while isinstance(node, exp.SetOperation):
            query = around or Query(self.count)
            parts = self.with_parts(node, sees, query, parts)
            chain.append(node)
            branches.insert(0, node.expression)
            node = node.this
        infos = [self.query(branch, sees, around, parts) for branch in (node, *branches)]
        cap = min(map(_set_reach, chain))
        if cap is Reach.VALUES and not self.names.is_postgres:
            cap = Reach.NONE
        if any(map(is_limited, chain)):
            cap = Reach.NONE
        outputs = [
            Output(output.name, tuple(replace(r, reach=min(r.reach, cap)) for i in infos for r in _at(i, number).refs))
            for number, output in enumerate(infos[0].outputs)
        ]
        return QueryInfo(infos[0].query, outputs, infos[0].is_open, is_simple=False)

    def _values(self, node: exp.Values, sees: Scope | None, around: Query | None, parts: Parts) -> QueryInfo:
        query = self.new_query(around)
        scope = Scope(self.names, query, sees, parts=parts)
        for row in node.expressions:
            self.visit(row, scope)
        width = len(node.expressions[0].expressions) if node.expressions else 0
        return QueryInfo(query, [Output(f"column{number + 1}") for number in range(width)], is_simple=False)


def _recursive(node: exp.Expr, names: tuple[str, ...], query: Query) -> Part:
    """Return what a recursive part is to itself."""
    first = node
    while isinstance(first, exp.SetOperation | exp.Subquery):
        first = first.this
    told = names or tuple(getattr(first, "named_selects", ()))
    is_open = not told or "*" in told
    return Part(QueryInfo(query, [Output(name) for name in told], is_open, is_simple=False), names, Reach.NONE)


def _set_reach(node: exp.Expr) -> Reach:
    if not isinstance(node, exp.Union):
        return Reach.NONE
    return Reach.VALUES if node.args.get("distinct") else Reach.ALL


def _at(info: QueryInfo, number: int) -> Output:
    return info.outputs[number] if number < len(info.outputs) else Output("")


def _is_parenthesis(node: exp.Expr) -> bool:
    """Whether a node that sqlglot calls a query is none: a join or a list in parentheses."""
    return isinstance(node, exp.Subquery) and not isinstance(node.this, exp.Values) and not holds_query(node)


def _mark_whole(found: Iterable[object]) -> None:
    for leaf in found:
        scan = getattr(leaf, "scan", None) or getattr(leaf, "rest", None)
        if scan is not None:
            scan.is_whole = True
