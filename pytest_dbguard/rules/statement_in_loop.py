"""DBG103: a statement that reads runs once for each round of a loop."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import ClassVar

from pydantic import Field

from pytest_dbguard.core.findings import Finding, Fix, Severity
from pytest_dbguard.recording.calls import OriginOption
from pytest_dbguard.recording.frames import Mark
from pytest_dbguard.recording.model import Recording, Statement
from pytest_dbguard.rules.base import Context, Draft, RuleOptions, Stage
from pytest_dbguard.rules.movement import asks_the_same, independent_repeats, is_chunked, is_paging, is_window
from pytest_dbguard.rules.repetition import Cause, Repetition, alternating, autoflushed, repetitions

_COMPARED = re.compile(r"([\w.\"]+) = \?")


class StatementInLoopOptions(RuleOptions):
    """Options of statement-in-loop."""

    threshold: int = Field(default=2, ge=2, description="repetitions from which a statement is reported")


class StatementInLoop:
    """statement-in-loop (DBG103).

    ## What it does
    Finds statements that read and that a loop of the application runs once for each round: Core, `text()`, driver
    SQL (also with literals in its text), `session.get`, ORM selects, dynamic and write-only relationships. It names
    the loop and the line that runs the statement. Recursion, callbacks (`map`, `sorted(key=...)`) and sibling tasks
    of one `gather` count as loops. Statements that one loop runs in turn are one finding, at the first of them.

    Not reported: chunks of a long IN list, pages (a moving OFFSET or key), windows, statements without FROM,
    `SKIP LOCKED`, retries, and polling (the same question again after a commit, a write or a pause).

    ## Why is this bad?
    Each round waits for the database once more. One statement for all rows costs one round trip.

    ## Example
    ```python
    for customer_id in [1, 2, 3]:
        print(session.get(Customer, customer_id).name)
    ```

    ## Use instead
    ```python
    for customer in session.scalars(select(Customer).where(Customer.id.in_([1, 2, 3]))):
        print(customer.name)
    ```

    ## Options
    - `threshold` (default 2): the number of repetitions from which a statement is reported.
    - `severity` (default "error").

    ## Limits
    A loop in a test, a fixture or a factory is reported as a note about the test. Tasks and threads that share no
    frame are reported from five on.
    """

    code: ClassVar[str] = "DBG103"
    name: ClassVar[str] = "statement-in-loop"
    severity: ClassVar[Severity] = Severity.ERROR
    stage: ClassVar[Stage] = Stage.STABLE
    options_model: ClassVar[type[RuleOptions]] = StatementInLoopOptions

    def __init__(self, options: RuleOptions) -> None:
        self._threshold = getattr(options, "threshold", 2)

    def check(self, recording: Recording, context: Context) -> Iterable[Draft]:
        """Yield a draft for each statement and place that a loop repeats."""

        def wanted(statement: Statement) -> bool:
            return statement.number not in context.claimed and _is_asked_for(statement)

        found = repetitions(recording, context.loops, wanted, lambda s: s.text.shape.id, threshold=self._threshold)
        for pattern in alternating([each for each in found if not _is_excused(each, recording, self._threshold)]):
            yield self._draft(pattern, recording)

    def _draft(self, pattern: list[Repetition], recording: Recording) -> Draft:
        """Make one finding of the statements that one loop runs in turn."""
        repetition = pattern[0]
        first = repetition.statements[0]
        # rows that the loop adds are a fact of their own, but for those of `merge`, which asks in order to write;
        # changes to rows only go along with the reads
        verbs = ("INSERT", "UPDATE", "DELETE") if first.stack.marks & Mark.MERGE else ("UPDATE", "DELETE")
        folded = autoflushed(recording, {each.stack.key for each in pattern}, verbs)
        count = sum(each.count for each in pattern)
        finding = Finding(
            rule=self.code,
            name=self.name,
            severity=self.severity,
            subject=first.text.table,
            message=f"{_asked(pattern)} {repetition.phrase}: {count} queries",
            site=repetition.site,
            loop=repetition.loop_site,
            count=count,
            in_test_code=repetition.in_test_code,
            fix=_fix(repetition),
            shape=first.text.shape,
            evidence=(*dict.fromkeys(map(_also, pattern[1:])), *folded.evidence),
        )
        return Draft(finding, frozenset().union(folded.numbers, *(each.numbers for each in pattern)))


def _asked(pattern: list[Repetition]) -> str:
    """Return what is queried: "`a` is queried", "`a` and `b` are queried"."""
    tables = list(dict.fromkeys(f"`{each.statements[0].text.table}`" for each in pattern))
    if len(tables) > 1:
        return f"{', '.join(tables[:-1])} and {tables[-1]} are queried"
    return f"{tables[0]} is queried by {len(pattern)} statements" if len(pattern) > 1 else f"{tables[0]} is queried"


def _also(repetition: Repetition) -> str:
    """Return a further statement of a pattern, with its place."""
    site, text = repetition.site, repetition.statements[0].text
    place = f" at {site.label} in {site.function}" if site is not None else ""
    return f"in turn with {repetition.count} queries of {text.table}{place}"


def _is_asked_for(statement: Statement) -> bool:
    """Whether the application asked for the rows, rather than the ORM on its own."""
    text = statement.text
    if not text.is_read or not text.has_from or text.skips_locked or statement.is_many or statement.in_flush:
        return False
    return statement.call is None or type(statement.call) is OriginOption


def _is_excused(repetition: Repetition, recording: Recording, threshold: int) -> bool:
    statements = repetition.statements
    if is_chunked(statements, repetition.loop) or is_paging(statements) or is_window(statements):
        return True
    if independent_repeats(statements, recording) < threshold:
        return True
    return repetition.loop is not None and repetition.loop.pauses and asks_the_same(statements)


def _fix(repetition: Repetition) -> Fix:
    if repetition.cause is Cause.CONCURRENT:
        return Fix("ask for all rows in one statement instead of one in each task", place=repetition.site)
    if repetition.cause is Cause.RECURSION:
        title = "ask for the whole tree at once: a recursive CTE, or one statement for each level"
        return Fix(title, "select(...).cte(recursive=True)", repetition.loop_site)
    call = repetition.statements[0].call
    mapper = call.mapper if type(call) is OriginOption else None
    if mapper is not None and repetition.stack.marks & Mark.GET and len(mapper.primary_key) == 1:
        column = f"{mapper.class_.__name__}.{mapper.get_property_by_column(mapper.primary_key[0]).key}"
        code = f"select({mapper.class_.__name__}).where({column}.in_(ids))"
        return Fix("get all rows in one statement before the loop", code, repetition.loop_site)
    text = repetition.statements[0].text
    compared = _COMPARED.search(text.shape.text)
    key = compared.group(1) if compared else "<key>"
    return Fix(
        "ask for the rows of all iterations in one statement before the loop, and look them up by key in it",
        f"... FROM {text.table} WHERE {key} IN (<all keys of the loop>)",
        repetition.loop_site,
    )
