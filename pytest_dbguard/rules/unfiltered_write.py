"""DBG501: an UPDATE or DELETE of the application says nowhere which rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import ClassVar

from pytest_dbguard.core.findings import Finding, Fix, Severity
from pytest_dbguard.recording.consumption import hands_on
from pytest_dbguard.recording.loops import LoopFinder
from pytest_dbguard.recording.model import Recording, Statement
from pytest_dbguard.rules.base import Context, Draft, RuleOptions, Stage
from pytest_dbguard.sql.shape import StatementText

_CREATED = re.compile(
    r"CREATE (?P<kind>(?:\w+ )*)TABLE (?:IF NOT EXISTS )?(?:[\w\"`]+\.)?[\"`]?(?P<name>\w+)", re.IGNORECASE
)


class UnfilteredWrite:
    """unfiltered-write (DBG501).

    ## What it does
    Finds updates and deletes without a WHERE, or with one that is always true: `delete(Customer)`,
    `session.query(Customer).delete()`, `text("UPDATE ... SET ...")`.

    ## Why is this bad?
    It changes every row of the table. On a test's few rows nobody notices that the condition was forgotten, and in
    production it is one lock on everything and one transaction log of everything, where it is meant.

    ## Example
    ```python
    session.execute(delete(Note))
    ```

    ## Use instead
    ```python
    session.execute(delete(Note).where(Note.customer_id == 1))
    ```

    ## Options
    - `severity` (default "error").

    ## Limits
    Tables that the same test makes (temporary ones, and those that the application itself creates) may be emptied, and
    what a flush writes is never meant. An UPDATE that a JOIN or a LIMIT restricts is silent. In fixtures it is the
    test's own business. Where all rows are meant, say so: `# dbguard: ignore[DBG501] the cache is rebuilt`.
    """

    code: ClassVar[str] = "DBG501"
    name: ClassVar[str] = "unfiltered-write"
    severity: ClassVar[Severity] = Severity.ERROR
    stage: ClassVar[Stage] = Stage.STABLE
    options_model: ClassVar[type[RuleOptions]] = RuleOptions

    def __init__(self, options: RuleOptions) -> None:
        self._options = options

    def check(self, recording: Recording, context: Context) -> Iterable[Draft]:
        """Yield a draft for each shape and place."""
        found: dict[object, list[Statement]] = {}
        for statement in _unfiltered(recording):
            found.setdefault((statement.text.shape.id, statement.stack.site), []).append(statement)
        for statements in found.values():
            finding = self._finding(statements, recording, context.loops)
            yield Draft(finding, frozenset(s.number for s in statements))

    def of_text(self, text: StatementText) -> Finding | None:
        """Return the finding about a statement in a source, without its place; None where it is innocent."""
        if not text.is_unfiltered:
            return None
        verb = "deleted" if text.verb == "DELETE" else "updated"
        return Finding(
            rule=self.code,
            name=self.name,
            severity=self.severity,
            subject=text.table,
            message=f"every row of `{text.table}` is {verb}: no condition says which",
            fix=Fix("say which rows", "WHERE ..."),
            shape=text.shape,
        )

    def _finding(self, statements: list[Statement], recording: Recording, loops: LoopFinder) -> Finding:
        text, frames = statements[0].text, statements[0].stack.frames
        # a function that only runs what it is handed is not the place to change
        frame = next((each for each in frames if not hands_on(each, loops)), frames[-1])
        finding = self.of_text(text)
        assert finding is not None
        return replace(
            finding,
            site=frame.site,
            count=len(statements),
            in_test_code=recording.prepares or frame.in_test_code,
            fix=Fix("say which rows", f"{text.verb.lower()}(...).where(...)", frame.site),
        )


def _unfiltered(recording: Recording) -> Iterator[Statement]:
    made: set[str] = set()
    for statement in recording.statements:
        text = statement.text
        if text.verb == "CREATE":
            made |= _created(statement)
        elif text.is_unfiltered and text.table not in made and statement.stack.frames and not statement.in_flush:
            yield statement


def _created(statement: Statement) -> set[str]:
    """Return the name of the table that a statement makes for the time being, or for the application's own use."""
    match = _CREATED.match(statement.sql)
    if match is None:
        return set()
    is_temporary = "TEMP" in match["kind"].upper()
    frames = statement.stack.frames
    return {match["name"]} if is_temporary or (frames and not frames[0].in_test_code) else set()
