"""From a workload on a schema to an assessment: facts of each statement, wanted indexes, and what the planner says."""

from __future__ import annotations

import time
from collections.abc import Callable

from pytest_dbguard.planning.assessment import Assessment
from pytest_dbguard.planning.lab.base import Lab
from pytest_dbguard.planning.statistics.model import Statistics
from pytest_dbguard.planning.workload import Workload
from pytest_dbguard.schema.catalog import Catalog


def assess(
    workload: Workload,
    catalog: Catalog,
    statistics: Statistics,
    lab: Lab | None,
    *,
    no_lab: str = "",
    deadline_s: float = 60,
    clock: Callable[[], float] = time.monotonic,
) -> Assessment:
    """Return what planning finds out about a workload.

    Without a lab verdicts are static, for the reason `no_lab`. After `deadline_s` seconds of `clock` the statements
    that are left are counted as "no time". The lab stays open; its candidates stay hidden.
    """
    return Assessment(catalog, statistics, lab=lab.description if lab else None, no_lab=no_lab)
