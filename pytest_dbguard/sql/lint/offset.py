"""Marks each OFFSET: how many rows it skips, and what the rows are sorted by."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from pytest_dbguard.sql.lint.model import LintMark, MarkKind
from pytest_dbguard.sql.lint.queries import branches, number_of
from pytest_dbguard.sql.lint.sorting import sort_of
from pytest_dbguard.sql.lint.text import LintedText


def marks(text: LintedText) -> Iterator[LintMark]:
    """Yield a mark for each OFFSET of a query that reads a table.

    `columns` are those that rows are sorted by, where all of them are of one table, which the mark then is about;
    `detail` says which way they go: "asc", "desc" or "mixed".
    """
    for offset in text.all(exp.Offset):
        query = offset.parent
        select = next(branches(query), None)
        scans = text.tables(select) if select is not None else ()
        if query is None or select is None or not scans:
            continue
        sort = sort_of(text, query)
        scan = (text.facts.scan(sort.alias, sort.query) if sort is not None else None) or scans[0]
        yield LintMark(
            MarkKind.OFFSET,
            subject=scan.table,
            table=scan.table,
            schema=scan.schema,
            columns=sort.columns if sort is not None else (),
            query=scan.query,
            alias=scan.alias,
            number=number_of(offset.expression),
            position=text.keyword("OFFSET", text.position(offset)),
            detail=sort.way if sort is not None else "",
        )
