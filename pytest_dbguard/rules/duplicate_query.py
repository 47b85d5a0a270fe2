"""DBG105: the same statement with the same parameters is sent again, and nothing changed in between."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from pytest_dbguard.core.findings import Finding, Fix, Severity, Site
from pytest_dbguard.recording.calls import OriginOption
from pytest_dbguard.recording.frames import Frame, Mark
from pytest_dbguard.recording.model import Recording, Statement
from pytest_dbguard.rules.base import Context, Draft, RuleOptions, Stage


class DuplicateQuery:
    """duplicate-query (DBG105).

    ## What it does
    Finds statements that are sent again with the same text and parameters in the same transaction, with no write to
    their tables in between, from two places of the application. It names both places and the function that leads to
    both. Repetition from one place in a loop is statement-in-loop's.

    ## Why is this bad?
    The second answer is the first one again, for another round trip. Usually two helpers load the same thing because
    neither hands it on.

    ## Example
    ```python
    def greet():
        return session.scalar(select(Customer.name).where(Customer.id == 1))

    def sign():
        return session.scalar(select(Customer.name).where(Customer.id == 1))

    def main():
        print(greet(), sign())
    ```

    ## Use instead
    ```python
    def main():
        name = session.scalar(select(Customer.name).where(Customer.id == 1))
        print(name, name)
    ```

    ## Options
    - `severity` (default "warning").

    ## Limits
    Where the two ways part in a test, a fixture or a factory, nothing is reported: tests often ask again to assert.
    """

    code: ClassVar[str] = "DBG105"
    name: ClassVar[str] = "duplicate-query"
    severity: ClassVar[Severity] = Severity.WARNING
    stage: ClassVar[Stage] = Stage.STABLE
    options_model: ClassVar[type[RuleOptions]] = RuleOptions

    def __init__(self, options: RuleOptions) -> None:
        self._options = options

    def check(self, recording: Recording, context: Context) -> Iterable[Draft]:
        """Yield a draft for each statement that two places of the application send in vain."""
        for statements in _equal_statements(recording, context.claimed):
            repeated = [
                (before, after, fork)
                for before, after in pairwise(statements)
                if not _changed(before, after, recording) and (fork := _fork(before, after, recording)) is not None
            ]
            if repeated:
                yield self._draft(repeated)

    def _draft(self, repeated: list[tuple[Statement, Statement, _Fork]]) -> Draft:
        before, after, fork = repeated[0]
        first = before.stack.site
        table = after.text.table
        count = len(repeated) + 1
        finding = Finding(
            rule=self.code,
            name=self.name,
            severity=self.severity,
            subject=table,
            message=f"`{table}` is asked the same again in one transaction: {count} equal queries",
            site=after.stack.site,
            origin=first,
            count=count,
            fix=Fix("ask once and hand the result on", place=fork.place),
            shape=after.text.shape,
            evidence=(f"both {fork.phrase}",),
        )
        numbers = frozenset(s.number for pair in repeated for s in pair[:2])
        return Draft(finding, numbers)


def _equal_statements(recording: Recording, claimed: frozenset[int]) -> Iterator[list[Statement]]:
    groups: dict[tuple[int, int | None], list[Statement]] = {}
    for statement in recording.statements:
        text = statement.text
        asked = statement.call is None or type(statement.call) is OriginOption
        if not asked or not text.is_read or not text.has_from or text.locks_rows or statement.is_many:
            continue
        if type(statement.call) is OriginOption and statement.call.rereads:
            continue
        if statement.in_flush or statement.number in claimed or statement.stack.marks & Mark.REFRESH:
            continue
        groups.setdefault((id(text), statement.parameters), []).append(statement)
    yield from (group for group in groups.values() if len(group) > 1)


@dataclass(frozen=True, slots=True)
class _Fork:
    """Where the ways to two statements part, and how to say so."""

    place: Site | None
    phrase: str


def _fork(before: Statement, after: Statement, recording: Recording) -> _Fork | None:
    """Return where the application's ways to both statements part; None where a test's do, or none.

    Dependencies of one web request may run in threads, which have nothing in common but the request.
    """
    ways = before.stack.frames, after.stack.frames
    if recording.is_request and all(ways) and ways[0][-1].info is not ways[1][-1].info:
        return None if any(frame.in_test_code for way in ways for frame in way) else _Fork(None, "in one request")
    frame = _shared_frame(before, after)
    return None if frame is None else _Fork(frame.site, f"from {frame.info.function} ({frame.info.file})")


def _shared_frame(before: Statement, after: Statement) -> Frame | None:
    """Return the application's frame in which the ways to both statements part; None where a test's does, or none."""
    fork: Frame | None = None
    for one, other in zip(reversed(before.stack.frames), reversed(after.stack.frames), strict=False):
        if one.info is not other.info:
            break
        fork = other
        # one place may have two instructions: the condition of a `while` is compiled twice
        if one.instruction != other.instruction and one.site != other.site:
            return None if other.in_test_code else other
    # equal ways are one place that repeats; a way that ends inside the other has its fork in the last shared frame
    same = before.stack.key == after.stack.key or before.stack.site == after.stack.site
    if same or fork is None or fork.in_test_code:
        return None
    return fork


def _changed(before: Statement, after: Statement, recording: Recording) -> bool:
    if before.transaction != after.transaction or before.failed or after.failed:
        return True
    tables = set(before.text.tables)
    between = recording.statements[before.number + 1 : after.number]
    return any(s.text.is_write and not tables.isdisjoint(s.text.tables) for s in between)
