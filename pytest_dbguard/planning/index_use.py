"""Tells which existing indexes a workload needs: those of its plans, and those whose first key its statements name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pytest_dbguard.planning.assessment import AssessedStatement
from pytest_dbguard.schema.catalog import Catalog, Index, Table
from pytest_dbguard.sql.facts.model import Scan, Term


def used_indexes(statements: Iterable[AssessedStatement], catalog: Catalog) -> frozenset[tuple[str, str]]:
    """Return (schema, index) of all indexes that a plan uses, or that a plan of other sizes might."""
    found = tuple(statements)
    planned = {name for each in found if each.plan is not None for name in each.plan.indexes}
    named = {table.label: set[str]() for table in catalog.tables}
    wrapped = set[str]()
    for each in found:
        for scan in each.facts.scans:
            table = catalog.table(scan.table, scan.schema)
            if table is not None:
                named[table.label] |= set(_named(scan))
                wrapped |= {table.label} if _is_wrapped(scan) else set()
        _add_joined(each, catalog, named)
    return frozenset(
        (table.schema, index.name)
        for table in catalog.tables
        for index in table.indexes
        if index.name in planned or _may_serve(index, table, named, wrapped)
    )


def _may_serve(index: Index, table: Table, named: dict[str, set[str]], wrapped: set[str]) -> bool:
    first = index.keys[0].column if index.keys else None
    if first is None:
        return table.label in wrapped
    return first in named[table.label]


def _terms(scan: Scan) -> Iterator[Term]:
    yield from scan.terms
    for alternative in scan.alternatives:
        for branch in alternative.branches:
            yield from branch


def _named(scan: Scan) -> Iterator[str]:
    yield from (term.column for term in _terms(scan))
    yield from (key.column for key in scan.order if key.column is not None)
    yield from scan.groups


def _is_wrapped(scan: Scan) -> bool:
    return any(term.wrapping for term in _terms(scan)) or any(key.column is None for key in scan.order)


def _add_joined(statement: AssessedStatement, catalog: Catalog, named: dict[str, set[str]]) -> None:
    for join in statement.facts.joins:
        sides = ((join.left, 0), (join.right, 1))
        for alias, side in sides:
            scan = statement.facts.scan(alias)
            table = catalog.table(scan.table, scan.schema) if scan is not None else None
            if table is not None:
                named[table.label] |= {pair[side] for pair in join.equal}
