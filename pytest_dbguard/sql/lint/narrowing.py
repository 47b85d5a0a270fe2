"""Tells whether something in a query leaves few rows of its tables: then what is done to each of them costs little."""

from __future__ import annotations

from sqlglot import exp

from pytest_dbguard.sql.facts.model import Scan, Term, TermKind, Wrapping
from pytest_dbguard.sql.facts.trees import find_all
from pytest_dbguard.sql.lint.queries import elements, limit_of, part_of_with
from pytest_dbguard.sql.lint.text import LintedText

_VALUES = frozenset({"literal", "parameter", "expression"})
_SYSTEM = ("pg_", "sqlite_", "pragma_", "information_schema")
_TRUTH = ("TRUE", "FALSE")
_SQLITE_TRUTH = (*_TRUTH, "= 1", "= 0")


def is_system(scan: Scan) -> bool:
    """Whether a table is one of the database's own, which are small."""
    return scan.table.lower().startswith(_SYSTEM) or scan.schema.lower().startswith(_SYSTEM)


def is_narrowed(text: LintedText, select: exp.Select, but: Scan) -> bool:
    """Whether some table of a query is found by values of a column, or by a query that is; of one `compared` tells.

    A flag or a NULL does not count: most rows may have it. What columns are selective is not known here.
    """
    own, keys = set(compared(text, but)), [term for term in but.terms if _is_key(term, but)]
    if any(term.column not in own and not is_flag(text, term) for term in keys):
        return True
    others = (scan for scan in text.scans(select) if scan != but)
    return any(has_key(text, scan) for scan in others) or any(map(_is_small, elements(select))) or _is_looked_up(select)


def compared(text: LintedText, scan: Scan) -> tuple[str, ...]:
    """Return the columns of a scan that are compared with one value each: how few rows are left statistics tell."""
    terms = (term for term in scan.terms if term.kind is TermKind.EQUAL and _is_key(term, scan))
    return tuple(dict.fromkeys(term.column for term in terms if not is_flag(text, term)))


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
        isinstance(node.parent, exp.Exists | exp.In | exp.Any | exp.Subquery) for node in find_all(where, exp.Select)
    )
