"""Reads one condition: the terms that it gives, the columns that it equates, what NULLs do to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlglot import exp

from pytest_dbguard.sql.facts.likes import class_of
from pytest_dbguard.sql.facts.model import Term, TermKind, Wrapping
from pytest_dbguard.sql.facts.operands import Operand, bare
from pytest_dbguard.sql.facts.readings import Bound, Reading, apart
from pytest_dbguard.sql.facts.scans import QueryInfo, Reach
from pytest_dbguard.sql.facts.scopes import Scope
from pytest_dbguard.sql.facts.trees import children, find_all, holds

_RANGES: Mapping[type[exp.Expr], str] = {exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">="}
_HINTS = frozenset({"likely", "unlikely", "likelihood"})
_MIRRORED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}
_NEGATED: Mapping[type[exp.Expr], type[exp.Binary]] = {
    exp.LT: exp.GTE,
    exp.LTE: exp.GT,
    exp.GT: exp.LTE,
    exp.GTE: exp.LT,
    exp.EQ: exp.NEQ,
    exp.NEQ: exp.EQ,
}
_OPERATORS = {
    "arraycontainsall": "@>",
    "arraycontainedby": "<@",
    "arrayoverlaps": "&&",
    "jsonbcontains": "?",
    "jsonbcontainstopkey": "?",
    "jsonbcontainsanytopkeys": "?|",
    "jsonbcontainsalltopkeys": "?&",
    "matchagainst": "@@",
    "similarto": "SIMILAR TO",
    "regexplike": "~",
    "regexpilike": "~*",
    "match": "MATCH",
}


@dataclass(slots=True)
class ConditionReader:
    """Reads conditions of one scope; `infos` has the queries that stand in them, by the id of their node.

    Unless it `describes` them, terms lack the texts of their conditions.
    """

    scope: Scope
    infos: Mapping[int, QueryInfo]
    describes: bool = True

    def read(self, condition: exp.Expr) -> Reading:
        """Return what a condition that is no AND says; of an OR only what it mentions."""
        reading = Reading()
        node, is_negated = self._without_not(condition)
        self._dispatch(reading, node, is_negated=is_negated)
        for found in Operand(condition, self.scope).found:
            if found.leaf not in reading.mentions:
                reading.mentions.append(found.leaf)
        if self.describes:
            self._describe(reading, condition)
        return reading

    def _without_not(self, node: exp.Expr) -> tuple[exp.Expr, bool]:
        """Return the condition behind NOTs, comparisons turned round, and whether one is left."""
        is_negated = False
        node = node.unnest()
        while isinstance(node, exp.Not):
            is_negated = not is_negated
            node = node.this.unnest()
        inner = node.this if isinstance(node, exp.Escape) else node
        if inner.args.get("negate"):
            # sqlglot 30 says so of IS and LIKE what other versions say by NOT
            is_negated = not is_negated
        turned = _NEGATED.get(type(node)) if self._is_postgres else None
        if is_negated and turned is not None and not isinstance(node.expression, exp.Any | exp.All):
            return apart(turned, node.this, node.expression), False
        return node, is_negated

    def _dispatch(self, reading: Reading, node: exp.Expr, *, is_negated: bool) -> None:
        if isinstance(node, exp.Anonymous) and node.name.lower() in _HINTS and node.expressions:
            self._dispatch(reading, node.expressions[0].unnest(), is_negated=is_negated)
        elif isinstance(node, exp.Column):
            self._boolean(reading, node, is_negated=is_negated)
        elif isinstance(node, exp.Is):
            self._is(reading, node, is_negated=is_negated)
        elif isinstance(node, exp.Exists):
            reading.queries.append(("anti" if is_negated else "semi", (), node.this))
        elif isinstance(node, exp.In):
            self._in(reading, node, is_negated=is_negated)
        elif isinstance(node, exp.Between) and not is_negated:
            self._between(reading, node)
        elif isinstance(node, exp.Like | exp.ILike | exp.Glob | exp.Escape):
            self._like(reading, node, is_negated=is_negated)
        elif isinstance(node, exp.EQ | exp.LT | exp.LTE | exp.GT | exp.GTE) and not is_negated:
            self._compare(reading, node)
        elif isinstance(node, exp.NullSafeEQ) and not is_negated and not self._is_postgres:
            self._sides(reading, node.this, node.expression, TermKind.EQUAL, "IS")
        elif not isinstance(node, exp.Connector):
            self._other(reading, node, is_negated=is_negated)

    @property
    def _is_postgres(self) -> bool:
        return self.scope.names.is_postgres

    def _operand(self, node: exp.Expr) -> Operand:
        return Operand(node, self.scope)

    def _boolean(self, reading: Reading, node: exp.Expr, *, is_negated: bool) -> None:
        """Read a bare boolean column: PostgreSQL compares it with true, SQLite looks at each row."""
        kind = TermKind.EQUAL if self._is_postgres else TermKind.OTHER
        self._bind(
            reading, self._operand(node), kind, operand="literal", is_negated=is_negated and kind is TermKind.OTHER
        )
        self._mark_strict(reading, self._operand(node))

    def _is(self, reading: Reading, node: exp.Expr, *, is_negated: bool) -> None:
        side, value = self._operand(node.this), node.expression
        if side.holds_condition and isinstance(value, exp.Boolean) and value.this and not is_negated:
            # (a = 1) IS TRUE
            self._dispatch(reading, node.this.unnest(), is_negated=False)
            return
        is_null = isinstance(value, exp.Null)
        if is_null or isinstance(value, exp.Boolean):
            kind = TermKind.NULL if is_null else TermKind.EQUAL
            is_served = not is_negated and (is_null or self._is_postgres)
            self._bind(
                reading,
                side,
                kind if is_served else TermKind.OTHER,
                operand="null" if is_null else "literal",
                is_negated=is_negated,
                operator="IS",
            )
            if is_null == is_negated:
                self._mark_strict(reading, side)
        elif self._is_postgres or is_negated:
            self._other(reading, node, is_negated=is_negated)
        else:
            self._sides(reading, node.this, value, TermKind.EQUAL, "IS")

    def _in(self, reading: Reading, node: exp.In, *, is_negated: bool) -> None:
        left = node.this.unnest()
        columns = tuple(map(self._operand, left.expressions if isinstance(left, exp.Tuple) else (left,)))
        query = node.args.get("query")
        if query is not None and not any(
            isinstance(table.this, exp.Identifier) for table in find_all(query, exp.Table)
        ):
            # a list of values, or none at all: SQLAlchemy's empty IN
            kind = TermKind.OTHER if is_negated or holds(query, exp.Where) else TermKind.LIST
            for column in columns:
                self._bind(reading, column, kind, operator="IN", is_negated=is_negated, operand="expression")
            return
        if query is not None:
            self._in_query(reading, columns, query, is_negated=is_negated)
            return
        members = [self._operand(member) for member in node.args.get("expressions") or ()]
        if not members or any(member.columns for member in members):
            self._other(reading, node, is_negated=is_negated)
            return
        is_empty = all(member.kind == "null" for member in members)
        kind = TermKind.OTHER if is_negated or is_empty else TermKind.LIST
        first = members[0].node.unnest()
        if isinstance(first, exp.Values) and first.expressions:
            first = first.expressions[0]
        values = list(map(self._operand, first.expressions)) if isinstance(first, exp.Tuple) else members[:1]
        for column, value in zip(columns, values, strict=False):
            self._bind(reading, column, kind, operator="IN", is_negated=is_negated, **_of_value(value))
            self._mark_strict(reading, column)

    def _in_query(self, reading: Reading, columns: tuple[Operand, ...], query: exp.Expr, *, is_negated: bool) -> None:
        reading.queries.append(("anti" if is_negated else "semi", columns, query))
        info = self.infos.get(id(query.unnest()))
        for number, column in enumerate(columns):
            kind = TermKind.OTHER if is_negated or self._looks_outwards(query) else TermKind.JOIN
            ref = info.plain_output(number) if info is not None else None
            self._bind(
                reading,
                column,
                kind,
                operand="subquery",
                operator="IN",
                is_negated=is_negated,
                other=None if ref is None else (ref.scan.alias, ref.column),
                other_query=None if ref is None else ref.scan.query.number,
                needs=Reach.ALL,
            )
            if not is_negated:
                self._mark_strict(reading, column)

    def _between(self, reading: Reading, node: exp.Between) -> None:
        side, low, high = (self._operand(node.args[name]) for name in ("this", "low", "high"))
        if side.columns and low.is_value and high.is_value and not self._is_odd(low) and not self._is_odd(high):
            self._bind(reading, side, TermKind.RANGE, operator="BETWEEN", **_of_value(low))
            self._mark_strict(reading, side)
        else:
            self._sides(reading, node.this, low.node, TermKind.RANGE, ">=")
            self._sides(reading, node.this, high.node, TermKind.RANGE, "<=")

    def _like(self, reading: Reading, node: exp.Expr, *, is_negated: bool) -> None:
        escape = "\\" if self._is_postgres else ""
        if isinstance(node, exp.Escape):
            escape, node = node.expression.name, node.this
        if not isinstance(node, exp.Like | exp.ILike | exp.Glob) or isinstance(node.expression, exp.Any | exp.All):
            self._other(reading, node, is_negated=is_negated)
            return
        side, pattern = self._operand(node.this), self._operand(node.expression)
        is_glob = isinstance(node, exp.Glob)
        known = class_of(node.expression, escape=escape, is_glob=is_glob)
        # SQLite asks for a literal or a parameter, nothing that has to be computed
        is_fit = self._is_postgres or pattern.kind in ("literal", "parameter")
        is_prefix = is_fit and known in ("prefix", "exact", "unknown") and not is_negated and not pattern.columns
        self._bind(
            reading,
            side,
            TermKind.PREFIX if is_prefix else TermKind.OTHER,
            pattern=known,
            is_case_insensitive=isinstance(node, exp.ILike),
            operator="GLOB" if is_glob else "ILIKE" if isinstance(node, exp.ILike) else "LIKE",
            is_negated=is_negated,
            **_of_value(pattern),
        )
        self._bind(reading, pattern, TermKind.OTHER, operator="LIKE", is_negated=is_negated, **_of_value(side))
        self._mark_strict(reading, side)

    def _compare(self, reading: Reading, node: exp.Expr) -> None:
        left, right = node.this.unnest(), node.expression.unnest()
        operator = _RANGES.get(type(node), "=")
        kind = TermKind.RANGE if type(node) in _RANGES else TermKind.EQUAL
        if isinstance(right, exp.Any):
            self._any(reading, node, left, right.this.unnest())
        elif isinstance(right, exp.All) or isinstance(left, exp.Any | exp.All) or _is_quantified(right):
            self._other(reading, node, is_negated=False)
        elif isinstance(left, exp.Tuple) and isinstance(right, exp.Tuple):
            pairs = list(zip(left.expressions, right.expressions, strict=False))
            # of a row that is compared by its order only the first column is bound by itself
            for one, other in pairs if kind is TermKind.EQUAL else pairs[:1]:
                self._sides(reading, one, other, kind, operator if kind is TermKind.EQUAL else operator[0] + "=")
        else:
            self._sides(reading, node.this, node.expression, kind, operator)

    def _any(self, reading: Reading, node: exp.Expr, left: exp.Expr, array: exp.Expr) -> None:
        side, values = self._operand(left), self._operand(array)
        if not isinstance(node, exp.EQ) or values.columns:
            self._bind(reading, side, TermKind.OTHER, operator="= ANY", **_of_value(values))
            self._bind(reading, values, TermKind.OTHER, operator="= ANY", **_of_value(side))
        elif isinstance(array, exp.Query):
            self._in_query(reading, (side,), array, is_negated=False)
        else:
            told = _of_value(values)
            told["operand_type"] = told["operand_type"].removesuffix("[]")
            self._bind(reading, side, TermKind.LIST, operator="= ANY", **told)
            self._mark_strict(reading, side)

    def _sides(self, reading: Reading, left: exp.Expr, right: exp.Expr, kind: TermKind, operator: str) -> None:
        """Read a comparison: each side may be served by an index, by the value of the other."""
        one, other = self._operand(left), self._operand(right)
        self._side(reading, one, other, kind, operator)
        self._side(reading, other, one, kind, _MIRRORED.get(operator, operator))
        is_plain = one.kind == other.kind == "column"
        if kind is TermKind.EQUAL and is_plain and one.found[0].leaf is not other.found[0].leaf:
            reading.pairs.append((one.found[0], other.found[0]))
        if operator != "IS":
            self._mark_strict(reading, one)
            self._mark_strict(reading, other)

    def _side(self, reading: Reading, side: Operand, other: Operand, kind: TermKind, operator: str) -> None:
        if not side.columns:
            return
        is_own = {id(found.leaf) for found in side.found} & {id(found.leaf) for found in other.found}
        if is_own or not other.is_known or other.kind == "null" or self._is_odd(other):
            kind = TermKind.OTHER
        elif other.columns and kind is TermKind.EQUAL:
            kind = TermKind.JOIN
        single = other.found[0] if len(other.found) == 1 and not is_own else None
        self._bind(
            reading,
            side,
            kind,
            operator=operator,
            other=None if single is None else single.place,
            other_query=None if single is None else single.query,
            other_wrapping=other.wrapping,
            needs=Reach.ALL if other.columns else Reach.VALUES,
            collation=other.collation,
            **_of_value(other),
        )

    def _is_odd(self, value: Operand) -> bool:
        """Whether a value holds a query that depends on the row it is compared with."""
        return value.has_query and self._looks_outwards(value.node)

    def _looks_outwards(self, node: exp.Expr) -> bool:
        """Whether a query in an expression names columns of this one, or of one around it."""
        pending = [node]
        while pending:
            part = pending.pop()
            info = self.infos.get(id(part)) if isinstance(part, exp.Select) else None
            if info is not None and info.query.is_correlated:
                return True
            if not isinstance(part, exp.Select):
                pending += children(part)
        return False

    def _other(self, reading: Reading, node: exp.Expr, *, is_negated: bool) -> None:
        """Read what no B-tree serves, or what nobody here knows."""
        operator = "<>" if isinstance(node, exp.NEQ) else _OPERATORS.get(node.key, "")
        if isinstance(node, exp.Between | exp.In):
            for part in children(node):
                self._bind(reading, self._operand(part), TermKind.OTHER, operator=operator, is_negated=is_negated)
            return
        one, other = self._operand(node), None
        if isinstance(node, exp.Binary) and not isinstance(node, exp.Connector):
            one, other = self._operand(node.this), self._operand(node.expression)
        elif isinstance(node, exp.MatchAgainst) and len(node.expressions) == 1:
            one, other = self._operand(node.expressions[0]), self._operand(node.this)
        if other is not None and isinstance(node, exp.NEQ):
            self._mark_strict(reading, one)
            self._mark_strict(reading, other)
        for side, value in ((one, other), (other, one)):
            if side is not None:
                told = {} if value is None else _of_value(value)
                self._bind(reading, side, TermKind.OTHER, operator=operator, is_negated=is_negated, **told)

    def _mark_strict(self, reading: Reading, side: Operand) -> None:
        """Note that NULLs do not pass; a function may make anything of one."""
        if side.wrapping is not Wrapping.FUNCTION and not side.has_query:
            reading.strict += (found.leaf for found in side.found)

    def _bind(
        self,
        reading: Reading,
        side: Operand,
        kind: TermKind,
        *,
        needs: Reach = Reach.VALUES,
        collation: str = "",
        **told: Any,
    ) -> None:
        """Add a term for each column of a side; several in one expression are nothing for an index on one of them."""
        is_single = len(side.found) == 1 and side.is_known and not side.has_query
        kind = kind if is_single and not side.is_json and not side.holds_condition else TermKind.OTHER
        for found in side.found:
            for ref in found.refs:
                term = Term(
                    column=ref.column,
                    kind=kind,
                    wrapping=side.wrapping,
                    expression=side.text(ref),
                    cast_to=side.cast_to,
                    **told,
                )
                if collation and term.wrapping is Wrapping.NONE:
                    term = replace(term, wrapping=Wrapping.COLLATE, expression=f"{ref.column} COLLATE {collation}")
                reading.bounds.append(Bound(ref, found.leaf, found.is_local, term, needs))

    def _describe(self, reading: Reading, condition: exp.Expr) -> None:
        """Add the text of the condition to its terms, where it is about one table and holds no parameter."""
        scans = {id(bound.ref.scan) for bound in reading.bounds}
        if len(scans) != 1 or len(reading.mentions) != 1 or holds(condition, exp.Placeholder, exp.Query):
            return
        named = condition.copy()
        for column in [named] if isinstance(named, exp.Column) else find_all(named, exp.Column):
            found = self.scope.find(column)
            ref = found.plain if found is not None else None
            if found is None or ref is None:
                return
            if ref.column != found.name:
                column.set("this", exp.to_identifier(ref.column))
        text = bare(named, self.scope.names, is_own=True)
        for bound in reading.bounds:
            # nobody has seen them yet, and to make each of them anew costs more than all else here
            object.__setattr__(bound.term, "condition", text)


def _is_quantified(node: exp.Expr) -> bool:
    """Whether a value is all, or some, of an array, which sqlglot takes for a function."""
    return isinstance(node, exp.Anonymous) and node.name.upper() in ("ALL", "SOME")


def _of_value(value: Operand) -> dict[str, Any]:
    """Return what a term tells of what its column is compared with."""
    return {"operand": value.kind, "operand_type": value.type, "ordinal": value.ordinal}
