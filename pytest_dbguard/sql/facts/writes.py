"""Reads statements that change rows: what they set, and how they find the rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlglot import exp

from pytest_dbguard.sql.facts.elements import FromReader
from pytest_dbguard.sql.facts.joins import JoinNode, Node
from pytest_dbguard.sql.facts.model import Written
from pytest_dbguard.sql.facts.names import arg
from pytest_dbguard.sql.facts.ordering import set_order
from pytest_dbguard.sql.facts.queries import Analyst, Parts
from pytest_dbguard.sql.facts.scans import Leaf, Output, Query, QueryInfo
from pytest_dbguard.sql.facts.scopes import Scope
from pytest_dbguard.sql.facts.text import NotUnderstood


@dataclass(slots=True)
class WriteAnalyst(Analyst):
    """Reads statements of all kinds."""

    def change(self, node: exp.Expr, sees: Scope | None, around: Query | None, parts: Parts) -> QueryInfo:
        """Read a statement that changes rows; its columns are those of RETURNING.

        Raises:
            NotUnderstood: It is of a kind that is not known, or has a part that is not.
        """
        if isinstance(node, exp.Insert):
            return self._insert(node, sees, around, parts)
        query = self.new_query(around)
        scope = Scope(self.names, query, sees, parts=self.with_parts(node, sees, query, parts))
        self.scopes[id(node)] = scope
        if isinstance(node, exp.Update):
            return self._update(node, scope)
        if isinstance(node, exp.Delete):
            return self._delete(node, scope)
        if isinstance(node, exp.Merge):
            return self._merge(node, scope)
        raise NotUnderstood(node.key)

    def _update(self, node: exp.Update, scope: Scope) -> QueryInfo:
        sets = {self._set_name(part) for part in node.expressions}
        self._note("UPDATE", node.this, {name for names in sets for name in names})
        reader = self.from_reader(scope)
        source = arg(node, "from")
        tree = _beside(reader, self._target(reader, node.this), [source.this] if source is not None else [])
        joins = source.args.get("joins") if source is not None else None
        tree = reader.joined(tree, joins or []) or tree
        for part in node.expressions:
            self.visit(part.expression if isinstance(part, exp.EQ) else part, scope)
        return self._changed(node, scope, reader, tree)

    def _delete(self, node: exp.Delete, scope: Scope) -> QueryInfo:
        self._note("DELETE", node.this, set())
        reader = self.from_reader(scope)
        using = node.args.get("using") or []
        tree = _beside(reader, self._target(reader, node.this), using if isinstance(using, list) else [using])
        return self._changed(node, scope, reader, tree)

    def _merge(self, node: exp.Merge, scope: Scope) -> QueryInfo:
        """Read MERGE as a join of the source with the rows of the target."""
        whens = node.args.get("whens")
        actions = list(whens.expressions if isinstance(whens, exp.Expression) else node.expressions)
        columns = {name for when in actions for name in self._merge_columns(when)}
        self._note("MERGE", node.this, columns)
        reader = self.from_reader(scope)
        target = self._target(reader, node.this)
        source = reader.element(node.args["using"])
        inserts = any(not when.args.get("matched") for when in actions)
        tree = JoinNode(source, target, "left" if inserts else "inner")
        on = node.args.get("on")
        reader.conditions[id(tree)] = [on] if on is not None else []
        for when in actions:
            self._visit_action(when, scope)
        return self._changed(node, scope, reader, tree)

    def _visit_action(self, when: exp.Expr, scope: Scope) -> None:
        condition, action = when.args.get("condition"), when.args.get("then")
        if condition is not None:
            self.visit(condition, scope)
        if isinstance(action, exp.Update):
            for part in action.expressions:
                self.visit(part.expression if isinstance(part, exp.EQ) else part, scope)
        elif isinstance(action, exp.Insert) and isinstance(action.args.get("expression"), exp.Expression):
            self.visit(action.expression, scope)

    def _merge_columns(self, when: exp.Expr) -> Iterable[str]:
        action = when.args.get("then")
        if isinstance(action, exp.Update):
            return [name for part in action.expressions for name in self._set_name(part)]
        if isinstance(action, exp.Insert) and isinstance(action.this, exp.Tuple):
            return [self.names.name(column.this) for column in action.this.expressions]
        return []

    def _insert(self, node: exp.Insert, sees: Scope | None, around: Query | None, parts: Parts) -> QueryInfo:
        query = around if around is not None else Query(0)
        parts = self.with_parts(node, sees, self._statement(query), parts)
        schema = node.this
        table = schema.this if isinstance(schema, exp.Schema) else schema
        listed = {self.names.name(c if isinstance(c, exp.Identifier) else c.this) for c in _listed(schema)}
        if not isinstance(table, exp.Table) or not isinstance(table.this, exp.Identifier):
            raise NotUnderstood("INSERT")
        known = self.names.columns_of(self.names.name(table.this), self.names.name(table.args.get("db")))
        conflict = node.args.get("conflict")
        updates = list(conflict.expressions) if conflict is not None else []
        columns = (listed or set((known or {}).values())) | {name for part in updates for name in self._set_name(part)}
        self._note("INSERT", table, columns, self._conflict_columns(conflict))
        source = node.args.get("expression")
        if isinstance(source, exp.Query):
            self.query(source, sees, around, parts)
        scope = Scope(self.names, self._statement(query), sees, parts=parts)
        target = scope.add(Leaf(self._alias(table), scope.query, is_open=known is None))
        target.outputs = {key: Output(name) for key, name in (known or {}).items()}
        scope.add(Leaf("excluded", scope.query, is_open=False, outputs=target.outputs))
        for part in (source if isinstance(source, exp.Values) else None, conflict, node.args.get("returning")):
            if part is not None:
                self._visit_insert(part, scope)
        return QueryInfo(scope.query, self._returned(node, scope), is_open=True, is_simple=False)

    def _visit_insert(self, part: exp.Expr, scope: Scope) -> None:
        """Read the queries in VALUES, ON CONFLICT and RETURNING; columns there are of no scan."""
        for found in part.find_all(exp.Query):
            if found.find_ancestor(exp.Query) is None or isinstance(found.find_ancestor(exp.Query), exp.Insert):
                self.query(found, scope, scope.query, scope.parts)

    def _statement(self, query: Query) -> Query:
        """Return the query whose number an INSERT goes by: it has none of its own."""
        return query

    def _changed(self, node: exp.Expr, scope: Scope, reader: FromReader, tree: Node) -> QueryInfo:
        """Apply the conditions of a statement, and read what it returns."""
        info = QueryInfo(scope.query, is_simple=False)
        for name in ("returning", "order", "limit"):
            part = node.args.get(name)
            if part is not None:
                self.visit(part, scope)
        self.conditions(scope, reader, node.args.get("where")).apply(tree, info)
        set_order(node, scope, info.free)
        info.outputs, info.is_open = self._returned(node, scope), True
        return info

    def _target(self, reader: FromReader, table: exp.Expr) -> Node:
        return reader.element(table, is_written=True)

    def _returned(self, node: exp.Expr, scope: Scope) -> list[Output]:
        returning = node.args.get("returning")
        items = returning.expressions if returning is not None else []
        return [Output(scope.names.name(item.args.get("alias")) or item.alias_or_name) for item in items]

    def _note(self, verb: str, table: exp.Expr, columns: set[str], conflict: tuple[str, ...] = ()) -> None:
        if not isinstance(table, exp.Table) or not isinstance(table.this, exp.Identifier):
            raise NotUnderstood("what is changed is no table")
        name, schema = self.names.name(table.this), self.names.name(table.args.get("db"))
        known = self.names.columns_of(name, schema) or {}
        spelled = frozenset(known.get(self.names.key(column), column) for column in columns)
        self.written.append(Written(verb, name, schema, spelled, conflict))

    def _set_name(self, part: exp.Expr) -> tuple[str, ...]:
        """Return the columns that one part of SET gives a value."""
        left = part.this if isinstance(part, exp.EQ) else None
        columns = left.expressions if isinstance(left, exp.Tuple) else [left]
        return tuple(self.names.name(column.this) for column in columns if isinstance(column, exp.Column))

    def _conflict_columns(self, conflict: exp.Expr | None) -> tuple[str, ...]:
        keys = (conflict.args.get("conflict_keys") or []) if conflict is not None else []
        found = (key.this if isinstance(key, exp.Ordered) else key for key in keys)
        plain = (key.this if isinstance(key, exp.Column) else key for key in found)
        return tuple(self.names.name(key) for key in plain if isinstance(key, exp.Identifier))

    def _alias(self, table: exp.Table) -> str:
        alias = table.args.get("alias")
        return self.names.name(alias.this if alias is not None else table.this)


def _listed(schema: exp.Expr) -> list[exp.Expr]:
    return schema.expressions if isinstance(schema, exp.Schema) else []


def _beside(reader: FromReader, tree: Node, others: list[exp.Expr]) -> Node:
    """Return a tree with further elements that only WHERE ties to it."""
    for element in others:
        joins = element.args.pop("joins", None) or []
        node = JoinNode(tree, reader.element(element), "inner")
        reader.conditions[id(node)] = []
        tree = reader.joined(node, joins) or node
    return tree
