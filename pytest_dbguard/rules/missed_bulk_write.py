"""DBG110: one flush sends rows of one table one by one, because they differ in the columns that they set."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import ClassVar

from pydantic import Field

from pytest_dbguard.core.findings import Finding, Fix, Severity
from pytest_dbguard.recording.model import Recording, Statement
from pytest_dbguard.rules.base import Context, Draft, RuleOptions, Stage

_PLAIN_VALUES = re.compile(r"VALUES \([?, ]*\)", re.IGNORECASE)


class MissedBulkWriteOptions(RuleOptions):
    """Options of missed-bulk-write."""

    threshold: int = Field(default=3, ge=2, description="single statements of one flush from which they are reported")


class MissedBulkWrite:
    """missed-bulk-write (DBG110).

    ## What it does
    Finds flushes that send many single INSERTs or UPDATEs for one table. SQLAlchemy sends rows together that follow
    each other and set the same columns; where they differ (one sets a column, the next does not, a value is an SQL
    expression), each becomes a statement of its own.

    ## Why is this bad?
    A flush of a thousand rows is one round trip where all set the same columns, and up to a thousand where they do
    not.

    ## Example
    ```python
    for number in range(3):
        session.add_all([Job(state="new"), Job()])
    session.flush()
    ```

    ## Use instead
    ```python
    for number in range(3):
        session.add_all([Job(state="new"), Job(state="waiting")])
    session.flush()
    ```

    ## Options
    - `threshold` (default 3): the number of single statements of one flush from which they are reported.
    - `severity` (default "note").

    ## Limits
    Rows of a table that refers to itself are left out: parents have to be sent before their children.
    """

    code: ClassVar[str] = "DBG110"
    name: ClassVar[str] = "missed-bulk-write"
    severity: ClassVar[Severity] = Severity.NOTE
    stage: ClassVar[Stage] = Stage.PREVIEW
    options_model: ClassVar[type[RuleOptions]] = MissedBulkWriteOptions

    def __init__(self, options: RuleOptions) -> None:
        self._threshold = getattr(options, "threshold", 3)

    def check(self, recording: Recording, context: Context) -> Iterable[Draft]:
        """Yield a draft for each flush and table."""
        for statements in _single_writes(recording, context.claimed):
            if len(statements) >= self._threshold and not _waits_for_keys(statements):
                yield self._draft(statements, recording)

    def _draft(self, statements: list[Statement], recording: Recording) -> Draft:
        first = statements[0]
        text = first.text
        frames = first.stack.frames
        finding = Finding(
            rule=self.code,
            name=self.name,
            severity=self.severity,
            subject=text.table,
            message=f"one flush writes `{text.table}` by {len(statements)} single {text.verb}s",
            site=first.stack.site,
            count=len(statements),
            in_test_code=recording.prepares or (bool(frames) and all(frame.in_test_code for frame in frames)),
            fix=_fix(text.verb, text.table),
            shape=text.shape,
        )
        return Draft(finding, frozenset(statement.number for statement in statements))


def _single_writes(recording: Recording, claimed: frozenset[int]) -> Iterator[list[Statement]]:
    """Yield the statements of one flush that write one row of one table each."""
    groups: dict[tuple[int, str, str, object], list[Statement]] = {}
    for statement in recording.statements:
        text = statement.text
        if not statement.flush or not text.is_write or statement.is_many or statement.number in claimed:
            continue
        groups.setdefault((statement.flush, text.verb, text.table, statement.stack.key), []).append(statement)
    yield from groups.values()


def _waits_for_keys(statements: list[Statement]) -> bool:
    """Whether the rows may refer to each other, so that parents have to be sent before their children."""
    text = statements[0].text
    return text.refers_to_itself and (text.verb != "INSERT" or _PLAIN_VALUES.search(text.shape.text) is not None)


def _fix(verb: str, table: str) -> Fix:
    if verb == "DELETE":
        return Fix("delete the rows by one statement", f"session.execute(delete({table}).where(...))")
    return Fix(
        "let all rows set the same columns, in Python values rather than SQL expressions, or send them as rows",
        f"session.execute({verb.lower()}({table}), rows)",
    )
