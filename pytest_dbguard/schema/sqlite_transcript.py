"""The statements that make an empty copy of a SQLite schema."""

from __future__ import annotations

from pytest_dbguard.schema.catalog import Catalog, RelationKind
from pytest_dbguard.schema.script import IndexStatement, Transcript


def sqlite_transcript(catalog: Catalog) -> Transcript:
    """Return the database's own statements; virtual tables are left out, since their modules may not be there."""
    stored = [table for table in catalog.tables if table.kind is RelationKind.TABLE]
    virtual = [table.name for table in catalog.tables if table.kind is RelationKind.VIRTUAL]
    return Transcript(
        tables=tuple(table.ddl for table in stored),
        indexes=tuple(
            IndexStatement(table.schema, index.name, index.ddl)
            for table in stored
            for index in table.indexes
            if index.ddl
        ),
        views=tuple(table.ddl for table in catalog.tables if table.kind is RelationKind.VIEW),
        problems=tuple(f"virtual table {name} is left out" for name in virtual),
    )
