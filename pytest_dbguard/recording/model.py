"""Recordings: what happened in one scope, as the rules see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pytest_dbguard.core.findings import Site
from pytest_dbguard.core.ignores import IgnoredRange
from pytest_dbguard.recording.calls import LoadCall, OriginOption
from pytest_dbguard.recording.frames import Mark, Stack
from pytest_dbguard.sql.shape import StatementText


@dataclass(frozen=True, slots=True)
class Statement:
    """One execution seen at the DBAPI. Holds no parameter values, only facts about them.

    Attributes:
        number: Position in the recording, from 0.
        text: Shape and facts of the SQL text.
        stack: The application's frames that led to it.
        call: What the ORM was asked for; None for Core, driver SQL and writes.
        elapsed_ms: Time in the driver, in milliseconds.
        transaction: Number of the transaction; moves with every commit and rollback in the process.
        flush: Number of the flush that sent it; 0 outside of a flush.
        savepoint: Number of explicit savepoints (`begin_nested`) seen before it.
        parameters: Hash of the bound values, to tell equal executions; None for executemany.
        values: Hashes of the single bound values in the order of the text, kept where `text.moves`; () otherwise.
        is_many: Whether it stands for many executions: executemany, insert-many-values.
        failed: Whether the database refused it.
        started_ns: When it was sent, in nanoseconds of the process's clock.
        schema: Id of the schema that it ran on; "" where nobody asked, or it could not be read.
    """

    number: int
    text: StatementText
    stack: Stack
    call: OriginOption | LoadCall | None
    elapsed_ms: float
    transaction: int
    flush: int
    savepoint: int
    parameters: int | None
    values: tuple[int, ...]
    is_many: bool
    failed: bool
    started_ns: int = 0
    schema: str = ""

    @property
    def sql(self) -> str:
        """The text without literals."""
        return self.text.shape.text

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables it names."""
        return self.text.tables

    @property
    def site(self) -> Site | None:
        """Where it runs; None where no application frame is on the stack."""
        return self.stack.site

    @property
    def in_flush(self) -> bool:
        """Whether a flush sent it (a write, or a load that the flush needed)."""
        return bool(self.stack.marks & Mark.FLUSH)


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit that ended a transaction: the number of statements before it, and where it stands."""

    position: int
    stack: Stack


@dataclass(frozen=True, slots=True)
class OpenTransaction:
    """A transaction that was open for long.

    Attributes:
        first: Number of its first statement.
        end: Number of the statement after its last one.
        elapsed_ms: From its beginning to its end, in milliseconds.
        stack: Where it ended.
    """

    first: int
    end: int
    elapsed_ms: float
    stack: Stack


@dataclass(frozen=True)
class Recording:
    """All that happened in one scope.

    Attributes:
        name: Node id of the test, or the name given to `record()`.
        scope: "call", "setup", "teardown", or a nested scope such as "GET /orders".
        raw: The kept statements as tuples of `Statement`'s fields after `number`.
        count: Number of statements, kept or not.
        elapsed_ms: Time in the driver of all of them.
        overflow: Counts by (shape id, stack key) of statements beyond those that were kept.
        max_queries: The budget that the test's marker or the configuration sets; None without one.
        test_site: Where the test function stands; None outside of tests.
        ignores: What is not to be reported for a range of statements.
        nested_count: Number of statements of the scopes nested in this one, such as requests; not in `count`.
        commits: Where transactions were committed, in order.
        transactions: Transactions that were open for long.
        open_connections: Where connections were taken that nobody gave back so far.
        eager: Selects that load relationships along, with what was read of these.
        reads_elsewhere: Relationships that were read on instances which no query is known to have loaded them for.
    """

    name: str
    scope: str
    raw: tuple[tuple[Any, ...], ...]
    count: int
    elapsed_ms: float
    overflow: Mapping[tuple[str, Any], int] = field(default_factory=dict)
    max_queries: int | None = None
    test_site: Site | None = None
    nested_count: int = 0
    ignores: tuple[IgnoredRange, ...] = ()
    commits: tuple[Commit, ...] = ()
    transactions: tuple[OpenTransaction, ...] = ()
    open_connections: tuple[Stack, ...] = ()
    eager: tuple[OriginOption, ...] = ()
    reads_elsewhere: frozenset[Any] = frozenset()

    @property
    def total_count(self) -> int:
        """Number of statements of this scope and of those nested in it."""
        return self.count + self.nested_count

    @cached_property
    def statements(self) -> tuple[Statement, ...]:
        """The kept statements in order."""
        return tuple(Statement(number, *raw) for number, raw in enumerate(self.raw))

    def numbers_of(self, origin: OriginOption) -> frozenset[int]:
        """Return the number of the statement that a select was sent as."""
        return frozenset(statement.number for statement in self.statements if statement.call is origin)

    @property
    def is_phase(self) -> bool:
        """Whether this is a whole phase of a test rather than a scope nested in one."""
        return self.scope in ("setup", "call", "teardown")

    @property
    def is_request(self) -> bool:
        """Whether this is a web request: named as `GET /orders`."""
        return " /" in self.scope

    @property
    def prepares(self) -> bool:
        """Whether it is the setup or teardown of a test."""
        return self.scope in ("setup", "teardown")
