"""Watches one application: a scope for each request, listeners while there are any, what is over to the log."""

from __future__ import annotations

import logging
import weakref
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from contextvars import copy_context
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TypeVar

from pytest_dbguard.analysis.judge import Judge, active_rules
from pytest_dbguard.core.findings import Severity
from pytest_dbguard.dev_server.findings_log import FindingsLog
from pytest_dbguard.recording.current import CURRENT, serving
from pytest_dbguard.recording.listeners import Listeners
from pytest_dbguard.recording.ownership import Ownership
from pytest_dbguard.recording.recorder import Recorder
from pytest_dbguard.recording.scopes import Scope

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
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


class Watcher:
    """What the two middlewares share. One for each; safe to use from several threads and event loops.

    Listeners are attached with the first request and stay until `close`, or until the middleware is no longer used;
    while requests are under way they stay in any case.
    """

    def __init__(
        self,
        root: Path | str | None,
        select: Iterable[str],
        ignore: Iterable[str],
        warn_on: Severity | str,
        every_request: bool,
        max_queries: int | None,
        logger: logging.Logger | None,
    ) -> None:
        directory = Path.cwd() if root is None else Path(root)
        judge = Judge(active_rules(select=tuple(select), ignore=tuple(ignore), place="the middleware's options"))
        logger = logging.getLogger("dbguard") if logger is None else logger
        self.log = FindingsLog(directory, judge, logger, Severity(warn_on), every_request)
        self._max_queries = max_queries
        self._recorder = Recorder(Ownership(directory))
        self._listeners = Listeners(self._recorder)
        self._under_way = 0
        self._is_closing = False
        self._lock = Lock()
        weakref.finalize(self, self._listeners.detach).atexit = False

    def begin(self, name: str) -> Request | None:
        """Give the request that begins now, None where that fails. `end` it, whatever happens.

        Inside of a recorded test or a `record()` block the request is a scope of theirs, and judged by them.
        """
        return self.attempt("opening a request", lambda: self._begin(name))

    def end(self, request: Request | None, *, judge: bool) -> None:
        """Close a request and log what is found in it. Its last byte must have been sent: this takes its time."""
        if request is None or request.recorder is not self._recorder or not request.is_ours:
            return
        self.attempt("closing a request", lambda: self._end(request))
        if judge:
            self.log.request_ended(request.scope, self._recorder.faults[:])

    def attempt(self, what: str, action: Callable[[], T]) -> T | None:
        """Return what an action of ours gives; None where it fails, which is logged."""
        try:
            return action()
        except Exception as error:  # noqa: BLE001  nothing of ours may break a response
            self.log.fault(what, f"{type(error).__name__}: {error}")
            return None

    def close(self) -> None:
        """Stop to listen once no request is under way; the next request begins anew."""
        with self._lock:
            self._is_closing = True
            self._detach_if_idle()

    def _begin(self, name: str) -> Request:
        current = CURRENT.get()
        if current is not None and current.scope is not None:
            return _join(current, name)
        with self._lock:
            self._is_closing = False
            if not self._listeners.is_attached:
                # in a copy, so that the recorder is not the listening one of this context for ever
                copy_context().run(self._listeners.attach)
            self._under_way += 1
        self._recorder.reader.notice_greenlet()
        return Request(Scope("request", name, self._max_queries), self._recorder, True)

    def _end(self, request: Request) -> None:
        # what a task that outlives the request sends is nobody's: it must not fill the memory
        request.scope.is_paused = True
        with self._lock:
            self._under_way -= 1
            if not self._under_way:
                self._recorder.close()
            self._detach_if_idle()

    def _detach_if_idle(self) -> None:
        if self._is_closing and not self._under_way:
            self._listeners.detach()


def _join(recorder: Recorder, name: str) -> Request:
    """Return the request of another recorder that this context serves, else one in the scope that is open there."""
    outer = recorder.request
    if outer is not None:
        return Request(outer, recorder, False)
    scope = Scope(recorder.scope.name if recorder.scope is not None else "", name)
    with recorder.nested(scope):
        return Request(scope, recorder, True)
