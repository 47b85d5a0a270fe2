"""Marks scans whose rows nothing finds but a pattern that begins with a wildcard."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlglot import exp

from pytest_dbguard.sql.facts.model import Alternative, Scan, Term, TermKind
from pytest_dbguard.sql.lint.model import LintMark, MarkKind
from pytest_dbguard.sql.lint.narrowing import has_key, is_system
from pytest_dbguard.sql.lint.queries import filters, is_negated, number_of
from pytest_dbguard.sql.lint.text import LintedText


def marks(text: LintedText) -> Iterator[LintMark]:
    """Yield a mark for each scan of a query which has nothing else that finds rows.

    `columns` are all that are searched so; `detail` is "position" for `strpos(column, value) > 0` and its like.
    """
    found = {(scan.alias, scan.query): _searched(scan, text.facts.scans) for scan in text.facts.scans}
    inside = _inside(text)
    for scan in text.facts.scans:
        key = (scan.alias, scan.query)
        patterns, parts = found[key], inside.get(key, {})
        columns = tuple(dict.fromkeys((*patterns, *parts)))
        if columns and not scan.is_outer and not is_system(scan) and not _is_found_otherwise(text, scan):
            yield LintMark(
                MarkKind.LEADING_WILDCARD,
                subject=f"{scan.table}.{columns[0]}",
                table=scan.table,
                schema=scan.schema,
                columns=columns,
                query=scan.query,
                alias=scan.alias,
                position=_position(text, scan, columns),
                detail="" if patterns else "position",
            )


def _is_leading(term: Term) -> bool:
    return term.pattern == "leading" and not term.is_negated


def _searched(scan: Scan, scans: Sequence[Scan]) -> tuple[str, ...]:
    """Return the columns whose patterns decide: those of AND, and those of an OR of which no branch has a key."""
    columns = [term.column for term in scan.terms if _is_leading(term)]
    for alternative in scan.alternatives:
        if alternative.is_of_one_scan or _is_first_of(alternative, scan, scans):
            columns += (term.column for branch in alternative.branches for term in branch if _is_leading(term))
    return tuple(columns)


def _is_first_of(alternative: Alternative, scan: Scan, scans: Sequence[Scan]) -> bool:
    """Whether each branch of an OR looks for a pattern, in this scan or in one behind it in the text."""
    of_query = [each for each in scans if each.query == scan.query]
    behind = of_query[of_query.index(scan) :]
    width = len(alternative.branches)
    ors = [alternative, *(each for other in behind[1:] for each in other.alternatives if len(each.branches) == width)]
    return all(any(any(map(_is_leading, each.branches[at])) for each in ors) for at in range(width))


def _inside(text: LintedText) -> dict[tuple[str, int], dict[str, None]]:
    """Return the columns of each scan in whose text something is looked for by a function."""
    columns: dict[tuple[str, int], dict[str, None]] = {}
    for call in text.all(exp.StrPosition):
        test = call.parent
        found = text.column(call.this)
        ref = found.plain if found is not None else None
        if test is not None and ref is not None and _is_found(test, call) and filters(test) and not is_negated(test):
            place = (ref.scan.alias, ref.scan.query.number)
            columns.setdefault(place, {})[ref.column] = None
    return columns


def _is_found(test: exp.Expr, call: exp.Expr) -> bool:
    """Whether the place at which something was found is tested for being there; SQLAlchemy sends 0 as a parameter."""
    if not isinstance(test, exp.GT | exp.NEQ | exp.GTE) or test.this is not call:
        return False
    least = 1 if isinstance(test, exp.GTE) else 0
    return isinstance(test.expression, exp.Placeholder) or number_of(test.expression) == least


def _is_found_otherwise(text: LintedText, scan: Scan) -> bool:
    """Whether another condition finds the rows: of this scan, or of one that it is joined with."""
    beside = [each for each in text.facts.scans if each.query == scan.query]
    ranges = any(term.is_sargable and term.kind is TermKind.RANGE for term in scan.terms)
    return ranges or any(has_key(text, each) for each in beside)


def _position(text: LintedText, scan: Scan, columns: tuple[str, ...]) -> int | None:
    """Return where the first of the columns is compared."""
    for node in text.all(exp.Like, exp.ILike, exp.Glob, exp.StrPosition):
        for column in node.this.find_all(exp.Column):
            found = text.column(column)
            ref = found.plain if found is not None else None
            if ref is not None and ref.column in columns and text.scan(ref.scan) == scan:
                return text.position(column)
    return None
