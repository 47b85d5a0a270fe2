"""DBG503: a transaction is open for long while the database has nothing to do."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import ClassVar

from pydantic import Field

from pytest_dbguard.core.findings import Finding, Fix, Severity
from pytest_dbguard.recording.model import OpenTransaction, Recording, Statement
from pytest_dbguard.rules.base import Context, Draft, RuleOptions, Stage

_NS_PER_MS = 1e6


class LongTransactionOptions(RuleOptions):
    """Options of long-transaction."""

    threshold_ms: float = Field(default=1000.0, gt=0, description="milliseconds from which a transaction is long")


class LongTransaction:
    """long-transaction (DBG503).

    ## What it does
    Notes transactions that stay open for long although the database works during less than half of that time: the
    program computes, calls another service or sleeps while it holds locks. It names where the transaction begins and
    ends, and between which statements the longest pause lies.

    ## Why is this bad?
    An open transaction keeps its locks and its connection, and keeps the database from removing old row versions.

    ## Example
    ```python
    # dbguard: threshold_ms = 100.0
    import time

    with engine.begin() as connection:
        connection.execute(text("SELECT id FROM job"))
        time.sleep(0.15)
    ```

    ## Use instead
    ```python
    # dbguard: threshold_ms = 100.0
    import time

    with engine.begin() as connection:
        connection.execute(text("SELECT id FROM job"))
    time.sleep(0.15)
    ```

    ## Options
    - `threshold_ms` (default 1000): the number of milliseconds from which a transaction is long, 100 at least.
    - `severity` (default "note").

    ## Limits
    Times depend on the machine, so this is a note unless its severity is raised. Transactions that a fixture begins
    or ends are not looked at.
    """

    code: ClassVar[str] = "DBG503"
    name: ClassVar[str] = "long-transaction"
    severity: ClassVar[Severity] = Severity.NOTE
    stage: ClassVar[Stage] = Stage.STABLE
    options_model: ClassVar[type[RuleOptions]] = LongTransactionOptions

    def __init__(self, options: RuleOptions) -> None:
        self._threshold_ms = getattr(options, "threshold_ms", 1000.0)

    def check(self, recording: Recording, context: Context) -> Iterable[Draft]:
        """Yield a draft for each transaction that was open for long."""
        for transaction in recording.transactions:
            inside = recording.statements[transaction.first : transaction.end]
            statements = tuple(statement for statement in inside if statement.text.is_read or statement.text.is_write)
            working = sum(statement.elapsed_ms for statement in statements)
            if transaction.elapsed_ms >= self._threshold_ms and statements and working * 2 < transaction.elapsed_ms:
                yield self._draft(transaction, statements, working)

    def _draft(self, transaction: OpenTransaction, statements: tuple[Statement, ...], working: float) -> Draft:
        first = statements[0]
        begun, ended = first.stack.site, transaction.stack.site
        open_for, worked = f"{transaction.elapsed_ms:.0f} ms", f"{working:.0f} ms"
        finding = Finding(
            rule=self.code,
            name=self.name,
            severity=self.severity,
            subject=first.text.table,
            message=f"a transaction is open for {open_for}, {worked} of it in the database",
            site=begun,
            in_test_code=all(frame.in_test_code for frame in first.stack.frames),
            fix=Fix("do what takes time before the transaction or after it"),
            evidence=(
                *((f"it ends at {ended.label}",) if ended is not None else ()),
                *_pause(statements, transaction.elapsed_ms),
            ),
        )
        return Draft(finding)


def _pause(statements: tuple[Statement, ...], elapsed_ms: float) -> Iterable[str]:
    """Tell the longest time between the end of a statement and the beginning of the next, where it matters."""
    pauses = [
        (after.started_ns - before.started_ns - before.elapsed_ms * _NS_PER_MS, before, after)
        for before, after in pairwise(statements)
    ]
    longest, before, after = max(pauses, key=lambda pause: pause[0], default=(0.0, None, None))
    places = [each.stack.site for each in (before, after) if each is not None]
    if longest / _NS_PER_MS * 2 >= elapsed_ms and len(places) == 2 and places[0] is not None and places[1] is not None:
        yield f"{longest / _NS_PER_MS:.0f} ms pass between {places[0].label} and {places[1].label}"
