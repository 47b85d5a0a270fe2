"""Where plans come from: the statistics of a project, and the labs that are made from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pytest_dbguard.databases.base import Server, StartOptions
from pytest_dbguard.planning.lab.registry import LabChoice, LabMode, LabOptions, open_lab
from pytest_dbguard.planning.statistics.model import DEFAULT_FILE, Statistics
from pytest_dbguard.schema.catalog import Catalog

if TYPE_CHECKING:
    from pytest_dbguard.planning.lab.lab_servers import OwnServer


@dataclass(frozen=True)  # no slots: statistics are loaded once
class PlanSources:
    """Gives statistics and labs.

    Attributes:
        root: The project.
        statistics_file: File of production's statistics; None for the default one where it is there.
        scale: Declared sizes.
        lab: Where labs may be made.
        start: How a server is started where none is there.
        server: Gives the server of the tests, where there is one when a lab is made.
    """

    root: Path
    statistics_file: str | None = None
    scale: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    lab: LabMode = "auto"
    start: StartOptions = field(default_factory=StartOptions)
    server: Callable[[], Server | None] = lambda: None

    @property
    def are_declared(self) -> bool:
        """Whether the project says anything of production."""
        return bool(self.scale) or self.statistics_file is not None or (self.root / DEFAULT_FILE).is_file()

    @cached_property
    def declared(self) -> Statistics:
        """What the project says of production.

        Raises:
            ConfigError: When the file or the sizes cannot be used.
        """
        from pytest_dbguard.planning.statistics.load import load_statistics

        return load_statistics(self.root, path=self.statistics_file, scale=self.scale)

    def statistics_for(self, catalog: Catalog) -> Statistics:
        """Return statistics for every table and column of a schema."""
        from pytest_dbguard.planning.statistics.completion import completed

        return completed(self.declared, catalog)

    def drift_from(self, catalog: Catalog) -> tuple[str, ...]:
        """Return lines that tell how what the project says of production differs from a schema."""
        from pytest_dbguard.planning.statistics.drift import differences

        return differences(self.declared, catalog)

    def open_lab(self, catalog: Catalog, statistics: Statistics) -> LabChoice:
        """Return a lab for a schema, or why there is none; labs that need a server of their own share one."""
        server = self.server()
        was_given = server is not None and not server.is_ours
        options = LabOptions(self.lab, server, was_given, start=self.start, own=self._own_server)
        return open_lab(catalog, statistics, options)

    def close(self) -> None:
        """Stop the server that labs needed, if any."""
        if "_own_server" in vars(self):
            self._own_server.close()

    @cached_property
    def _own_server(self) -> OwnServer:
        from pytest_dbguard.planning.lab.lab_servers import OwnServer

        return OwnServer()
