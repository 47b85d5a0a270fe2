"""Marks SELECT DISTINCT where a table is joined of which no column is asked for: its rows may be what makes repeats."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from pytest_dbguard.sql.facts.names import arg
from pytest_dbguard.sql.facts.outputs import aggregates, windows
from pytest_dbguard.sql.facts.scans import ScanDraft
from pytest_dbguard.sql.lint.model import LintMark, MarkKind
from pytest_dbguard.sql.lint.text import LintedText


def marks(text: LintedText) -> Iterator[LintMark]:
    """Yield a mark for each table whose columns such a query returns; `detail` names the aliases that it only joins.

    Whether the columns identify a row, and whether the joins multiply rows, only the schema tells.
    """
    for select in text.selects:
        distinct = select.args.get("distinct")
        if distinct is None or distinct.args.get("on") is not None or not select.args.get("joins"):
            continue
        if not aggregates(select) and not windows(select):
            yield from _of_select(text, select, distinct)


def _of_select(text: LintedText, select: exp.Select, distinct: exp.Expr) -> Iterator[LintMark]:
    scope = text.scope(select)
    leaves = list(scope.leaves.values()) if scope is not None else []
    drafts = [leaf.scan for leaf in leaves if leaf.scan is not None]
    if len(drafts) != len(leaves):
        # what comes out of queries and functions nobody can tell
        return
    asked = _asked(text, select, drafts)
    if asked is None:
        return
    joined = [draft.alias for draft in drafts if id(draft) not in asked]
    for draft in drafts:
        columns = asked.get(id(draft))
        if joined and columns:
            yield LintMark(
                MarkKind.DISTINCT_JOIN,
                subject=draft.table,
                table=draft.table,
                schema=draft.schema,
                columns=tuple(columns),
                query=draft.query.number,
                alias=draft.alias,
                position=text.keyword("DISTINCT", text.position(select.expressions[0])) or text.position(distinct),
                detail=",".join(joined),
            )


def _asked(text: LintedText, select: exp.Select, drafts: list[ScanDraft]) -> dict[int, dict[str, None]] | None:
    """Return the plain columns in the SELECT list by the id of their scan; None where somebody else's are needed.

    A scan whose columns stand in expressions only is there without columns.
    """
    asked: dict[int, dict[str, None]] = {}
    for item in select.expressions:
        if isinstance(item, exp.Star):
            return None
        star = isinstance(item, exp.Column) and isinstance(item.this, exp.Star)
        if star:
            named = [draft for draft in drafts if text.names.key(draft.alias) == text.names.key(item.table)]
            if len(named) != 1 or named[0].known is None:
                return None
            asked.setdefault(id(named[0]), {}).update(dict.fromkeys(named[0].known.values()))
            continue
        value = item.unalias()
        for column in [value] if isinstance(value, exp.Column) else value.find_all(exp.Column):
            found = text.column(column)
            ref = found.plain if found is not None else None
            if ref is None:
                return None
            columns = asked.setdefault(id(ref.scan), {})
            if value is column:
                columns[ref.column] = None
    order = arg(select, "order")
    for column in order.find_all(exp.Column) if order is not None else ():
        found = text.column(column)
        if found is not None and found.plain is not None:
            asked.setdefault(id(found.plain.scan), {})
    return asked
