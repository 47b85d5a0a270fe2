"""Tells whether something in a query leaves few rows of its tables: then what is done to each of them costs little."""

from __future__ import annotations

from sqlglot import exp

from pytest_dbguard.sql.facts.model import Scan, Term, TermKind, Wrapping
from pytest_dbguard.sql.lint.queries import elements, limit_of, part_of_with
from pytest_dbguard.sql.lint.text import LintedText

_VALUES = frozenset({"literal", "parameter", "expression"})
_TRUTH = ("TRUE", "FALSE")
_SQLITE_TRUTH = (*_TRUTH, "= 1", "= 0")


def is_narrowed(text: LintedText, select: exp.Select) -> bool:
    """Whether some table of a query is found by values of a column, or by a query that is.

    A flag or a NULL does not count: most rows may have it. What columns are selective is not known here.
    """
    return (
        any(has_key(text, scan) for scan in text.scans(select))
        or any(map(_is_small, elements(select)))
        or _is_looked_up(select)
    )


def has_key(text: LintedText, scan: Scan) -> bool:
    """Whether rows of a scan are found by a value, or by a row of a query around it."""
    return any(_is_key(term, scan) and not is_flag(text, term) for term in scan.terms)


def _is_key(term: Term, scan: Scan) -> bool:
    is_plain = term.wrapping in (Wrapping.NONE, Wrapping.FUNCTION, Wrapping.CAST)
    if term.kind is TermKind.JOIN:
        # a correlated query is asked for the rows of one; IN (query) may find few
        return is_plain and (term.operand == "subquery" or term.other_query not in (None, scan.query))
    if term.kind is TermKind.PREFIX:
        return is_plain and term.pattern in ("prefix", "exact")
    return is_plain and term.kind in (TermKind.EQUAL, TermKind.LIST) and term.operand in _VALUES


def is_flag(text: LintedText, term: Term) -> bool:
    """Whether a term asks for one of two values: `active`, `active = true`, `active IS TRUE`, SQLite's `active = 1`."""
    is_bare = term.kind is TermKind.EQUAL and term.operator in ("", "IS")
    words = _TRUTH if text.names.is_postgres else _SQLITE_TRUTH
    return is_bare or (term.operand == "literal" and term.condition.upper().endswith(words))


def _is_small(element: exp.Expr) -> bool:
    """Whether an element of FROM that is a query has a LIMIT."""
    query = part_of_with(element) if isinstance(element, exp.Table) else element.this
    while isinstance(query, exp.Subquery):
        query = query.this
    return isinstance(query, exp.Query) and limit_of(query) is not None


def _is_looked_up(select: exp.Select) -> bool:
    """Whether a query in WHERE decides which rows are left: `EXISTS`, `IN (SELECT ...)`."""
    where = select.args.get("where")
    return where is not None and any(
        isinstance(node.parent, exp.Exists | exp.In | exp.Any | exp.Subquery) for node in where.find_all(exp.Select)
    )
