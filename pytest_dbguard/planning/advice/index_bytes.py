"""What a candidate weighs: as the lab says, or for SQLite, which knows no sizes, by the widths of its columns."""

from __future__ import annotations

from pytest_dbguard.planning.lab.base import IndexSpec, Lab, LabError

PAGE = 8192
_ENTRY = 8
"""Bytes of an entry of SQLite beside its values: the header, the row's number, its place on the page."""
_FILLED = 0.75


def index_bytes(lab: Lab, name: str, spec: IndexSpec) -> int | None:
    """Return the bytes of a candidate by its name in the lab; None where nobody can tell."""
    if lab.description.dialect == "sqlite":
        return _modelled(lab, spec)
    try:
        return lab.size_of(name).pages * PAGE
    except LabError:
        return None


def _modelled(lab: Lab, spec: IndexSpec) -> int:
    table = lab.statistics.table(spec.table, spec.schema)
    if table is None:
        return 0
    widths = {column.name: column.average_width or 8 for column in table.columns}
    entry = sum(widths.get(column or "", 16) for column in spec.columns) + _ENTRY
    return int(table.rows * entry / _FILLED)
