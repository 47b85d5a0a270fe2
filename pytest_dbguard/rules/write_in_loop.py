"""DBG104: a statement that writes runs once for each round of a loop."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from pydantic import Field

from pytest_dbguard.core.findings import Finding, Fix, Severity
from pytest_dbguard.recording.frames import Mark
from pytest_dbguard.recording.loops import LoopFinder
from pytest_dbguard.recording.model import Recording, Statement
from pytest_dbguard.rules.base import Context, Draft, RuleOptions, Stage
from pytest_dbguard.rules.repetition import Cause, Repetition, repetitions
from pytest_dbguard.rules.rounds import covers_ranges, goes_with_batches, is_batch, isolates_failures, takes_work


class WriteInLoopOptions(RuleOptions):
    """Options of write-in-loop."""

    threshold: int = Field(default=2, ge=2, description="repetitions from which a write is reported")


class WriteInLoop:
    """write-in-loop (DBG104).

    ## What it does
    Finds inserts, updates and deletes that a loop of the application sends one by one: a flush in each round, Core
    statements, driver SQL. It names the loop and the line that sends the statement. Loops that commit in each round
    are commit-in-loop's.

    Not reported: executemany, multi-row inserts and other batches, many objects in one flush, one savepoint for each
    row (it is there to skip a row that fails), heartbeats (the loop sleeps), work queues (each round takes one item
    with LIMIT or FOR UPDATE and commits), and updates that a repeated read flushes first (they are told with the
    read).

    ## Why is this bad?
    Each round waits for the database, and each commit for its disk. A thousand rows in one statement take about as
    long as ten one by one.

    ## Example
    ```python
    for name in ("Ada", "Grace", "Edsger"):
        session.add(Customer(name=name))
        session.flush()
    ```

    ## Use instead
    ```python
    for name in ("Ada", "Grace", "Edsger"):
        session.add(Customer(name=name))
    session.flush()
    ```

    ## Options
    - `threshold` (default 2): the number of repetitions from which a write is reported.
    - `severity` (default "error").

    ## Limits
    A loop in a test, a fixture or a factory is reported as a note about the test. A key that the next round needs
    (`flush()` to learn an id) is still a round trip for each row; set the relationship instead of the id.
    """

    code: ClassVar[str] = "DBG104"
    name: ClassVar[str] = "write-in-loop"
    severity: ClassVar[Severity] = Severity.ERROR
    stage: ClassVar[Stage] = Stage.STABLE
    options_model: ClassVar[type[RuleOptions]] = WriteInLoopOptions

    def __init__(self, options: RuleOptions) -> None:
        self._threshold = getattr(options, "threshold", 2)

    def check(self, recording: Recording, context: Context) -> Iterable[Draft]:
        """Yield a draft for each table and place that a loop writes to."""

        def wanted(statement: Statement) -> bool:
            return statement.text.is_write and not statement.is_many and statement.number not in context.claimed

        found = repetitions(recording, context.loops, wanted, _subject, threshold=self._threshold)
        by_place: dict[object, list[Repetition]] = {}
        for repetition in found:
            if _rounds(repetition) >= self._threshold and not _is_excused(repetition, recording, context.loops):
                by_place.setdefault(repetition.stack.key, []).append(repetition)
        for repetitions_there in by_place.values():
            yield self._draft(repetitions_there, recording)

    def _draft(self, found: list[Repetition], recording: Recording) -> Draft:
        """Make one finding of all tables that one place writes to: one flush often writes several."""
        main = found[0]
        text = main.statements[0].text
        tables = list(dict.fromkeys(repetition.statements[0].text.table for repetition in found))
        finding = Finding(
            rule=self.code,
            name=self.name,
            severity=self.severity,
            subject=text.table,
            message=f"`{text.table}` is written {main.phrase}: {main.count} {text.verb}s",
            site=main.site,
            loop=main.loop_site,
            count=sum(repetition.count for repetition in found),
            # whatever writes while fixtures run arranges data, be it a factory or the application's own code
            in_test_code=main.in_test_code or recording.prepares,
            fix=_fix(main),
            shape=text.shape,
            evidence=(f"writes to {', '.join(tables)}",) if len(tables) > 1 else (),
        )
        return Draft(finding, frozenset().union(*(repetition.numbers for repetition in found)))


def _subject(statement: Statement) -> tuple[str, str, bool]:
    return (statement.text.verb, statement.text.table, statement.in_flush)


def _rounds(repetition: Repetition) -> int:
    """Return the number of rounds that wrote: many rows of one flush are one round."""
    statements = repetition.statements
    if not statements[0].in_flush:
        return repetition.count
    return len({statement.flush for statement in statements})


def _is_excused(repetition: Repetition, recording: Recording, loops: LoopFinder) -> bool:
    statements, loop = repetition.statements, repetition.loop
    if repetition.cause is Cause.CALLBACK and repetition.in_test_code and len(repetition.stack.frames) == 1:
        # one line of a test, repeated by a library below it: a factory that makes a batch
        return True
    if repetition.cause is Cause.CALLBACK and repetition.stack.marks & Mark.BULK:
        # one call with many rows, of which SQLAlchemy sends those with other columns by themselves
        return True
    if loop is not None and (loop.pauses or loop.takes_batches):
        return True
    if all(is_batch(statement, loop) for statement in statements):
        return True
    if covers_ranges(statements):
        return True
    if len({statement.savepoint for statement in statements}) == len(statements):
        return True
    failed = sum(statement.failed for statement in statements)
    if failed >= len(statements) - 1:
        return True
    if len({statement.transaction for statement in statements}) < len(statements):
        return False
    # a transaction for each round: it takes one piece of work, or keeps a round that fails apart from the others
    if any(isolates_failures(frame, loops) for frame in repetition.stack.frames):
        return True
    if goes_with_batches(statements, recording):
        return True
    return takes_work({statement.transaction for statement in statements}, recording)


def _fix(repetition: Repetition) -> Fix:
    first = repetition.statements[0]
    place = repetition.loop_site
    if first.stack.marks & Mark.AUTOFLUSH:
        return Fix(
            "let the pending rows wait: ask before the loop, or hold the flush back while it runs",
            "with session.no_autoflush:\n    ...",
            place,
        )
    if first.in_flush:
        return Fix("flush once after the loop: SQLAlchemy sends the rows together", "session.flush()", place)
    table, verb = first.text.table, first.text.verb.lower()
    if verb == "insert":
        return Fix(
            "collect the rows and send them in one executemany",
            f"connection.execute(insert({table}), rows)",
            place,
        )
    return Fix(
        f"send one {verb} for all rows, or one executemany with a bindparam for each value that changes",
        f"connection.execute({verb}({table}).where(...), rows)",
        place,
    )
