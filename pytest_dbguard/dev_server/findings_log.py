"""Judges the requests that are over and logs what is found; an error of dbguard's own is logged too, never raised."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock
from typing import Any

from pytest_dbguard.analysis.ignores import InlineIgnores
from pytest_dbguard.analysis.judge import Judge
from pytest_dbguard.analysis.pool import FindingPool
from pytest_dbguard.core.findings import Finding, Severity, Site
from pytest_dbguard.core.verdict import Fault
from pytest_dbguard.recording.scopes import Scope
from pytest_dbguard.reports.finding_block import Canvas, finding_block
from pytest_dbguard.reports.fitting import one_line
from pytest_dbguard.reports.source import SourceReader
from pytest_dbguard.reports.style import Style
from pytest_dbguard.reports.summary import concise_line

_MAX_TOLD = 10_000
_WIDTH = 100


@dataclass(slots=True)
class FindingsLog:
    """Logs one record a finding: a WARNING from `warn_on` upwards, else INFO; the whole block follows at DEBUG.

    Attributes:
        root: Directory that paths are relative to.
        judge: The rules.
        logger: Where the records go.
        warn_on: The severity from which a finding is a WARNING.
        every_request: Whether a fact is told again each time it is seen; else once a process.
    """

    root: Path
    judge: Judge
    logger: logging.Logger
    warn_on: Severity
    every_request: bool
    _told: set[Any] = field(default_factory=set)
    _lock: Lock = field(default_factory=Lock)

    def request_ended(self, scope: Scope, faults: list[Fault]) -> None:
        """Judge a request and log what is new; `faults` are those of the recorder. Never raises."""
        try:
            with self._lock:
                findings = self._findings(scope)
                faults = self._new_faults(faults)
            for finding in findings:
                self._log(scope.scope, finding)
            for fault in faults:
                self.fault(fault.where, fault.error)
        except Exception as error:  # noqa: BLE001  the request is the application's, the error is ours
            self.fault("judging a request", f"{type(error).__name__}: {error}")

    def fault(self, where: str, error: str) -> None:
        """Log an error of our own: its first line only, below which drivers and SQLAlchemy quote values."""
        self.logger.error("dbguard itself failed: %s: %s", where, one_line(error.strip().partition("\n")[0]))

    def _findings(self, scope: Scope) -> list[Finding]:
        pool, inline = FindingPool(), InlineIgnores(self.root)
        for recording in scope.recordings():
            pool.add(finding for finding in self.judge.judge(recording) if not inline.silences(finding))
        return [finding for finding in pool.findings() if self._is_new(_fact(finding))]

    def _is_new(self, fact: Any) -> bool:
        """Whether a fact is to be told; notes that it was."""
        if self.every_request:
            return True
        if len(self._told) >= _MAX_TOLD:
            self._told.clear()
        is_new = fact not in self._told
        self._told.add(fact)
        return is_new

    def _new_faults(self, recorded: list[Fault]) -> list[Fault]:
        faults = [*recorded, *self.judge.faults]
        self.judge.faults.clear()
        # a fault is told once even where findings are told each time: it may come with every statement
        new = [fault for fault in dict.fromkeys(faults) if fault not in self._told]
        self._told.update(new)
        return new

    def _log(self, request: str, finding: Finding) -> None:
        level = logging.WARNING if finding.severity.reaches(self.warn_on) else logging.INFO
        # what has no place begins with the request anyway
        prefix = f"{one_line(request)}: " if finding.place is not None else ""
        self.logger.log(level, "%s%s", prefix, concise_line(finding))
        if self.logger.isEnabledFor(logging.DEBUG):
            canvas = Canvas(SourceReader(self.root), Style(False), _WIDTH)
            # there is no test to name
            self.logger.debug("%s", "\n".join(finding_block(replace(finding, tests=()), canvas)))


def _fact(finding: Finding) -> tuple[Any, ...]:
    """What is told once: the rule, its subject, and the lines that one would change."""
    return (finding.rule, finding.subject, *map(_line, (finding.site, finding.origin, finding.loop)))


def _line(site: Site | None) -> str:
    return "" if site is None else site.label
