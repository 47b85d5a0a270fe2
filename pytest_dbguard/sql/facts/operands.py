"""What stands on one side of a condition: a column, what is done to it, a value, a query."""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from pytest_dbguard.sql.facts.model import Wrapping
from pytest_dbguard.sql.facts.names import Names
from pytest_dbguard.sql.facts.scans import Found, Ref
from pytest_dbguard.sql.facts.scopes import Scope
from pytest_dbguard.sql.facts.text import ordinal_of
from pytest_dbguard.sql.facts.trees import children, find_all, holds, lazy, written

_ARITHMETIC = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.Neg, exp.IntDiv, exp.Pow)
_BITS = (exp.BitwiseAnd, exp.BitwiseOr, exp.BitwiseXor, exp.BitwiseNot, exp.BitwiseLeftShift, exp.BitwiseRightShift)
_LITERALS = frozenset(
    {"literal", "boolean", "rawstring", "national", "hexstring", "bitstring", "bytestring", "unicodestring", "column"}
)
_JSON = (exp.JSONExtract, exp.JSONExtractScalar, exp.JSONBExtract, exp.JSONBExtractScalar, exp.Bracket)
# what is not looked into: queries are read by themselves, columns are made of names
_WHOLE = (exp.Query, exp.DataType, exp.Column)
# what says nothing of its own
_PLAIN = (exp.Column, exp.Paren)
_WEIGHT = (Wrapping.NONE, Wrapping.COLLATE, Wrapping.CAST, Wrapping.ARITHMETIC, Wrapping.FUNCTION)


@dataclass(eq=False)
class Operand:
    """One side of a condition, read in a scope."""

    node: exp.Expr
    scope: Scope

    @property
    def names(self) -> Names:
        """How names are compared."""
        return self.scope.names

    @lazy
    def _nodes(self) -> list[exp.Expr]:
        """All nodes of it but those of queries in it."""
        nodes: list[exp.Expr] = []
        pending = [self.node]
        while pending:
            node = pending.pop()
            nodes.append(node)
            if not isinstance(node, _WHOLE):
                pending += children(node)
        return nodes

    @lazy
    def columns(self) -> tuple[Found | None, ...]:
        """What each column in it is; None for those that nobody can tell."""
        found = (node for node in self._nodes if isinstance(node, exp.Column))
        return tuple(self.scope.find(node) for node in found if not self.scope.is_string(node))

    @lazy
    def found(self) -> tuple[Found, ...]:
        """The columns that are known, each place once."""
        places: dict[tuple[int, str], Found] = {}
        for found in self.columns:
            if found is not None:
                places.setdefault((id(found.leaf), found.name), found)
        return tuple(places.values())

    @property
    def is_known(self) -> bool:
        """Whether it is clear what each column in it is."""
        return None not in self.columns

    @property
    def is_value(self) -> bool:
        """Whether no column stands in it, also none of a query around."""
        return not self.columns

    @lazy
    def has_query(self) -> bool:
        """Whether a query stands in it."""
        return any(isinstance(node, exp.Query) for node in self._nodes)

    @lazy
    def has_parameter(self) -> bool:
        """Whether a parameter stands in it, also within a query."""
        return holds(self.node, exp.Placeholder)

    @lazy
    def is_json(self) -> bool:
        """Whether a part of a JSON value or an array is taken."""
        return any(isinstance(node, _JSON) for node in self._nodes)

    @lazy
    def holds_condition(self) -> bool:
        """Whether a comparison or a connective stands in it: CASE, (a = 1) IS TRUE."""
        return any(isinstance(node, exp.Predicate | exp.Connector) for node in self._nodes)

    @lazy
    def wrapping(self) -> Wrapping:
        """What is done to the columns in it, the weightiest of all."""
        inner = [ref.wrapping for found in self.found for ref in found.refs if ref.wrapping is not Wrapping.NONE]
        if not inner and isinstance(self.node, exp.Column):
            return Wrapping.NONE
        around = [_wrapping(node) for node in self._nodes if id(node) in self._above_columns]
        return max([Wrapping.NONE, *around, *inner], key=_WEIGHT.index)

    @lazy
    def _above_columns(self) -> frozenset[int]:
        """What stands between the root and a column."""
        above: set[int] = set()
        for node in self._nodes:
            if isinstance(node, exp.Column):
                up: exp.Expr | None = node
                while up is not None and id(up) not in above:
                    above.add(id(up))
                    up = up.parent if up is not self.node else None
        return frozenset(above)

    @property
    def cast_to(self) -> str:
        """The type that the outermost cast gives; "" without one."""
        node = self.node.unnest()
        return self.names.type_name(node.args.get("to")) if isinstance(node, exp.Cast | exp.TryCast) else ""

    @property
    def type(self) -> str:
        """The type that it is known to have: that of a cast, or of a number with a point."""
        core = self._core
        is_number = isinstance(core, exp.Literal) and not core.is_string
        return self.cast_to or ("NUMERIC" if is_number and not core.name.isdigit() and self.names.is_postgres else "")

    @property
    def collation(self) -> str:
        """The collation that it asks for; "" for none."""
        found = next((node for node in self._nodes if isinstance(node, exp.Collate)), None)
        return "" if found is None else found.expression.sql(self.names.sqlglot_dialect)

    @property
    def ordinal(self) -> int | None:
        """Number of the parameter that it is."""
        return ordinal_of(self._core)

    @property
    def _core(self) -> exp.Expr:
        """What is left without parentheses, casts, collations and signs."""
        node = self.node
        while isinstance(node, exp.Paren | exp.Cast | exp.TryCast | exp.Collate | exp.Neg):
            node = node.this
        return node

    @lazy
    def kind(self) -> str:
        """What `Term.operand` calls it."""
        if self.columns:
            is_plain = len(self.found) == 1 and self.wrapping is Wrapping.NONE
            return "column" if is_plain else "expression"
        core = self._core
        if isinstance(core, exp.Query):
            return "subquery"
        if isinstance(core, exp.Null):
            return "null"
        if isinstance(core, exp.Placeholder):
            return "parameter"
        # a column here is SQLite's string in double quotes
        return "literal" if core.key in _LITERALS else "expression"

    def text(self, ref: Ref) -> str:
        """Return its SQL without aliases, the column by its name in the table."""
        if self.wrapping is Wrapping.NONE:
            return ref.column
        node = self.node.unnest()
        if ref.expression is not None:
            inner = ref.expression
            changed = node.transform(lambda n: inner.copy() if isinstance(n, exp.Column) else n)
            return bare(changed, self.names, is_own=True)
        return bare(node, self.names)


def bare(node: exp.Expr, names: Names, *, is_own: bool = False) -> str:
    """Return SQL without the aliases of tables, parameters as `?`; a tree of one's own is used up by it."""
    calls = names.writing.calls_in(node) if names.writing is not None else {}

    def hidden(part: exp.Expr) -> exp.Expr:
        if isinstance(part, exp.Placeholder):
            return exp.Var(this="?")
        text = calls.get(part) if calls else None
        return part if text is None else exp.Var(this=text)

    stripped = node.transform(hidden, copy=not is_own)
    for column in [stripped] if isinstance(stripped, exp.Column) else find_all(stripped, exp.Column):
        for part in ("table", "db", "catalog"):
            column.set(part, None)
    return written(stripped, names.sqlglot_dialect)


def _wrapping(node: exp.Expr) -> Wrapping:
    if isinstance(node, _PLAIN):
        return Wrapping.NONE
    if isinstance(node, exp.Cast | exp.TryCast):
        return Wrapping.CAST
    if isinstance(node, exp.Collate):
        return Wrapping.COLLATE
    return Wrapping.ARITHMETIC if isinstance(node, _ARITHMETIC + _BITS) else Wrapping.FUNCTION
