"""Finds the heights of B-trees without any extension: PostgreSQL's planner charges for each level that a scan descends.

The startup cost of an index scan without conditions is ceil(log2(entries)) comparisons and (height + 1) times 50
comparisons (btcostestimate in selfuncs.c). With one comparison at a cost of 100, each level costs 5 000, and the rest
stays below that for any index that fits a disk.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, Final

_COMPARISON: Final = 100
_LEVEL: Final = 50 * _COMPARISON
_SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        "cpu_operator_cost": str(_COMPARISON),
        "enable_seqscan": "off",
        "enable_bitmapscan": "off",
        "enable_sort": "off",
        "enable_incremental_sort": "off",
        "enable_indexscan": "on",
        "enable_indexonlyscan": "on",
        "max_parallel_workers_per_gather": "0",
        "jit": "off",
    }
)

Fetch = Callable[[str], Sequence[Sequence[Any]]]


def tree_heights(
    fetch: Fetch,
    indexes: Sequence[Mapping[str, Any]],
    *,
    deadline_s: float,
    clock: Callable[[], float] = time.monotonic,
) -> dict[tuple[str, str], int]:
    """Return heights by schema and name of index; those that cannot be told are left out.

    Args:
        fetch: Asks the server; its settings are put back afterwards.
        indexes: With 'schema', 'name', 'pages' and, where a plan may be asked for, 'order', 'from' and 'where'.
        deadline_s: After so many seconds the rest is left out.
        clock: Tells the time in seconds.
    """
    found = {(each["schema"], each["name"]): 0 for each in indexes if each["order"] and each["pages"] <= 2}
    asked = [each for each in indexes if each["order"] and each["pages"] > 2]
    if not asked:
        return found
    end = clock() + deadline_s
    with _settings(fetch):
        for each in asked:
            height = _height(fetch, each) if clock() < end else None
            if height is not None:
                found[each["schema"], each["name"]] = height
    return found


def _height(fetch: Fetch, index: Mapping[str, Any]) -> int | None:
    condition = f" WHERE {index['where']}" if index["where"] else ""
    text = f"EXPLAIN (FORMAT JSON) SELECT 1 FROM {index['from']}{condition} ORDER BY {index['order']}"
    try:
        answer = fetch(text)[0][0]
    except Exception:  # noqa: BLE001  drivers differ, and a height can be computed from the size as well
        return None
    plan = (json.loads(answer) if isinstance(answer, str | bytes) else answer)[0]["Plan"]
    scan = next((node for node in _nodes(plan) if node.get("Index Name") == index["name"]), None)
    # another index may serve this order as well
    return None if scan is None else max(0, int(scan["Startup Cost"] // _LEVEL) - 1)


def _nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from _nodes(child)


@contextmanager
def _settings(fetch: Fetch) -> Iterator[None]:
    # by a function: it answers a row, as every text that `fetch` is given must
    names = ", ".join(f"current_setting('{name}')" for name in _SETTINGS)
    before = json.loads(fetch(f"SELECT json_build_array({names})::text")[0][0])
    _set(fetch, _SETTINGS)
    try:
        yield
    finally:
        _set(fetch, dict(zip(_SETTINGS, before, strict=True)))


def _set(fetch: Fetch, settings: Mapping[str, str]) -> None:
    calls = ", ".join(f"set_config('{name}', '{value}', false)" for name, value in settings.items())
    fetch(f"SELECT json_build_array({calls})::text")
