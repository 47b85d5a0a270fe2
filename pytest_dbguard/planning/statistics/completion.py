"""Completes statistics from a schema: every table and column gets figures, and each table keeps where its rows come from."""

from __future__ import annotations

from pytest_dbguard.planning.statistics.model import Statistics
from pytest_dbguard.schema.catalog import Catalog


def completed(statistics: Statistics, catalog: Catalog) -> Statistics:
    """Return statistics with every table and column of the catalog, and no others."""
    raise NotImplementedError
