"""Finds FROM elements that no condition connects, so that each row of one comes with each row of the other."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlglot import exp

from pytest_dbguard.sql.parse import parse, source, yields_one_row

_KEYS = frozenset({"id", "uuid", "pk", "key"})


def unconnected(text: str) -> tuple[tuple[str, ...], ...]:
    """Return the names of the tables by groups that no condition connects; () where all are, or nobody can tell.

    The group with the fewest tables comes first; among equals the order of the FROM clause decides.
    """
    tree = parse(text)
    if tree is None:
        return ()
    parts = {part.alias.lower(): part.this for part in tree.find_all(exp.CTE)}
    for select in tree.find_all(exp.Select):
        groups = _From(select, parts).groups()
        if len(groups) > 1:
            return tuple(sorted(groups, key=len))
    return ()


@dataclass(slots=True)
class _From:
    """The FROM clause of one query: its elements as sets that grow together with every condition."""

    select: exp.Select
    parts: dict[str, exp.Expr]
    names: dict[str, str] = field(default_factory=dict)
    free: set[str] = field(default_factory=set)
    root: dict[str, str] = field(default_factory=dict)

    def groups(self) -> list[tuple[str, ...]]:
        """Return the names of the tables by groups, in the order of the clause."""
        first = source(self.select)
        if first is None:
            return []
        self._add(first.this)
        for join in self.select.args.get("joins") or ():
            self._join(join)
        for lateral in self.select.args.get("laterals") or ():
            self._add(lateral)
        where = self.select.args.get("where")
        if where is not None:
            self._connect(where.this)
        found: dict[str, list[str]] = {}
        for alias, name in self.names.items():
            found.setdefault(self._find(alias), []).append(alias if alias in self.free else name)
        bound = {self._find(alias) for alias in self.names if alias not in self.free}
        return [tuple(names) for root, names in found.items() if root in bound]

    def _add(self, element: exp.Expr) -> None:
        """Take in an element and the joins that hang on it."""
        if isinstance(element, exp.Subquery | exp.Paren) and not isinstance(element.this, exp.Query):
            # a join in parentheses
            self._add(element.this)
        else:
            alias = (element.alias_or_name or f"#{len(self.names)}").lower()
            self.names[alias] = element.name or element.alias or alias
            if self._is_free(element):
                self.free.add(alias)
            if not isinstance(element, exp.Table) or not isinstance(element.this, exp.Identifier):
                # functions and LATERAL may name what stands before them
                self._unite({alias} | self._mentioned(element))
        for join in element.args.get("joins") or ():
            self._join(join)

    def _is_free(self, element: exp.Expr) -> bool:
        """Whether an element multiplies nothing, or is meant to: functions, VALUES, LATERAL, what yields one row."""
        if isinstance(element, exp.Table):
            name = element.name.lower()
            part = self.parts.get(name)
            is_one = name == "dual" or (part is not None and yields_one_row(part))
            return is_one or not isinstance(element.this, exp.Identifier)
        if isinstance(element, exp.Subquery):
            return isinstance(element.this, exp.Values) or yields_one_row(element)
        return True

    def _join(self, join: exp.Join) -> None:
        before = next(reversed(self.names), None)
        self._add(join.this)
        alias = next(reversed(self.names))
        condition = join.args.get("on")
        is_meant = join.kind == "CROSS" or join.method == "NATURAL" or join.args.get("using")
        if condition is not None:
            self._connect(condition)
            # ON true, ON 1 = 1
            is_meant = is_meant or condition.find(exp.Column) is None
        if before is not None and is_meant:
            self._unite({before, alias})

    def _connect(self, condition: exp.Expr) -> None:
        """Unite the elements that one condition names; of an AND each side is a condition of its own."""
        condition = condition.unnest()
        if isinstance(condition, exp.And):
            self._connect(condition.left)
            self._connect(condition.right)
            return
        columns = list(condition.find_all(exp.Column))
        if len(columns) > 1 and any(not column.table for column in columns):
            # whose column it is only the schema knows
            self._unite(set(self.names))
        self._unite(self._mentioned(condition))
        self._pin(condition, columns)

    def _pin(self, condition: exp.Expr, columns: list[exp.Column]) -> None:
        """Let an element whose key is compared by `=` with one value be one row."""
        if isinstance(condition, exp.EQ) and len(columns) == 1 and columns[0].name.lower() in _KEYS:
            self.free.add(columns[0].table.lower())

    def _mentioned(self, expression: exp.Expr) -> set[str]:
        """Return the aliases in an expression: also those of outer queries, by which inner elements may be tied."""
        return {column.table.lower() for column in expression.find_all(exp.Column) if column.table}

    def _find(self, alias: str) -> str:
        while self.root.get(alias, alias) != alias:
            alias = self.root[alias]
        return alias

    def _unite(self, aliases: set[str]) -> None:
        roots = sorted({self._find(alias) for alias in aliases})
        for other in roots[1:]:
            self.root[other] = roots[0]
