"""What the middlewares are told, alike for both kinds of application."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Generic, TypeVar

from pytest_dbguard.core.findings import Severity
from pytest_dbguard.dev_server.watcher import Watcher

App = TypeVar("App")


class Middleware(Generic[App]):
    """Wrap an application.

    Args:
        app: The application.
        root: Directory of the application; what lies below it counts as its code. The working directory by default.
        select: Codes, prefixes or names of the rules to run; all by default.
        ignore: Codes, prefixes or names of the rules not to run.
        warn_on: The severity from which a finding is logged as a WARNING; below, it is an INFO.
        every_request: Whether to log a fact each time it is seen; else once a process.
        max_queries: A budget: a request that sends more statements is a finding.
        server_timing: Whether to send `Server-Timing: db;dur=12.3;desc="41 queries"`.
        logger: Where to log; `logging.getLogger("dbguard")` by default. The full block of a finding follows at DEBUG.
        enabled: Whether to do anything at all.

    Raises:
        ConfigError: For an unknown rule.
    """

    def __init__(
        self,
        app: App,
        *,
        root: Path | str | None = None,
        select: Iterable[str] = (),
        ignore: Iterable[str] = (),
        warn_on: Severity | str = Severity.WARNING,
        every_request: bool = False,
        max_queries: int | None = None,
        server_timing: bool = True,
        logger: logging.Logger | None = None,
        enabled: bool = True,
    ) -> None:
        self.app = app
        self._server_timing = server_timing
        self._watcher: Watcher | None = None
        if enabled:
            self._watcher = Watcher(root, select, ignore, warn_on, every_request, max_queries, logger)
