"""The recorder: takes in what the listeners hear and files it in the scope that is open."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import replace
from time import perf_counter_ns
from types import CodeType
from typing import Any
from weakref import WeakKeyDictionary

from pytest_dbguard.core.verdict import Fault
from pytest_dbguard.recording.calls import LoadCall, OriginOption
from pytest_dbguard.recording.exemplars import Exemplars, style_of
from pytest_dbguard.recording.frames import Mark, Stack, StackReader
from pytest_dbguard.recording.model import OpenTransaction
from pytest_dbguard.recording.ownership import Ownership
from pytest_dbguard.recording.schemas import SchemaWatch
from pytest_dbguard.recording.scopes import Scope
from pytest_dbguard.sql.shape import StatementText, read_statement

_MAX_TEXTS = 10_000
_MAX_FAULTS = 20
_UNCOUNTED = int(Mark.CATALOG)
_IN_FLUSH = int(Mark.FLUSH)
_COMMIT = int(Mark.COMMIT)
_ROLLBACK = int(Mark.ROLLBACK)
_REFRESH = int(Mark.REFRESH)
_MIGRATION = int(Mark.MIGRATION)
_BY_SESSION = int(Mark.SESSION)
_UNPLANNED = frozenset({"setup", "teardown"})
_DEFINES = frozenset({"CREATE", "ALTER", "DROP"})
_PLANNED = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE"})
_UNCOUNTED_VERBS = frozenset({"TRANSACTION", "PRAGMA", "SHOW", "SET", "RESET", ""})


class Recorder:
    """Files statements by scope. One for each process that records; open a scope, then attach listeners.

    Statements go to the innermost scope that the running context has entered (`nested`), else to the scope of the
    process (`open`): threads that a test starts without a context are thereby recorded as the test's. Nothing here
    raises into the code under test: faults are kept in `faults` (at most 20).

    Attributes:
        name: The execution option that carries what the ORM was asked for from the ORM's event to the cursor's; its
            own for each recorder, so that two in one process (pytest running pytest) do not mix.
        tracks_reads: Whether to notice which relationships are read; rules about eager loads need it.
        schemas: Tells on which schema a statement runs; None where no rule asks for plans.
        exemplars: A text of each shape, kept where `schemas` is there.
    """

    def __init__(self, ownership: Ownership, *, tracks_reads: bool = True, schemas: SchemaWatch | None = None) -> None:
        self.name = f"dbguard_{id(self):x}"
        self.reader = StackReader(ownership)
        self.faults: list[Fault] = []
        self.tracks_reads = tracks_reads
        self.schemas = schemas
        self.exemplars = Exemplars()
        self.latest: dict[type, OriginOption] = {}
        self.latest_load: LoadCall | None = None
        self.expired_at: WeakKeyDictionary[Any, Stack] = WeakKeyDictionary()
        self._texts: dict[str, StatementText] = {}
        self._process_scope: Scope | None = None
        self._context_scope: ContextVar[Scope | None] = ContextVar("dbguard_scope", default=None)
        self._request: ContextVar[Scope | None] = ContextVar("dbguard_request", default=None)
        self._transaction = 0
        self._savepoints = 0
        self._flushes: dict[int, int] = {}
        self._flush_number = 0
        self._expiring: tuple[int, ...] = ()

    @property
    def scope(self) -> Scope | None:
        """The scope that a statement sent now would be filed in; None when nothing is recorded."""
        return self._context_scope.get() or self._process_scope

    @property
    def request(self) -> Scope | None:
        """The web request that this context serves, if any."""
        return self._request.get()

    def open(self, scope: Scope, *roots: CodeType) -> None:
        """Make `scope` the scope of the process; stacks end at the functions `roots`."""
        self._process_scope = scope
        self.latest_load = None
        self.latest.clear()
        self._flushes.clear()
        self.reader.notice_greenlet()
        self.reader.set_roots(roots)

    def close(self) -> None:
        """Stop recording in the process's scope."""
        self._process_scope = None
        self.latest.clear()
        self._flushes.clear()

    @contextmanager
    def nested(self, scope: Scope) -> Iterator[Scope]:
        """Record what this context does in a scope of its own, as for one web request."""
        outer = self.scope
        if outer is not None:
            scope.is_paused = outer.is_paused
            outer.nested.append(scope)
        with _set(self._context_scope, scope):
            yield scope

    @contextmanager
    def serving(self, scope: Scope) -> Iterator[Scope]:
        """File what this context does in the scope of a web request, which may be entered more than once."""
        with _set(self._context_scope, scope), _set(self._request, scope):
            yield scope

    def fault(self, where: str, error: BaseException) -> None:
        """Keep an error of our own to tell at the end; one that comes with every statement is told once."""
        fault = Fault(where, f"{type(error).__name__}: {error}")
        if len(self.faults) < _MAX_FAULTS and fault not in self.faults:
            self.faults.append(fault)

    def transaction_ended(self) -> None:
        """Note a commit or rollback: what was read before may have changed."""
        self._transaction += 1

    def transaction_committed(self) -> None:
        """Note a commit of an engine's transaction, and where."""
        self._transaction += 1
        scope = self.scope
        if scope is not None:
            scope.add_commit(self.reader.stack(self.reader.read_through("-- commit", 3)))

    def transaction_took(self, scope: Scope, first: int, elapsed_ns: int) -> None:
        """Note a transaction that was open for long: since the statement `first` of a scope."""
        stack = self.reader.stack(self.reader.read(sys._getframe(2)))
        scope.transactions.append(OpenTransaction(first, scope.count, elapsed_ns / 1e6, stack))

    def savepoint_begins(self) -> None:
        """Note a savepoint that the application set; not those by which a session joins an outer transaction."""
        self._savepoints += 1

    def session_ended(self, session: Any) -> None:
        """Note that a session's outermost transaction ended, and where: its instances are expired from here on."""
        self._transaction += 1
        scope = self.scope
        if scope is None:
            return
        walk = self.reader.read_through("-- end", 3)
        if walk[1] & _COMMIT:
            scope.add_commit(self.reader.stack(walk))
        if walk[1] & _ROLLBACK or (walk[1] & _COMMIT and session.expire_on_commit):
            self.expired_at[session] = self.reader.stack(walk)

    def session_expired(self, session: Any) -> None:
        """Note that instances of a session expired, and where; of many at once, the first tells."""
        scope = self.scope
        if scope is None:
            return
        burst = (id(session), self._transaction, id(scope), scope.count)
        if burst == self._expiring:
            return
        self._expiring = burst
        walk = self.reader.read(sys._getframe(2))
        if not walk[1] & _REFRESH:
            self.expired_at[session] = self.reader.stack(walk)

    def connection_taken(self, proxy: Any) -> None:
        """Note that a connection is taken out of its pool, and where."""
        scope = self.scope
        if scope is not None:
            scope.add_checkout(proxy, self.reader.stack(self.reader.read_through("-- checkout", 3)))

    def connection_used(self, connection: Any, session: Any) -> None:
        """Note which session took a connection: one that is older than the scope has an owner outside of it."""
        scope = self.scope
        if scope is not None and session.hash_key <= scope.sessions_before:
            scope.drop_checkout(connection.connection)

    def read_elsewhere(self, relationship: Any) -> None:
        """Note that a relationship was read on an instance of which no query is known to have loaded it along."""
        scope = self.scope
        if scope is not None:
            scope.reads_elsewhere.add(relationship)

    def flush_begins(self) -> None:
        """Note that the running thread or greenlet starts another flush."""
        self._flush_number += 1
        self._flushes[self.reader.running()] = self._flush_number

    def statement_ended(
        self, statement: str, parameters: Any, context: Any, is_many: bool, started_ns: int, failed: bool
    ) -> None:
        """File one execution. The hot path: everything that can wait until the scope is judged waits."""
        elapsed_ns = perf_counter_ns() - started_ns
        scope = self._context_scope.get() or self._process_scope
        if scope is None or scope.is_paused:
            return
        text = self._texts.get(statement)
        if text is None:
            text = self._learn(statement, parameters, context)
        walk = self.reader.read_through(statement, 4)
        marks = walk[1]
        if text.verb in _UNCOUNTED_VERBS or marks & _UNCOUNTED:
            if text.sets_savepoint and not marks & _BY_SESSION:
                self.savepoint_begins()
            return
        stack = self.reader.stack(walk)
        call = context.execution_options.get(self.name) if context is not None else None
        if call is self.latest_load:
            self.latest_load = None
        if type(call) is OriginOption and call.stack is None:
            call.stack, call.statement = stack, text
        schema = ""
        if self.schemas is not None and context is not None and not failed:
            schema = self._schema(self.schemas, scope, text, context, marks)
            if schema and not is_many:
                self.exemplars.take(statement, parameters)
        scope.add(
            (
                text,
                stack,
                call,
                elapsed_ns / 1e6,
                self._transaction,
                self._flushes.get(self.reader.running(), 0) if marks & _IN_FLUSH else 0,
                self._savepoints,
                None if is_many else _hash_of(parameters),
                _values(text, parameters) if text.moves and not is_many else (),
                is_many,
                failed,
                started_ns,
                schema,
            ),
            elapsed_ns,
        )

    def _schema(self, schemas: SchemaWatch, scope: Scope, text: StatementText, context: Any, marks: int) -> str:
        """Return the id of the schema that a statement ran on; "" where that does not matter or cannot be told."""
        if text.verb in _DEFINES:
            schemas.changed()
        if text.verb not in _PLANNED or scope.scope in _UNPLANNED or marks & _MIGRATION:
            return ""
        return schemas.schema_of(context.root_connection, text, id(scope))

    def _learn(self, statement: str, parameters: Any, context: Any) -> StatementText:
        if len(self._texts) >= _MAX_TEXTS:
            self._texts.clear()
        text = read_statement(statement)
        if text.is_write and _refers_to_itself(context):
            text = replace(text, refers_to_itself=True)
        self._texts[statement] = text
        if self.schemas is not None and context is not None and text.verb in _PLANNED:
            style = style_of(context.dialect, parameters)
            self.exemplars.learn(text.shape.id, statement, style, text.longest_list)
        return text


def _refers_to_itself(context: Any) -> bool:
    """Whether a statement of SQLAlchemy's writes to a table whose rows refer to other rows of it."""
    table = getattr(getattr(getattr(context, "compiled", None), "statement", None), "table", None)
    return any(key.column.table is table for key in getattr(table, "foreign_keys", ()))


@contextmanager
def _set(variable: ContextVar[Scope | None], scope: Scope) -> Iterator[None]:
    token = variable.set(scope)
    try:
        yield
    finally:
        # a coroutine that is thrown away may be closed in another context, where there is nothing to reset
        with suppress(ValueError):
            variable.reset(token)


def _hash_of(parameters: Any) -> int | None:
    """Return a hash of the bound values; None when there are none to compare."""
    values = tuple(parameters.values()) if isinstance(parameters, dict) else parameters
    try:
        return hash(values)
    except Exception:  # noqa: BLE001  values may be of any class, with any fault in it
        return _hash_of_unhashable(values)


def _hash_of_unhashable(values: Any) -> int | None:
    try:
        return hash(repr(values))
    except Exception:  # noqa: BLE001
        return None


def _values(text: StatementText, parameters: Any) -> tuple[int, ...]:
    """Return a hash for each bound value in the order of the text; () when they cannot be told apart."""
    try:
        if isinstance(parameters, dict):
            return tuple(_hash_of((parameters[p.name],)) or 0 for p in text.placeholders if p.name is not None)
        return tuple(_hash_of((value,)) or 0 for value in parameters)
    except (KeyError, TypeError):
        return ()
