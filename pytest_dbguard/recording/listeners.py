"""Listeners on SQLAlchemy's classes: every engine and session of the process is heard, none is changed."""

from __future__ import annotations

import gc
from collections.abc import Callable
from time import perf_counter_ns
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.engine.interfaces import ExecuteStyle
from sqlalchemy.orm import ORMExecuteState, Session, SessionTransaction

from pytest_dbguard.recording.calls import CallKind, LoadCall, OriginOption
from pytest_dbguard.recording.columns import column_cause, column_names
from pytest_dbguard.recording.current import CURRENT
from pytest_dbguard.recording.leaks import has_leak, without_leak
from pytest_dbguard.recording.recorder import Recorder

_MANY_VALUES = ExecuteStyle.INSERTMANYVALUES
_MAX_IDENTITY_MAP = 20_000
LOAD_OPTIONS = "_sa_orm_load_options"
"""The execution option with which SQLAlchemy marks the loads that it sends by itself."""


class Listeners:
    """Attaches one recorder to SQLAlchemy's classes and removes it again. Attaching twice hears once."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._attached: list[tuple[Any, str, Callable[..., Any]]] = []
        self._has_leak = has_leak()
        # the name is SQLAlchemy's own: where a version uses another, all selects take the longer way
        reader = ORMExecuteState.load_options.fget  # type: ignore[attr-defined]
        self._marks_loads = LOAD_OPTIONS in reader.__code__.co_consts

    @property
    def is_attached(self) -> bool:
        """Whether statements are heard."""
        return bool(self._attached)

    def attach(self) -> None:
        """Start to listen."""
        if self._attached:
            return
        self._attached = [
            (Engine, "before_cursor_execute", self._before_statement),
            (Engine, "after_cursor_execute", self._after_statement),
            (Engine, "handle_error", self._failed_statement),
            (Engine, "commit", self._transaction_ended),
            (Engine, "rollback", self._transaction_ended),
            (Session, "do_orm_execute", self._orm_execute),
            (Session, "before_flush", self._before_flush),
            (Session, "after_transaction_create", self._session_transaction_began),
            (Session, "after_transaction_end", self._session_transaction_ended),
        ]
        for target, name, listener in self._attached:
            event.listen(target, name, listener)
        _wake_connections()
        if CURRENT.get() is None:
            CURRENT.set(self._recorder)

    def detach(self) -> None:
        """Stop to listen and remove every listener."""
        for target, name, listener in self._attached:
            if event.contains(target, name, listener):
                event.remove(target, name, listener)
        self._attached = []
        if CURRENT.get() is self._recorder:
            CURRENT.set(None)

    def _before_statement(
        self, conn: Connection, cursor: Any, statement: str, parameters: Any, context: Any, executemany: bool
    ) -> None:
        if context is not None:
            context._dbguard_started = perf_counter_ns()

    def _after_statement(
        self, conn: Connection, cursor: Any, statement: str, parameters: Any, context: Any, executemany: bool
    ) -> None:
        try:
            if context is not None and context.execute_style is _MANY_VALUES:
                # one insert in batches: heard for each batch, counted once
                if getattr(context, self._recorder.name, False):
                    return
                setattr(context, self._recorder.name, True)
                executemany = True
            started = getattr(context, "_dbguard_started", 0) or perf_counter_ns()
            self._recorder.statement_ended(statement, parameters, context, executemany, started, False)
        except Exception as error:  # noqa: BLE001  nothing of ours may reach the code under test
            self._recorder.fault("recording a statement", error)

    def _failed_statement(self, exception: Any) -> None:
        try:
            context = exception.execution_context
            if not isinstance(context, DefaultExecutionContext) or exception.statement is None:
                return
            started = getattr(context, "_dbguard_started", 0) or perf_counter_ns()
            many = bool(context.executemany)
            self._recorder.statement_ended(exception.statement, exception.parameters, context, many, started, True)
        except Exception as error:  # noqa: BLE001
            self._recorder.fault("recording a failed statement", error)

    def _transaction_ended(self, conn: Connection) -> None:
        self._recorder.transaction_ended()

    def _session_transaction_began(self, session: Session, transaction: SessionTransaction) -> None:
        if transaction.nested:
            self._recorder.savepoint_begins()

    def _session_transaction_ended(self, session: Session, transaction: SessionTransaction) -> None:
        # A session that joined an outer transaction commits into a savepoint: no commit of the engine is heard.
        try:
            if transaction.parent is None:
                self._recorder.session_ended(session)
        except Exception as error:  # noqa: BLE001
            self._recorder.fault("recording the end of a transaction", error)

    def _before_flush(self, session: Session, flush_context: Any, instances: Any) -> None:
        self._recorder.flush_begins()

    def _orm_execute(self, state: ORMExecuteState) -> None:
        try:
            recorder = self._recorder
            if state.is_select and recorder.scope is not None:
                local = state.local_execution_options
                # only loads that the ORM sends by itself, `get` and Query come with load options
                if LOAD_OPTIONS in local or recorder.name in local or not self._marks_loads:
                    call = self._call_of(state, local)
                else:
                    call = self._origin(state)
                state.update_execution_options(**{recorder.name: call})
        except Exception as error:  # noqa: BLE001
            self._recorder.fault("recording an ORM select", error)

    def _origin(self, state: ORMExecuteState) -> OriginOption:
        """Attach an origin to a select that the application asked for."""
        mapper = state.bind_mapper
        call = OriginOption(mapper, self._recorder.name)
        state.statement = state.statement.options(call)
        if mapper is not None:
            self._recorder.latest[mapper.class_] = call
        return call

    def _call_of(self, state: ORMExecuteState, local: Any) -> OriginOption | LoadCall:
        parent = state.lazy_loaded_from
        if parent is not None:
            kind = CallKind.IMMEDIATE if "sa_top_level_orm_context" in local else CallKind.LAZY
            return self._load_call(kind, state, parent)
        if state.is_column_load:
            return self._column_call(state)
        if state.is_relationship_load or self._recorder.name in local:
            if self._has_leak:
                without_leak(state)
            return _EAGER
        return self._origin(state)

    def _load_call(self, kind: CallKind, state: ORMExecuteState, parent: Any) -> LoadCall:
        path = getattr(state.loader_strategy_path, "path", ())
        options = state.user_defined_options
        name = self._recorder.name
        origin = next((o for o in options if type(o) is OriginOption and o.recorder == name), None)
        if parent is None:
            return LoadCall(kind, origin, path, None, None)
        is_guess = origin is None
        if is_guess:
            origin = self._recorder.latest.get(parent.class_)
        else:
            self._count_parents(state.session, origin, parent.class_, path)
        identity = hash(parent.key) if parent.key is not None else id(parent)
        return LoadCall(kind, origin, path, identity, parent.class_, is_guess)

    def _column_call(self, state: ORMExecuteState) -> LoadCall:
        # these names are SQLAlchemy's own; where a version lacks them, cause and columns stay unknown
        options = state.load_options
        refreshed = getattr(options, "_refresh_state", None)
        call = self._load_call(CallKind.COLUMN, state, refreshed)
        names = getattr(getattr(state.statement, "_compile_options", None), "_only_load_props", None) or ()
        call.columns = column_names(refreshed, names)
        call.cause = column_cause(refreshed, call.columns, bool(getattr(options, "_is_user_refresh", False)))
        call.expired_at = self._recorder.ended_at.get(state.session)
        return call

    def _count_parents(self, session: Session, origin: Any, parent_class: type, path: tuple[Any, ...]) -> None:
        """At the second load of one relationship from one origin, count the instances that origin has loaded."""
        scope = self._recorder.scope
        if scope is None or not path or scope.is_full:
            return
        key = (id(origin), path)
        scope.lazy[key] = times = scope.lazy.get(key, 0) + 1
        if times != 2 or len(session.identity_map) > _MAX_IDENTITY_MAP:
            return
        number = sum(
            1
            for state in session.identity_map.all_states()
            if issubclass(state.class_, parent_class) and any(option is origin for option in state.load_options)
        )
        if origin.parents is None:
            origin.parents = {}
        origin.parents[parent_class.__name__] = number


def _wake_connections() -> None:
    """Let connections that are open already send their events.

    A connection looks once, when it is opened, whether its engine has listeners; one that was opened before ours came
    (by a fixture, at the prompt) would never be heard.
    """
    for candidate in gc.get_objects():
        if issubclass(type(candidate), Connection):
            candidate._has_events = True


_EAGER = LoadCall(CallKind.EAGER, None, (), None, None)
