"""Finds what a name of a column stands for: by its alias, by the schema, outwards; never by a guess."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sqlglot import exp

from pytest_dbguard.sql.facts.names import Names
from pytest_dbguard.sql.facts.scans import Found, Leaf, Part, Query, Ref


@dataclass(slots=True)
class Scope:
    """The elements of FROM that one query sees, and the scope around it.

    Attributes:
        names: How names are compared.
        query: Whose it is.
        parent: What a correlated query sees beyond; None where nothing.
        leaves: By the keys of their aliases.
        merged: Columns that USING made one of, by key.
        aliases: Keys of the names that the SELECT list gives.
        parts: Of WITH that it may name, by key.
        merges: How often USING made one of columns.
        is_unclear: Whether it names columns that nobody can tell.
        known: What was found of columns, by the id of their node, with the node and the elements that were seen.
    """

    names: Names
    query: Query
    parent: Scope | None = None
    leaves: dict[str, Leaf] = field(default_factory=dict)
    merged: dict[str, Leaf] = field(default_factory=dict)
    aliases: frozenset[str] = frozenset()
    parts: Mapping[str, Part] = field(default_factory=dict)
    merges: int = 0
    is_unclear: bool = False
    known: dict[int, tuple[exp.Column, int, Found | None]] = field(default_factory=dict, repr=False)

    @property
    def _seen(self) -> int:
        """How many elements are seen from here, which only become more."""
        number, scope = 0, self.parent
        while scope is not None:
            number += len(scope.leaves) + scope.merges
            scope = scope.parent
        return number + len(self.leaves) + self.merges

    def add(self, leaf: Leaf) -> Leaf:
        """Take an element in; one that nobody can name gets a name of its own."""
        key = self.names.key(leaf.alias)
        self.leaves[key if key and key not in self.leaves else f"#{len(self.leaves)}"] = leaf
        return leaf

    def chain(self) -> Iterator[Scope]:
        """Yield this scope and those around it."""
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.parent

    def find(self, column: exp.Column) -> Found | None:
        """Return what a column is; None where it is ambiguous or unknown. Marks correlated queries."""
        known, seen = self.known.get(id(column)), self._seen
        if known is not None and known[0] is column and known[1] == seen:
            return known[2]
        found = self._find(column)
        self.known[id(column)] = column, seen, found
        return found

    def _find(self, column: exp.Column) -> Found | None:
        name = self.names.name(column.this)
        table = column.args.get("table")
        alias = self.names.key(self.names.name(table))
        inner: list[Scope] = []
        scope: Scope | None = self
        while scope is not None:
            leaf = scope.leaves.get(alias) if table is not None else scope._by_column(name)
            if leaf is not None:
                for passed in inner:
                    passed.query.is_correlated = True
                return scope._found(leaf, name, is_local=not inner)
            if table is None and scope._may_have(name):
                return None
            inner.append(scope)
            scope = scope.parent
        return None

    def whole(self, column: exp.Column) -> Leaf | None:
        """Return the element that a name without an alias means as a whole row."""
        if column.args.get("table") is not None:
            return None
        key = self.names.key(self.names.name(column.this))
        return next((scope.leaves[key] for scope in self.chain() if key in scope.leaves), None)

    def is_string(self, column: exp.Column) -> bool:
        """Whether a name in double quotes is none to SQLite, which then takes it for a string."""
        if self.names.is_postgres or column.args.get("table") is not None or not column.this.args.get("quoted"):
            return False
        name = self.names.name(column.this)
        is_named = self.find(column) is not None or self.is_alias(column) or self.whole(column) is not None
        return not is_named and not any(scope._may_have(name) for scope in self.chain())

    def is_alias(self, column: exp.Column) -> bool:
        """Whether a name is one that the SELECT list gives."""
        name = self.names.key(self.names.name(column.this))
        return column.args.get("table") is None and any(name in scope.aliases for scope in self.chain())

    def by_alias(self, column: exp.Column) -> Leaf | None:
        """Return the element of this scope that a column's alias names."""
        return self.leaves.get(self.names.key(self.names.name(column.args.get("table"))))

    def _by_column(self, name: str) -> Leaf | None:
        key = self.names.key(name)
        if key in self.merged:
            return self.merged[key]
        having = [leaf for leaf in self.leaves.values() if has(leaf, key)]
        if len(having) == 1:
            return having[0]
        if having:
            return None
        open_ones = [leaf for leaf in self.leaves.values() if is_open(leaf)]
        if len(open_ones) == 1 and not self._is_seen_beyond(key):
            return open_ones[0]
        scans = [leaf for leaf in self.leaves.values() if leaf.scan is not None]
        return scans[0] if len(scans) == 1 and not open_ones and self.names.is_system(name) else None

    def _is_seen_beyond(self, key: str) -> bool:
        """Whether a scope around this one has such a column, or may have it."""
        around = self.parent.chain() if self.parent is not None else ()
        return any(has(leaf, key) or is_open(leaf) for scope in around for leaf in scope.leaves.values())

    def _may_have(self, name: str) -> bool:
        """Whether the name may belong to this scope, though nobody can tell to what."""
        key = self.names.key(name)
        return any(has(leaf, key) or is_open(leaf) for leaf in self.leaves.values())

    def _found(self, leaf: Leaf, name: str, *, is_local: bool) -> Found:
        key = self.names.key(name)
        if leaf.scan is not None:
            spelled = (leaf.scan.known or {}).get(key, name)
            return Found(leaf, spelled, (Ref(leaf.scan, spelled),), is_local)
        output = leaf.outputs.get(key)
        if output is not None:
            return Found(leaf, output.name, output.refs, is_local)
        if leaf.rest is not None:
            return Found(leaf, name, (Ref(leaf.rest, name, leaf.rest_reach),), is_local)
        return Found(leaf, name, (), is_local)


def has(leaf: Leaf, key: str) -> bool:
    """Whether an element certainly has a column."""
    return key in leaf.outputs or (leaf.scan is not None and key in (leaf.scan.known or ()))


def is_open(leaf: Leaf) -> bool:
    """Whether an element may have columns that nobody told."""
    return leaf.is_open or (leaf.scan is not None and leaf.scan.known is None)
