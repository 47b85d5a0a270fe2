"""Listeners on SQLAlchemy's classes: every engine and session of the process is heard, none is changed."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Connection

from pytest_dbguard.recording.connection_listeners import ConnectionListeners
from pytest_dbguard.recording.current import CURRENT
from pytest_dbguard.recording.orm_listeners import OrmListeners
from pytest_dbguard.recording.recorder import Recorder
from pytest_dbguard.recording.statement_listeners import StatementListeners

Listener = tuple[Any, str, Callable[..., Any], dict[str, Any]]
"""Target, name of the event, function, and options of `event.listen`."""


class Listeners:
    """Attaches one recorder to SQLAlchemy's classes and removes it again. Attaching twice hears once."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._attached: list[Listener] = []
        self.statements = StatementListeners(recorder)
        self.orm = OrmListeners(recorder)
        self.connections = ConnectionListeners(recorder)

    @property
    def is_attached(self) -> bool:
        """Whether statements are heard."""
        return bool(self._attached)

    def attach(self) -> None:
        """Start to listen."""
        if self._attached:
            return
        self._attached = [*self.statements.events(), *self.orm.events(), *self.connections.events()]
        for target, name, listener, options in self._attached:
            event.listen(target, name, listener, **options)
        self.connections.start()
        _wake_connections()
        if CURRENT.get() is None:
            CURRENT.set(self._recorder)

    def detach(self) -> None:
        """Stop to listen and remove every listener."""
        for target, name, listener, _ in self._attached:
            if event.contains(target, name, listener):
                event.remove(target, name, listener)
        self._attached = []
        self.orm.stop()
        self.connections.stop()
        if CURRENT.get() is self._recorder:
            CURRENT.set(None)


def _wake_connections() -> None:
    """Let connections that are open already send their events.

    A connection looks once, when it is opened, whether its engine has listeners; one that was opened before ours came
    (by a fixture, at the prompt) would never be heard.
    """
    for candidate in gc.get_objects():
        if issubclass(type(candidate), Connection):
            candidate._has_events = True
