"""The list of report formats, and how `TYPE[:DEST]` is read."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType
from typing import Any, Final

from pytest_dbguard.core.errors import ConfigError, did_you_mean
from pytest_dbguard.reports.base import Reporter

# strings, so that a format that is not used is never imported
REPORTS: Final = MappingProxyType(
    {
        "term": "pytest_dbguard.reports.terminal:TerminalReporter",
        "concise": "pytest_dbguard.reports.concise:ConciseReporter",
        "json": "pytest_dbguard.reports.json_report:JsonReporter",
    }
)
GROUP: Final = "dbguard.reports"


@dataclass(frozen=True, slots=True)
class ReportTarget:
    """One report that is wanted: its type, and the file it goes to; None for the terminal."""

    type: str
    destination: str | None = None


def report_names() -> tuple[str, ...]:
    """Return the types there are: ours in the order of `REPORTS`, then those of entry points, sorted."""
    return (*REPORTS, *sorted(_theirs().keys() - REPORTS.keys()))


def load_reporter(name: str) -> Reporter:
    """Return the reporter of a type.

    Raises:
        ConfigError: When there is no such type (names the nearest one) or its package fails to import.
    """
    if name not in REPORTS and name not in _theirs():
        raise ConfigError(f"unknown report type {name!r}", hint=did_you_mean(name, report_names()))
    reporter: Reporter = _load(name)()
    return reporter


def parse_report(text: str) -> ReportTarget:
    """Read `TYPE[:DEST]`. Without DEST a report goes where its type goes by default; "-" means the terminal.

    Raises:
        ConfigError: When the type is unknown or DEST is empty.
    """
    text = text.strip()
    name, colon, destination = text.partition(":")
    reporter = load_reporter(name)
    if colon and not destination:
        example = f"{name}:{reporter.default_destination or 'report.txt'}"
        raise ConfigError(f"report {text!r} names no destination after the colon", hint=f"write {example!r}")
    if destination == "-":
        return ReportTarget(name)
    return ReportTarget(name, destination or reporter.default_destination)


def _theirs() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}


def _load(name: str) -> Any:
    if name in REPORTS:
        module, _, attribute = REPORTS[name].partition(":")
        return getattr(import_module(module), attribute)
    point = _theirs()[name]
    try:
        return point.load()
    except (ImportError, AttributeError) as error:
        told = f"report type {name!r} cannot be loaded from {point.value!r}: {error}"
        raise ConfigError(told, hint="reinstall the package that provides it, or leave the report out") from error
