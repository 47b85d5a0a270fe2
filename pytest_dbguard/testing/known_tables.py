"""Tells names of tables that there are from slips of the pen."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Mapping

from sqlalchemy import MetaData

from pytest_dbguard.core.errors import did_you_mean, nearest
from pytest_dbguard.recording.model import Statement


def unknown_table(tables: Mapping[str, int], statements: Iterable[Statement]) -> str | None:
    """Return what is wrong with the first name that is in no statement and in no MetaData; None when all are right.

    Where no statement is expected of a name that resembles none, it is taken for a table that only SQL text knows.
    """
    seen = {name for statement in statements for name in statement.tables}
    missing = [name for name in tables if name not in seen]
    known = seen | _mapped() if missing else seen
    for name in missing:
        if name not in known and known and (tables[name] or nearest(name, known)):
            return f"no table is named {name!r}, {did_you_mean(name, known)}"
    return None


def _mapped() -> set[str]:
    """Return the tables of every MetaData of the process; SQLAlchemy keeps no list of these."""
    # by type: a mock or proxy may claim to be anything
    found = [each for each in gc.get_objects() if issubclass(type(each), MetaData)]
    return {table.name for metadata in found for table in metadata.tables.values()}
