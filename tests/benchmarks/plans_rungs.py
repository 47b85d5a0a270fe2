"""Labs of one rung each, whatever better ones the server would allow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pytest_dbguard.databases.base import Server
from pytest_dbguard.planning.lab.base import Lab, LabError, Rung
from pytest_dbguard.planning.lab.lab_servers import Place
from pytest_dbguard.planning.lab.ladder import Ladder
from pytest_dbguard.planning.statistics.model import Statistics
from pytest_dbguard.schema.catalog import Catalog

RUNGS = (Rung.FORGED, Rung.SPARSE, Rung.BALLAST, Rung.DENSITY)
BALLAST_MB = 64


@contextmanager
def lab_of(rung: Rung, server: Server, catalog: Catalog, statistics: Statistics) -> Iterator[Lab]:
    """Make a lab of that rung on a server, and delete it in the end."""
    refused = "" if rung in (Rung.FORGED, Rung.SPARSE) else "not asked for here"
    place = Place(server.kind, lambda: server, "which was started for this benchmark", refused)
    ladder = _without(rung)(place, catalog, statistics, BALLAST_MB if rung is Rung.BALLAST else 0)
    lab = ladder.climb()
    try:
        assert lab.description.rung is rung, lab.description
        yield lab
    finally:
        lab.close()


def _without(rung: Rung) -> type[Ladder]:
    """Return a ladder on which the best rung is not there, where a lower one is asked for."""

    class OneRung(Ladder):
        def _forged(self, *arguments: Any) -> Lab:
            if rung is not Rung.FORGED:
                raise LabError("not asked for here")
            return super()._forged(*arguments)

    return OneRung
