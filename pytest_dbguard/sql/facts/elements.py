"""Reads FROM: tables, queries, CTEs, functions, and the joins between them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from sqlglot import exp

from pytest_dbguard.sql.facts.joins import JoinNode, Node, leaves
from pytest_dbguard.sql.facts.scans import Leaf, Output, Part, QueryInfo, Reach, ScanDraft
from pytest_dbguard.sql.facts.scopes import Scope, has, is_open
from pytest_dbguard.sql.facts.text import NotUnderstood
from pytest_dbguard.sql.facts.trees import children

_FUNCTIONS = (exp.Func, exp.Lateral, exp.Unnest, exp.Values, exp.Anonymous, exp.Dot)


@dataclass(slots=True)
class FromReader:
    """Builds the tree of joins of one query.

    Attributes:
        scope: That gets the elements.
        scans: That gets the tables, in the order of the text.
        unresolved: That gets columns of USING which nobody can tell.
        read_query: Reads a query in FROM; the scope is what it may see, None for nothing.
        visit: Reads expressions of functions in FROM.
    """

    scope: Scope
    scans: list[ScanDraft]
    unresolved: dict[str, None]
    read_query: Callable[[exp.Expr, Scope | None], QueryInfo]
    visit: Callable[[exp.Expr, Scope], None]
    conditions: dict[int, list[exp.Expr]] = field(default_factory=dict)

    def read(self, first: exp.Expr | None, joins: list[exp.Expr]) -> Node | None:
        """Return the tree of an element and the joins after it."""
        tree = self.element(first) if first is not None else None
        return self.joined(tree, joins)

    def joined(self, tree: Node | None, joins: list[exp.Expr]) -> Node | None:
        """Return a tree with further joins."""
        for join in joins:
            right = self.element(join.this)
            tree = right if tree is None else self._join(tree, right, join)
        return tree

    def element(self, node: exp.Expr, *, is_written: bool = False) -> Node:
        """Return one element of FROM.

        Raises:
            NotUnderstood: It is of a kind that is not known.
        """
        is_group = isinstance(node, exp.Subquery | exp.Paren) and not isinstance(node.this, exp.Values)
        if is_group and not holds_query(node):
            inner = self.element(node.this)
            return self.joined(inner, node.args.get("joins") or []) or inner
        if isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier):
            leaf: Node = self._table(node, is_written=is_written)
        elif isinstance(node, exp.Lateral) and isinstance(node.this, exp.Subquery):
            leaf = self._derived(node, self.read_query(node.this.this, self.scope))
        elif isinstance(node, exp.Subquery) and isinstance(node.this, exp.Query):
            leaf = self._derived(node, self.read_query(node, self.scope.parent))
        elif isinstance(node, (exp.Table, exp.Subquery, exp.Paren, *_FUNCTIONS)):
            leaf = self._function(node)
        else:
            raise NotUnderstood(f"{node.key} in FROM")
        return self.joined(leaf, node.args.get("joins") or []) or leaf

    def _table(self, node: exp.Table, *, is_written: bool) -> Leaf:
        names = self.scope.names
        table, schema = names.name(node.this), names.name(node.args.get("db"))
        alias = _alias(node, self.scope) or table
        part = self.scope.parts.get(names.key(table)) if not schema else None
        if part is not None:
            return self._part(node, alias, part)
        known = names.columns_of(table, schema)
        scan = ScanDraft(alias, table, schema, self.scope.query, known, is_written=is_written)
        # TABLESAMPLE and SQLite's NOT INDEXED
        scan.is_unindexed = node.args.get("sample") is not None or node.args.get("indexed") is False
        self.scans.append(scan)
        return self.scope.add(Leaf(alias, self.scope.query, scan))

    def _part(self, node: exp.Table, alias: str, part: Part) -> Leaf:
        leaf = Leaf(alias, self.scope.query)
        _fill(leaf, part.info, _column_names(node, self.scope) or part.names, part.reach, self.scope)
        return self.scope.add(leaf)

    def _derived(self, node: exp.Expr, info: QueryInfo) -> Leaf:
        leaf = Leaf(_alias(node, self.scope), self.scope.query)
        _fill(leaf, info, _column_names(node, self.scope), Reach.ALL, self.scope)
        return self.scope.add(leaf)

    def _function(self, node: exp.Expr) -> Leaf:
        """Take in what is computed: its arguments may name what stands before it."""
        names = _column_names(node, self.scope)
        for part in children(node):
            if not isinstance(part, exp.TableAlias | exp.Join):
                self.visit(part, self.scope)
        function = node.this if isinstance(node.this, exp.Expression) else None
        alias = _alias(node, self.scope) or self.scope.names.name(function)
        leaf = Leaf(alias, self.scope.query, is_open=not names)
        leaf.outputs = {self.scope.names.key(name): Output(name) for name in names}
        return self.scope.add(leaf)

    def _join(self, left: Node, right: Node, join: exp.Expr) -> JoinNode:
        side, method = (str(join.args.get(name) or "").upper() for name in ("side", "method"))
        on, using = join.args.get("on"), join.args.get("using") or []
        kind = side.lower() if side in ("LEFT", "RIGHT", "FULL") else "inner"
        node = JoinNode(left, right, kind)
        conditions = [on] if on is not None else []
        if method == "NATURAL":
            using = self._natural(left, right)
        conditions += filter(None, (self._equal(left, right, column, kind) for column in using))
        self.conditions[id(node)] = conditions
        return node

    def _natural(self, left: Node, right: Node) -> list[exp.Expr]:
        """Return the columns that both sides have."""
        if any(is_open(leaf) for leaf in (*leaves(left), *leaves(right))):
            self.unresolved["NATURAL JOIN"] = None
            return []
        own = {key: name for leaf in leaves(right) for key, name in _columns(leaf).items()}
        others = {key for leaf in leaves(left) for key in _columns(leaf)}
        return [exp.to_identifier(name, quoted=True) for key, name in own.items() if key in others]

    def _equal(self, left: Node, right: Node, column: exp.Expr, kind: str) -> exp.Expr | None:
        """Return the equation that USING means for one column."""
        name = self.scope.names.name(column if isinstance(column, exp.Identifier) else column.this)
        key = self.scope.names.key(name)
        one, other = self._owner(leaves(left), key), self._owner(leaves(right), key)
        if one is None or other is None:
            self.unresolved[name] = None
            return None
        self.scope.merged[key] = other if kind == "right" else one
        self.scope.merges += 1
        sides = (exp.column(name, table=leaf.alias, quoted=True) for leaf in (one, other))
        return exp.EQ(this=next(sides), expression=next(sides))

    def _owner(self, found: list[Leaf], key: str) -> Leaf | None:
        merged = self.scope.merged.get(key)
        if merged in found:
            return merged
        having = [leaf for leaf in found if has(leaf, key)] or [leaf for leaf in found if is_open(leaf)]
        return having[0] if len(having) == 1 else None


def holds_query(node: exp.Expr) -> bool:
    """Whether parentheses hold a query, rather than a table or a join."""
    inner = node.this
    while isinstance(inner, exp.Subquery) and not inner.args.get("joins") and not inner.args.get("alias"):
        inner = inner.this
    return isinstance(inner, exp.Select | exp.SetOperation)


def _fill(leaf: Leaf, info: QueryInfo, names: tuple[str, ...], reach: Reach, scope: Scope) -> None:
    """Give an element the columns of a query, by the names that an alias gives them."""
    for number, output in enumerate(info.outputs):
        name = names[number] if number < len(names) else output.name
        refs = tuple(replace(ref, reach=min(ref.reach, reach)) for ref in output.refs)
        leaf.outputs.setdefault(scope.names.key(name), Output(name, refs))
    leaf.is_open, leaf.rest = info.is_open, info.rest
    leaf.rest_reach = min(reach, Reach.ALL if info.is_simple else Reach.NONE)


def _columns(leaf: Leaf) -> dict[str, str]:
    outputs = {key: output.name for key, output in leaf.outputs.items()}
    return outputs | ((leaf.scan.known or {}) if leaf.scan is not None else {})


def _alias(node: exp.Expr, scope: Scope) -> str:
    alias = node.args.get("alias")
    return scope.names.name(alias.this if isinstance(alias, exp.TableAlias) else alias)


def _column_names(node: exp.Expr, scope: Scope) -> tuple[str, ...]:
    alias = node.args.get("alias")
    columns = alias.args.get("columns") or () if isinstance(alias, exp.TableAlias) else ()
    return tuple(scope.names.name(column if isinstance(column, exp.Identifier) else column.this) for column in columns)
