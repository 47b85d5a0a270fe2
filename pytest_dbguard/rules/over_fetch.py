"""DBG111: rows are fetched only to be counted, to see whether there are any, or to take one of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar

from pytest_dbguard.core.findings import Finding, Fix, Severity
from pytest_dbguard.recording.calls import OriginOption
from pytest_dbguard.recording.consumption import Use, little_use
from pytest_dbguard.recording.frames import Mark
from pytest_dbguard.recording.model import Recording, Statement
from pytest_dbguard.rules.base import Context, Draft, RuleOptions, Stage
from pytest_dbguard.rules.unique_lookup import is_unique_lookup, names_an_id

_MESSAGES = {
    Use.COUNT: "all rows of `{}` are fetched, only to be counted",
    Use.EXISTS: "all rows of `{}` are fetched, only to see whether there are any",
    Use.FIRST: "all rows of `{}` are fetched, and only the first is taken",
}
_FIXES = {
    Use.COUNT: Fix("let the database count", "select(func.count()).select_from({}).where(...)"),
    Use.EXISTS: Fix("ask whether there is one", "select(exists().where(...))  # or .limit(1)"),
    Use.FIRST: Fix("ask for one row", "select({}).where(...).limit(1)"),
}


class OverFetch:
    """over-fetch (DBG111).

    ## What it does
    Finds queries whose rows are only counted (`len(result.all())`), only tested (`if result.all():`), or of which only
    the first is taken (`result.all()[0]`, `result.first()`), also where the list has a name first.

    ## Why is this bad?
    All rows cross the network and become objects. The database counts without sending any.

    ## Example
    ```python
    print(len(session.scalars(select(Note).where(Note.text == "note")).all()))
    ```

    ## Use instead
    ```python
    print(session.scalar(select(func.count()).select_from(Note).where(Note.text == "note")))
    ```

    ## Options
    - `severity` (default "note").

    ## Limits
    Read from the source of the function that sends the query: what it returns or hands on is used elsewhere, and
    nothing is said. Silent for statements with a LIMIT or FOR UPDATE, and for those that return one row: aggregates,
    lookups by a unique column.
    """

    code: ClassVar[str] = "DBG111"
    name: ClassVar[str] = "over-fetch"
    severity: ClassVar[Severity] = Severity.NOTE
    stage: ClassVar[Stage] = Stage.PREVIEW
    options_model: ClassVar[type[RuleOptions]] = RuleOptions

    def __init__(self, options: RuleOptions) -> None:
        self._options = options

    def check(self, recording: Recording, context: Context) -> Iterable[Draft]:
        """Yield a draft for each shape and place."""
        found: dict[object, list[Statement]] = {}
        for statement in _queries(recording, context.claimed):
            found.setdefault((statement.text.shape.id, statement.stack.site), []).append(statement)
        for statements in found.values():
            use = little_use(statements[0].stack.frames[0], context.loops)
            if use is not None and _returns_many(statements[0]):
                yield Draft(self._finding(statements, use), frozenset(s.number for s in statements))

    def _finding(self, statements: list[Statement], use: Use) -> Finding:
        statement, fix = statements[0], _FIXES[use]
        table = statement.text.table
        call = statement.call
        entity = call.mapper.class_.__name__ if isinstance(call, OriginOption) and call.mapper is not None else table
        return Finding(
            rule=self.code,
            name=self.name,
            severity=self.severity,
            subject=table,
            message=_MESSAGES[use].format(table),
            site=statement.stack.site,
            count=len(statements),
            fix=Fix(fix.title, fix.code.format(entity), statement.stack.site),
            shape=statement.text.shape,
        )


def _queries(recording: Recording, claimed: frozenset[int]) -> Iterator[Statement]:
    """Yield what the application itself asks for, with nothing that bounds the answer."""
    for statement in recording.statements:
        text, frames = statement.text, statement.stack.frames
        is_asked = statement.call is None or type(statement.call) is OriginOption
        if not is_asked or not text.is_read or not text.has_from or text.has_limit or text.locks_rows:
            continue
        if not frames or frames[0].in_test_code or statement.in_flush or statement.number in claimed:
            continue
        if not statement.stack.marks & (Mark.GET | Mark.REFRESH):
            yield statement


def _returns_many(statement: Statement) -> bool:
    call = statement.call
    if isinstance(call, OriginOption) and call.mapper is not None:
        is_unique = call.statement is not None and is_unique_lookup(call)
    else:
        is_unique = names_an_id(statement.sql)
    if is_unique:
        return False
    # the parser is only paid for by who needs it
    from pytest_dbguard.sql.parse import parse, yields_one_row

    tree = parse(statement.sql)
    return tree is not None and not yields_one_row(tree)
