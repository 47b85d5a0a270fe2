"""A catalog as lines for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pytest_dbguard.schema.catalog import Catalog


def catalog_lines(
    catalog: Catalog, *, width: int = 80, rows: Mapping[tuple[str, str], str] | None = None
) -> Iterator[str]:
    """Yield the lines: tables with columns, keys, indexes, partitions and views; rows by schema and name where told."""
    raise NotImplementedError((catalog, width, rows))
