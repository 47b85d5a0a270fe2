"""Which lab plans the statements of a schema: the best that can be made here, and why no better one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from pytest_dbguard.databases.base import Server, StartOptions
from pytest_dbguard.planning.lab.base import Lab, LabError
from pytest_dbguard.planning.statistics.model import Statistics
from pytest_dbguard.schema.catalog import Catalog, Dialect

if TYPE_CHECKING:
    from pytest_dbguard.planning.lab.lab_servers import OwnServer

LabMode = Literal["auto", "server", "off"]


def _own_server() -> OwnServer:
    # with all that starts servers: nothing for the start of a run
    from pytest_dbguard.planning.lab.lab_servers import OwnServer

    return OwnServer()


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
        own: The server that is started for labs alone; labs that share it start one only. To be closed in the end.
    """

    mode: LabMode = "auto"
    server: Server | None = None
    server_was_given: bool = False
    start: StartOptions = field(default_factory=StartOptions)
    ballast_mb: int = 64
    own: OwnServer = field(default_factory=_own_server, compare=False, repr=False)


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
    return _postgres_lab(catalog, statistics, options)


def _postgres_lab(catalog: Catalog, statistics: Statistics, options: LabOptions) -> LabChoice:
    from pytest_dbguard.databases.connection_string import missing_driver
    from pytest_dbguard.planning.lab.lab_servers import places
    from pytest_dbguard.planning.lab.ladder import Ladder

    missing = missing_driver("postgres")
    if missing is not None:
        return LabChoice(None, missing)
    skipped: list[str] = []
    for place in places(
        options.start,
        own=options.own,
        tests=options.server,
        was_given=options.server_was_given,
        consents=options.mode == "server",
        major=_major(statistics.version) or _major(catalog.version),
    ):
        ladder = Ladder(place, catalog, statistics, options.ballast_mb, list(skipped))
        try:
            lab = ladder.climb()
        except LabError as error:
            skipped = [*ladder.skipped, f"{place.name}: {error}"]
        else:
            return LabChoice(lab, lab.description.reason, lab.description.skipped)
    return LabChoice(None, f"no lab can be made: {skipped[-1]}" if skipped else "no lab can be made", tuple(skipped))


def _major(version: str) -> int:
    major = version.partition(".")[0]
    return int(major) if major.isdecimal() else 0


def _sqlite_lab(catalog: Catalog, statistics: Statistics) -> LabChoice:
    from pytest_dbguard.planning.lab.sqlite_lab import SqliteLab

    lab: Lab = SqliteLab(catalog, statistics)
    return LabChoice(lab, lab.description.reason)
