"""One statement as the detectors of marks see it: its nodes by kind, what columns are, and where things stand."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from typing import TypeVar, cast

from sqlglot import exp

from pytest_dbguard.sql.facts.model import Scan, StatementFacts
from pytest_dbguard.sql.facts.names import Names
from pytest_dbguard.sql.facts.scans import Found, ScanDraft
from pytest_dbguard.sql.facts.scopes import Scope
from pytest_dbguard.sql.facts.statement import Parsed
from pytest_dbguard.sql.facts.text import ordinal_of
from pytest_dbguard.sql.facts.trees import children, lazy, walk, written
from pytest_dbguard.sql.lint.queries import branches, elements, part_of_with
from pytest_dbguard.sql.placeholders import Lexeme, lexemes

_Node = TypeVar("_Node", bound=exp.Expr)
_QUERIES = (exp.Select, exp.Update, exp.Delete, exp.Merge)
_VALUES = (exp.Literal, exp.Placeholder, exp.National, exp.RawString, exp.HexString, exp.BitString, exp.ByteString)


class LintedText:
    """A statement that was parsed. It must not be changed: the facts and all detectors share the tree.

    Attributes:
        tree: Of the whole statement; parameters are `exp.Placeholder` named p0, p1, ...
        facts: What parsing told.
        names: How names are compared.
        sql: Its text, `Explainable.sql`, in which marks tell their positions; it may hold literals.
    """

    def __init__(self, parsed: Parsed, sql: str) -> None:
        assert parsed.tree is not None
        assert parsed.names is not None
        self.tree: exp.Expr = parsed.tree
        self.facts: StatementFacts = parsed.facts
        self.names: Names = parsed.names
        self.sql = sql
        self._scopes = parsed.scopes

    @property
    def dialect(self) -> str:
        """Whose rules it follows: "postgresql" or "sqlite"."""
        return self.names.dialect

    @lazy
    def _by_type(self) -> Mapping[type[exp.Expr], list[exp.Expr]]:
        """All nodes of the statement by their type, in the order of the text; but the names in columns."""
        found: dict[type[exp.Expr], list[exp.Expr]] = {}
        pending = [self.tree]
        while pending:
            node = pending.pop()
            found.setdefault(type(node), []).append(node)
            if not isinstance(node, exp.Column):
                pending += reversed(children(node))
        return found

    def all(self, *types: type[_Node]) -> Iterator[_Node]:
        """Yield the nodes of exactly these types (no subclasses), each type in the order of the text."""
        for kind in types:
            yield from cast("list[_Node]", self._by_type.get(kind, []))

    @lazy
    def selects(self) -> tuple[exp.Select, ...]:
        """Each SELECT, outer ones first."""
        return tuple(self.all(exp.Select))

    @lazy
    def outermost(self) -> tuple[exp.Select, ...]:
        """The SELECTs whose rows the statement returns: one, the branches of a UNION, none of a change."""
        found: list[exp.Select] = []
        pending = [self.tree]
        while pending:
            node = pending.pop()
            if isinstance(node, exp.Select):
                found.append(node)
            elif isinstance(node, exp.SetOperation):
                pending += (node.expression, node.this)
            elif isinstance(node, exp.Subquery):
                pending.append(node.this)
        return tuple(found)

    def scope(self, node: exp.Expr) -> Scope | None:
        """Return what the query around a node (or the node itself, where it is one) sees; None where none was read."""
        at: exp.Expr | None = node
        while at is not None:
            if isinstance(at, _QUERIES):
                return self._scopes.get(id(at))
            at = at.parent
        return None

    def query(self, node: exp.Expr) -> int:
        """Return the number of the query around a node, as `Scan.query` counts."""
        scope = self.scope(node)
        return scope.query.number if scope is not None else 0

    def column(self, node: exp.Expr) -> Found | None:
        """Return what a column is; None for other nodes, and where nobody can tell."""
        node = node.unnest()
        scope = self.scope(node) if isinstance(node, exp.Column) else None
        return scope.find(node) if scope is not None and isinstance(node, exp.Column) else None

    def scans(self, select: exp.Expr) -> tuple[Scan, ...]:
        """Return the tables that stand in the FROM of a query itself, in the order of the text."""
        scope = self._scopes.get(id(select))
        drafts = [leaf.scan for leaf in scope.leaves.values() if leaf.scan is not None] if scope is not None else []
        return tuple(scan for draft in drafts if (scan := self.scan(draft)) is not None)

    def tables(self, select: exp.Expr) -> tuple[Scan, ...]:
        """Return the tables in the FROM of a query, or where there are none, those of the queries that stand there."""
        found: list[Scan] = []
        pending, seen = [select], set[int]()
        while pending:
            query = pending.pop(0)
            own = () if id(query) in seen else self.scans(query)
            found += own
            if not own and id(query) not in seen:
                inner = (part_of_with(each) or each.this for each in elements(query))
                pending += (branch for each in inner if isinstance(each, exp.Query) for branch in branches(each))
            seen.add(id(query))
        return tuple(found)

    def scan(self, draft: ScanDraft) -> Scan | None:
        """Return the scan of the facts that something of a scope stands for."""
        return self.facts.scan(draft.alias, draft.query.number)

    def spelled(self, node: exp.Expr) -> str:
        """Return SQL for messages: literals and parameters as `?`, without comments."""

        def hidden(part: exp.Expr) -> exp.Expr:
            return exp.Var(this="?") if isinstance(part, _VALUES) else part

        return written(node.transform(hidden), self.names.sqlglot_dialect)

    def position(self, node: exp.Expr) -> int | None:
        """Return where a node begins in `sql`, by the first name, sign or parameter in it; None if unknown."""
        parts = walk(node)
        # to ask a node for its `meta` makes a dictionary of it
        metas = [meta for part in parts if (meta := part._meta)]
        starts = [meta["start"] for meta in metas if "start" in meta]
        found = [self._in_sql(min(starts))] if starts else []
        found += [self._of_parameter(ordinal_of(part)) for part in parts if isinstance(part, exp.Placeholder)]
        return min((place for place in found if place is not None), default=None)

    def keyword(self, word: str, before: int | None) -> int | None:
        """Return where a word (in capitals) stands last before a place in `sql`; that place itself without one."""
        places = self._places.get(word, ())
        return max((place for place in places if before is not None and place < before), default=before)

    def _of_parameter(self, ordinal: int | None) -> int | None:
        return next((token.start for token in self._lexemes if token.key is not None and token.key == ordinal), None)

    def position_of(self, word: str, nth: int = 0) -> int | None:
        """Return where a word (in capitals) stands for the n-th time, from 0, in `sql`."""
        places = self._places.get(word, ())
        return places[nth] if nth < len(places) else None

    def _in_sql(self, start: int) -> int | None:
        """Return a token's place in `sql`: the text that was parsed lacks members of lists and rows, no words."""
        words, ends = self._parsed
        at = bisect_right(ends, start)
        return self.position_of(words[at], words[:at].count(words[at])) if at < len(words) else None

    @property
    def _style(self) -> str:
        return "numeric_dollar" if self.names.is_postgres else "qmark"

    @lazy
    def _parsed(self) -> tuple[list[str], list[int]]:
        """The tokens of the text that was parsed, in capitals, and where they end."""
        found = lexemes(self.names.writing.text if self.names.writing is not None else "", self._style)
        return [token.text.upper() for token in found], [token.end for token in found]

    @lazy
    def _places(self) -> Mapping[str, list[int]]:
        """Where each token, in capitals, begins in `sql`."""
        places: dict[str, list[int]] = {}
        for token in self._lexemes:
            places.setdefault(token.text.upper(), []).append(token.start)
        return places

    @lazy
    def _lexemes(self) -> list[Lexeme]:
        return lexemes(self.sql, self._style)
