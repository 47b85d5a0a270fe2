"""Watches the requests of one application: opens a scope for each, and hands what is over to the log."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from pytest_dbguard.analysis.judge import Judge, active_rules
from pytest_dbguard.core.findings import Severity
from pytest_dbguard.dev_server.findings_log import FindingsLog
from pytest_dbguard.dev_server.hub import Request, hub_for

T = TypeVar("T")


class Watcher:
    """What the two middlewares share. One for each; safe to use from several threads and event loops."""

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
        directory = (Path.cwd() if root is None else Path(root)).resolve()
        judge = Judge(active_rules(select=tuple(select), ignore=tuple(ignore)))
        logger = logging.getLogger("dbguard") if logger is None else logger
        self._log = FindingsLog(directory, judge, logger, Severity(warn_on), every_request)
        self._max_queries = max_queries
        self._hub = hub_for(directory)

    def begin(self, name: str) -> Request | None:
        """Return the request that begins now, None where that fails. `end` it, whatever happens.

        Inside of a recorded test or a `record()` block the request is a scope of theirs, and judged by them.
        """
        return self.attempt("opening a request", lambda: self._hub.begin(self, name, self._max_queries))

    def end(self, request: Request, *, judge: bool) -> None:
        """Close a request and log what is found in it. Its last byte must have been sent: this takes its time."""
        if request.recorder is not self._hub.recorder or not request.is_ours:
            return
        self.attempt("closing a request", lambda: self._hub.end(request))
        if judge:
            self._log.request_ended(request.scope, self._hub.recorder.faults[:])

    def attempt(self, what: str, action: Callable[[], T]) -> T | None:
        """Return what an action of ours gives; None where it fails, which is logged: it may not break a response."""
        try:
            return action()
        except Exception as error:  # noqa: BLE001
            self._log.fault(what, f"{type(error).__name__}: {error}")
            return None

    def close(self) -> None:
        """Stop to listen once no request is under way; the next request begins anew."""
        self.attempt("closing", lambda: self._hub.leave(self))
