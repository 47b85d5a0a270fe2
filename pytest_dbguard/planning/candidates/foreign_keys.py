"""Foreign keys whose own side has no index, so that a change of the referred row scans the referring table."""

from __future__ import annotations

from pytest_dbguard.planning.lab.base import IndexSpec
from pytest_dbguard.schema.catalog import Catalog, ForeignKey, Table


def unindexed_foreign_keys(catalog: Catalog) -> tuple[tuple[Table, ForeignKey, IndexSpec], ...]:
    """Return each foreign key that no index serves, with the index that would; by table, then columns."""
    return ()
