"""What a plan does beyond its cost: which nodes run to their end, and how much memory sorts and hashes need."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from pytest_dbguard.planning.plan import Access, Node

_WORK_MEM: Final = "4MB"
_SIZE: Final = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>[kMGT]?B)?")
_UNITS: Final = {"B": 1, "kB": 1024, None: 1024, "MB": 1024**2, "GB": 1024**3, "TB": 1024**4}
_ROW_HEADER_BYTES: Final = 24
_WAITING: Final = ("Sort", "Hash", "Aggregate", "Partial Aggregate", "Finalize Aggregate", "MixedAggregate")


def with_cuts(node: Node, is_cut: bool = False) -> Iterator[tuple[Node, bool]]:
    """Yield each node with whether a LIMIT above may stop it before its end.

    A sort, a hash table and an aggregate read all of their input before they give their first row, whatever stands
    above. Subplans are called cut: EXISTS stops at the first row, and the plan does not tell it from others. Of those
    that run once EXISTS alone returns rows without any column.
    """
    yield node, is_cut
    is_exists = node.text.startswith("SubPlan") or (node.text.startswith("InitPlan") and node.width == 0)
    stops = is_cut or node.text == "Limit" or (node.access is Access.SUBPLAN and is_exists)
    waits = node.text.startswith(_WAITING) and node.access in (Access.SORT, Access.HASH, Access.AGGREGATE)
    for child in node.children:
        yield from with_cuts(child, stops and not waits)


def needed_bytes(node: Node) -> float:
    """Return the memory that the rows of a sort or a hash take, as PostgreSQL reckons it."""
    width = -(-(node.width or 0) // 8) * 8
    return (node.rows or 0.0) * (width + _ROW_HEADER_BYTES)


def allowed_bytes(node: Node, settings: Mapping[str, str], major: int) -> float:
    """Return the memory that a sort or a hash may take before it goes to disk.

    Args:
        node: The sort or the hash.
        settings: Of the planner; those that are missing have PostgreSQL's default.
        major: Version of PostgreSQL; hashes may take more from 15 on.
    """
    work_mem = _bytes(settings.get("work_mem", "")) or _bytes(_WORK_MEM)
    if node.access is not Access.HASH:
        return work_mem
    return work_mem * float(settings.get("hash_mem_multiplier") or (2.0 if major >= 15 else 1.0))


def _bytes(text: str) -> float:
    """Return a size such as `64MB`; a number without a unit is in kB. 0 for what is no size."""
    match = _SIZE.fullmatch(text.strip())
    return float(match["number"]) * _UNITS[match["unit"]] if match else 0.0
