"""Reads an OR: what all its branches say of a column counts like AND, the rest needs an index for each branch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sqlglot import exp

from pytest_dbguard.sql.facts.conditions import ConditionReader
from pytest_dbguard.sql.facts.model import Alternative, Term, TermKind
from pytest_dbguard.sql.facts.readings import Bound, Reading, branches, conjuncts, is_or
from pytest_dbguard.sql.facts.scans import Found, Leaf, ScanDraft

_Key = tuple[int, str, int, str]
_LISTED = frozenset({TermKind.EQUAL, TermKind.LIST, TermKind.NULL, TermKind.RANGE})


def read_condition(condition: exp.Expr, reader: ConditionReader) -> Reading:
    """Read a condition that is no AND; ORs within the branches of an OR say nothing by themselves."""
    reading = reader.read(condition)
    if not is_or(condition):
        return reading
    strict: list[set[int]] = []
    by_id: dict[int, Leaf] = {}
    pairs: list[dict[_Key, tuple[Found, Found]]] = []
    for branch in branches(condition):
        readings = [reader.read(part) for part in conjuncts(branch)]
        reading.either.append([bound for inner in readings for bound in inner.bounds])
        pairs.append({_key(*pair): pair for inner in readings for pair in inner.pairs})
        leaves = {id(leaf): leaf for inner in readings for leaf in inner.strict}
        by_id |= leaves
        strict.append(set(leaves))
    if not reader.scope.names.is_postgres:
        # SQLite does not look into OR to find out
        return _with_pairs(reading, pairs)
    reading.strict = [leaf for key, leaf in by_id.items() if all(key in keys for keys in strict)]
    return _with_pairs(reading, pairs)


def _with_pairs(reading: Reading, pairs: list[dict[_Key, tuple[Found, Found]]]) -> Reading:
    reading.pairs = [pair for key, pair in pairs[0].items() if all(key in others for others in pairs)]
    return reading


def _key(one: Found, other: Found) -> _Key:
    return id(one.leaf), one.name, id(other.leaf), other.name


def give_or(either: list[list[Bound]], arrives: Callable[[Bound], bool]) -> None:
    """Give the terms of an OR to the scans that it is about."""
    usable = [[bound for bound in branch if arrives(bound)] for branch in either]
    scans: dict[int, ScanDraft] = {id(bound.ref.scan): bound.ref.scan for branch in usable for bound in branch}
    for scan in scans.values():
        of_scan = [[bound.term for bound in branch if bound.ref.scan is scan] for branch in usable]
        common = _common(of_scan)
        for term in common:
            scan.terms.setdefault(term)
        if not common:
            branched = tuple(tuple(dict.fromkeys(branch)) for branch in of_scan)
            scan.alternatives.append(Alternative(branched, all(branched)))


def _common(of_scan: list[list[Term]]) -> list[Term]:
    """Return the terms that hold whichever branch does."""
    first, *others = of_scan
    common = [term for term in first if all(any(_same(term, t) for t in branch) for branch in others)]
    for term in first:
        merged = _merged(term, others)
        if merged is not None and not any(merged.expression == told.expression for told in common):
            common.append(merged)
    return common


def _same(one: Term, other: Term) -> bool:
    """Whether two terms equate the same columns, whatever their parameters."""
    return one.kind is TermKind.JOIN and one.other is not None and one == other


def _merged(term: Term, others: list[list[Term]]) -> Term | None:
    """Return one term for what each branch says of the same column: a list of values, or a range."""
    same = [_about(term, branch) for branch in others]
    if term.kind not in _LISTED or term.operand == "column" or not all(same):
        return None
    kinds = {term.kind, *(found.kind for found in same if found is not None)}
    kind = TermKind.RANGE if TermKind.RANGE in kinds else TermKind.LIST
    return replace(term, kind=kind, operator="OR", ordinal=None, condition="")


def _about(term: Term, branch: list[Term]) -> Term | None:
    """Return what a branch says of the column of a term, compared with values."""
    for other in branch:
        is_same = (other.column, other.wrapping, other.expression) == (term.column, term.wrapping, term.expression)
        if is_same and other.kind in _LISTED and other.other is None:
            return other
    return None
