"""Hears every statement that an engine sends, and hands it to the recorder with its duration."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter_ns
from typing import Any

from sqlalchemy.engine import Connection, Engine
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.engine.interfaces import ExecuteStyle
from sqlalchemy.exc import MissingGreenlet

from pytest_dbguard.recording.recorder import Recorder

_MANY_VALUES = ExecuteStyle.INSERTMANYVALUES


class StatementListeners:
    """The engine's events around each statement."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def events(self) -> list[tuple[Any, str, Callable[..., Any], dict[str, Any]]]:
        """Return what to listen to."""
        return [
            (Engine, "before_cursor_execute", self._before_statement, {}),
            (Engine, "after_cursor_execute", self._after_statement, {}),
            (Engine, "handle_error", self._failed_statement, {}),
        ]

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
            if getattr(context, self._recorder.name, False):
                # a later batch of an insert that was counted with its first one
                return
            if isinstance(exception.original_exception, MissingGreenlet):
                # asynchronous code could not wait for it: nothing was sent
                return
            started = getattr(context, "_dbguard_started", 0) or perf_counter_ns()
            many = bool(context.executemany)
            self._recorder.statement_ended(exception.statement, exception.parameters, context, many, started, True)
        except Exception as error:  # noqa: BLE001
            self._recorder.fault("recording a failed statement", error)
