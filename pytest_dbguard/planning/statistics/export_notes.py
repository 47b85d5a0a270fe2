"""Tells what an export could not see, so that nobody takes an absent figure for a small one."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from pytest_dbguard.planning.statistics.names import join_name

_SHOWN: Final = 8


def notes_of(relations: Sequence[Mapping[str, Any]], columns: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return a line for each reason, with the names of the tables that it is about."""
    seen = {(row["schema"], row["table"]) for row in columns}
    blind = [row for row in relations if (row["schema"], row["name"]) not in seen]
    refused = [row for row in blind if not row["may_select"]]
    hidden = [row for row in blind if row["may_select"] and row["hides_rows"]]
    others = [row for row in blind if row["may_select"] and not row["hides_rows"] and row["columns"]]
    stale = [row for row in others if _may_hold_rows(row)]
    return tuple(
        f"{reason}: {listed([_name(row) for row in rows])}"
        for reason, rows in (
            ("no figures of columns, since the role may not SELECT", refused),
            ("no figures of columns, since row security holds for the role", hidden),
            ("never analysed, so that columns have no figures", stale),
        )
        if rows
    )


def listed(names: Collection[str]) -> str:
    """Return names in order, the first few of many."""
    return ", ".join(_few(sorted(names)))


def _few(names: Sequence[str]) -> Iterator[str]:
    yield from names[:_SHOWN]
    if len(names) > _SHOWN:
        yield f"and {len(names) - _SHOWN} more"


def _may_hold_rows(row: Mapping[str, Any]) -> bool:
    # an empty table has no figures after ANALYZE either
    return bool(row["kind"] == "p" or float(row["tuples"]) != 0 or row["bytes"])


def _name(row: Mapping[str, Any]) -> str:
    return join_name(row["schema"], row["name"])
