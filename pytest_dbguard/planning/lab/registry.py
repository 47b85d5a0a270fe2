"""Which lab plans the statements of a schema: the best that can be made here, and why no better one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from pytest_dbguard.databases.base import Server, StartOptions
from pytest_dbguard.planning.lab.base import Lab, LabError
from pytest_dbguard.planning.statistics.model import Statistics
from pytest_dbguard.schema.catalog import Catalog, Dialect

LabMode = Literal["auto", "server", "off"]


@dataclass(frozen=True, slots=True)
class LabOptions:
    """Where a lab may be made.

    Attributes:
        mode: "auto" forges files only on servers that dbguard started; "server" allows it on the tests' server, whoever
            started that; "off" makes no lab.
        server: The server of the tests; None where they run elsewhere (SQLite, or engines of the application's own).
        server_was_given: Whether that server is somebody else's, known by its URL.
        start: How a server is started where none is there.
        ballast_mb: Megabytes that a lab on somebody else's server may write there.
    """

    mode: LabMode = "auto"
    server: Server | None = None
    server_was_given: bool = False
    start: StartOptions = field(default_factory=StartOptions)
    ballast_mb: int = 64


@dataclass(frozen=True, slots=True)
class LabChoice:
    """A lab, or why there is none.

    Attributes:
        lab: To be closed by whoever asked for it; None where none can be made.
        reason: One line: why this one, or why none.
        skipped: One line for each better way that was not taken, with its reason.
    """

    lab: Lab | None
    reason: str
    skipped: tuple[str, ...] = ()


def open_lab(catalog: Catalog, statistics: Statistics, options: LabOptions) -> LabChoice:
    """Make the best lab for a schema that can be made here. To be called from the main thread.

    Args:
        catalog: The schema.
        statistics: Completed: every table and column has figures.
        options: Where it may be made.

    Never raises for what a server refuses: then a weaker way is taken, or none, and the choice says why.
    """
    if options.mode == "off":
        return LabChoice(None, "the lab is switched off")
    try:
        if catalog.dialect is Dialect.SQLITE:
            return _sqlite_lab(catalog, statistics)
    except LabError as error:
        return LabChoice(None, str(error))
    return LabChoice(None, "no lab can be made for PostgreSQL here")


def _sqlite_lab(catalog: Catalog, statistics: Statistics) -> LabChoice:
    from pytest_dbguard.planning.lab.sqlite_lab import SqliteLab

    lab: Lab = SqliteLab(catalog, statistics)
    return LabChoice(lab, lab.description.reason)
