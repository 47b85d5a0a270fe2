"""Which tables belong together: a partitioned table and its partitions, at any depth."""

from __future__ import annotations

from pytest_dbguard.schema.catalog import Catalog, Table


def family(catalog: Catalog, table: Table) -> list[Table]:
    """Return a table, then its partitions and theirs."""
    found = [table]
    for parent in found:  # grows while it is read
        found += [child for child in catalog.tables if child.partition_of == (parent.schema, parent.name)]
    return found
