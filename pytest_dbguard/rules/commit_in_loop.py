"""DBG502: a transaction is committed in each round of a loop."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from pydantic import Field

from pytest_dbguard.core.findings import Finding, Fix, Severity
from pytest_dbguard.recording.model import Commit, Recording, Statement
from pytest_dbguard.rules.base import Context, Draft, RuleOptions, Stage
from pytest_dbguard.rules.repetition import Cause, Owner, owner_of
from pytest_dbguard.rules.rounds import covers_ranges, isolates_failures, takes_work, writes_batches


class CommitInLoopOptions(RuleOptions):
    """Options of commit-in-loop."""

    threshold: int = Field(default=2, ge=2, description="commits from one place from which they are reported")


@dataclass(frozen=True, slots=True)
class _Transaction:
    """A commit and the writes that it made last."""

    commit: Commit
    writes: tuple[Statement, ...]


class CommitInLoop:
    """commit-in-loop (DBG502).

    ## What it does
    Finds loops of the application that commit in each round: `session.commit()`, `with session.begin():`,
    `with engine.begin():`, `connection.commit()`. It names the line that writes, the loop, and the line that commits.

    Not reported: a commit for each batch of rows, work queues (each round claims its item with LIMIT or FOR UPDATE),
    loops that pause between rounds, retries, and loops that catch a failed round and go on with the next one: there
    the transaction keeps failures apart.

    ## Why is this bad?
    Each commit waits until the log is on disk, and each round asks for a new transaction. A thousand rows with a
    thousand commits take a hundred times as long as with one.

    ## Example
    ```python
    for name in ("Ada", "Grace", "Edsger"):
        session.add(Customer(name=name))
        session.commit()
    ```

    ## Use instead
    ```python
    for name in ("Ada", "Grace", "Edsger"):
        session.add(Customer(name=name))
    session.commit()
    ```

    ## Options
    - `threshold` (default 2): the number of commits from one place from which they are reported.
    - `severity` (default "error").

    ## Limits
    A loop in a test, a fixture or a factory is reported as a note about the test. Where each item has to be safe
    before the next one starts, say so with an ignore comment.
    """

    code: ClassVar[str] = "DBG502"
    name: ClassVar[str] = "commit-in-loop"
    severity: ClassVar[Severity] = Severity.ERROR
    stage: ClassVar[Stage] = Stage.STABLE
    options_model: ClassVar[type[RuleOptions]] = CommitInLoopOptions

    def __init__(self, options: RuleOptions) -> None:
        self._threshold = getattr(options, "threshold", 2)

    def check(self, recording: Recording, context: Context) -> Iterable[Draft]:
        """Yield a draft for each place that a loop commits from."""
        groups: dict[object, list[_Transaction]] = {}
        for transaction in _transactions(recording):
            groups.setdefault(transaction.commit.stack.key, []).append(transaction)
        for transactions in groups.values():
            stack = transactions[0].commit.stack
            owner = owner_of(stack, context.loops, len(transactions), recursion=stack.recursion)
            if len(transactions) < self._threshold or owner is None or owner.cause is Cause.CALLBACK:
                continue
            if not _is_excused(transactions, owner, recording, context):
                yield self._draft(transactions, owner, recording)

    def _draft(self, transactions: list[_Transaction], owner: Owner, recording: Recording) -> Draft:
        writes = [write for transaction in transactions for write in transaction.writes]
        main = _busiest(writes)
        place = transactions[0].commit.stack.site
        tables = list(dict.fromkeys(write.text.table for write in writes))
        also = f"writes to {', '.join(tables)}" if len(tables) > 1 else ""
        committed = f"committed at {place.label}" if place is not None and place != main.stack.site else ""
        frame = owner.frame
        finding = Finding(
            rule=self.code,
            name=self.name,
            severity=self.severity,
            subject=main.text.table,
            message=f"`{main.text.table}` is written and committed {owner.phrase}: {len(transactions)} commits",
            site=main.stack.site,
            loop=owner.site,
            count=len(transactions),
            # whatever writes while fixtures run arranges data, be it a factory or the application's own code
            in_test_code=(frame.in_test_code if frame is not None else False) or recording.prepares,
            fix=Fix("commit once after the loop, or once for each batch of rows", "session.commit()", place),
            shape=main.text.shape,
            evidence=tuple(text for text in (committed, also) if text),
        )
        return Draft(finding, frozenset(write.number for write in writes))


def _transactions(recording: Recording) -> Iterator[_Transaction]:
    """Yield the commits that made something last, with what they made last."""
    start = 0
    for commit in recording.commits:
        statements = recording.statements[start : commit.position]
        start = commit.position
        writes = tuple(statement for statement in statements if statement.text.is_write and not statement.failed)
        if writes:
            yield _Transaction(commit, writes)


def _busiest(writes: list[Statement]) -> Statement:
    """Return the first write of the place that writes most."""
    times = Counter(write.stack.key for write in writes)
    return max(writes, key=lambda write: (times[write.stack.key], -write.number))


def _is_excused(transactions: list[_Transaction], owner: Owner, recording: Recording, context: Context) -> bool:
    if owner.loop is not None and owner.loop.pauses:
        return True
    if any(isolates_failures(frame, context.loops) for frame in transactions[0].commit.stack.frames):
        return True
    if all(writes_batches(transaction.writes, owner.loop) for transaction in transactions):
        return True
    by_shape: dict[str, list[Statement]] = {}
    for write in (write for each in transactions for write in each.writes):
        by_shape.setdefault(write.text.shape.id, []).append(write)
    if all(len({write.transaction for write in writes}) == 1 for writes in by_shape.values()):
        # each round does something else: steps of a job, not rows
        return True
    if all(covers_ranges(tuple(writes)) for writes in by_shape.values()):
        return True
    return takes_work({write.transaction for each in transactions for write in each.writes}, recording)
