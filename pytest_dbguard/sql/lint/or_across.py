"""Marks ORs whose branches ask for columns of different tables: no index finds the rows of such a condition."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from pytest_dbguard.sql.facts.conditions import ConditionReader
from pytest_dbguard.sql.facts.model import TermKind
from pytest_dbguard.sql.facts.readings import Bound, branches, conjuncts, is_or
from pytest_dbguard.sql.facts.scans import ScanDraft
from pytest_dbguard.sql.lint.model import LintMark, MarkKind
from pytest_dbguard.sql.lint.text import LintedText

_FINDS = frozenset({TermKind.EQUAL, TermKind.LIST, TermKind.RANGE, TermKind.PREFIX})
_VALUES = frozenset({"literal", "parameter", "expression"})


def marks(text: LintedText) -> Iterator[LintMark]:
    """Yield a mark for each such OR in WHERE that nothing else in its query bounds."""
    for select in text.selects:
        scope = text.scope(select)
        where = select.args.get("where")
        if scope is None or where is None or not select.args.get("joins"):
            continue
        conditions = list(conjuncts(where.this))
        reader = ConditionReader(scope, {}, describes=False)
        for condition in conditions:
            found = _tables(condition, reader) if is_or(condition) else ()
            if len(found) > 1 and not _is_bounded(text, select, found):
                yield _mark(text, condition, found)


def _tables(condition: exp.Expr, reader: ConditionReader) -> tuple[Bound, ...]:
    """Return one term of each table, where each branch asks for the rows of one table by a value; () else."""
    found: dict[int, Bound] = {}
    for branch in branches(condition):
        bounds = [bound for part in conjuncts(branch) for bound in reader.read(part).bounds]
        finding = [bound for bound in bounds if _finds(bound)]
        if not finding or not all(bound.is_local for bound in bounds):
            return ()
        if len({id(bound.ref.scan) for bound in bounds}) != 1:
            return ()
        found.setdefault(id(finding[0].ref.scan), finding[0])
    return tuple(found.values())


def _finds(bound: Bound) -> bool:
    """Whether an index on its column could find the rows of a term."""
    term = bound.term
    return term.kind in _FINDS and term.operand in _VALUES and term.is_sargable


def _is_bounded(text: LintedText, select: exp.Select, found: tuple[Bound, ...]) -> bool:
    """Whether something else already finds the rows of a table of the query, so that the OR only looks through them."""
    asked = {id(bound.ref.scan) for bound in found}
    for scan in text.scans(select):
        finding = (term for term in scan.terms if term.kind in _FINDS and term.operand in _VALUES and term.is_sargable)
        if any(term.operator != "" for term in finding):
            return True
    return not asked or any(_is_correlated(bound.ref.scan) for bound in found)


def _is_correlated(scan: ScanDraft) -> bool:
    return scan.query.is_once


def _mark(text: LintedText, condition: exp.Expr, found: tuple[Bound, ...]) -> LintMark:
    first, *others = found
    names = [f"{bound.ref.scan.table}.{bound.ref.column}" for bound in (first, *others)]
    return LintMark(
        MarkKind.OR_ACROSS,
        subject=names[0],
        table=first.ref.scan.table,
        schema=first.ref.scan.schema,
        columns=(first.ref.column,),
        query=text.query(condition),
        alias=first.ref.scan.alias,
        expression=" OR ".join(names),
        position=text.position(condition),
        detail=",".join(names),
    )
