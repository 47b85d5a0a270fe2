"""Listens for all middlewares of a process that share a root: attached once, removed with the last of them."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from contextvars import copy_context
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any
from weakref import WeakSet

from pytest_dbguard.recording.current import CURRENT, serving
from pytest_dbguard.recording.listeners import Listeners
from pytest_dbguard.recording.ownership import Ownership
from pytest_dbguard.recording.recorder import Recorder
from pytest_dbguard.recording.scopes import Scope


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Request:
    """A request under way.

    Attributes:
        scope: Where its statements are filed.
        recorder: Who files them.
        is_ours: Whether the middleware opened the scope, rather than the recorder of a test or another middleware.
    """

    scope: Scope
    recorder: Recorder
    is_ours: bool

    def entered(self) -> AbstractContextManager[Scope]:
        """File what this context does in the request's scope, until the block is left."""
        return serving(self.recorder, self.scope) if self.is_ours else nullcontext(self.scope)


class Hub:
    """One recorder and its listeners. They are attached with the first request of the first user.

    Users and requests are held weakly: those that are dropped without a word count no longer. Listeners are only
    removed when a request ends or a user leaves, never by the garbage collector, which may run while SQLAlchemy goes
    through the very list of listeners.
    """

    def __init__(self, root: Path) -> None:
        self.recorder = Recorder(Ownership(root))
        self._listeners = Listeners(self.recorder)
        self._users: WeakSet[Any] = WeakSet()
        self._under_way: WeakSet[Request] = WeakSet()
        self._lock = Lock()

    def begin(self, user: Any, name: str, max_queries: int | None) -> Request:
        """Return a request that begins now; listen from here on.

        Where another recorder listens in this context (that of a test or a `record()` block), the request is a scope
        of that one.
        """
        current = CURRENT.get()
        if current is not None and current.scope is not None:
            return _join(current, current.scope, name)
        request = Request(Scope(name, name, max_queries), self.recorder, True)
        with self._lock:
            if not self._listeners.is_attached:
                # in a copy, so that the recorder is not the listening one of this context for ever
                copy_context().run(self._listeners.attach)
            self._users.add(user)
            self._under_way.add(request)
        self.recorder.reader.notice_greenlet()
        return request

    def end(self, request: Request) -> None:
        """Close a request: what a task that outlives it sends is nobody's, and must not fill the memory."""
        request.scope.is_paused = True
        with self._lock:
            self._under_way.discard(request)
            if not self._under_way:
                self.recorder.close()
            self._detach_if_unused()

    def leave(self, user: Any) -> None:
        """Stop to listen, unless others do or requests are under way; these are heard to their end."""
        with self._lock:
            self._users.discard(user)
            self._detach_if_unused()

    def _detach_if_unused(self) -> None:
        if not self._users and not self._under_way:
            self._listeners.detach()


@cache
def hub_for(root: Path) -> Hub:
    """Return the process's hub for a root directory."""
    return Hub(root)


def _join(recorder: Recorder, outer: Scope, name: str) -> Request:
    """Return the request that a recorder serves in this context already, else a new scope in the one that is open."""
    if recorder.request is not None:
        return Request(recorder.request, recorder, False)
    scope = Scope(outer.name, name)
    with recorder.nested(scope):
        return Request(scope, recorder, True)
