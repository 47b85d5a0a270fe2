"""The catalog that `MetaData.create_all` would make, without a database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_dbguard.schema.catalog import Catalog, Dialect

if TYPE_CHECKING:
    from sqlalchemy import MetaData


def catalog_of_metadata(metadata: MetaData, dialect: Dialect) -> Catalog:
    """Return the catalog that reflection would give after `create_all` in an empty database."""
    raise NotImplementedError((metadata, dialect))
