"""Makes the slots of a column from the names that pg_stats and pg_dump give their content. All of them hold values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pytest_dbguard.planning.statistics.model import Slot

_KINDS: Final = (
    (1, "most_common_freqs", "most_common_vals"),
    (2, "", "histogram_bounds"),
    (4, "most_common_elem_freqs", "most_common_elems"),
    (5, "elem_count_histogram", ""),
    (6, "range_empty_frac", "range_length_histogram"),
    (7, "", "range_bounds_histogram"),
)
"""Number of the kind in pg_statistic, name of its numbers, name of its values. Kind 3 is the correlation."""
VALUE_FIELDS: Final = tuple(name for _, *names in _KINDS for name in names if name)


def slots_of(fields: Mapping[str, Any]) -> tuple[Slot, ...]:
    """Return the slots of one column by fields that are named as in pg_stats; arrays are lists or PostgreSQL's text."""
    return tuple(_slots(fields))


def _slots(fields: Mapping[str, Any]) -> Iterator[Slot]:
    for kind, numbers, values in _KINDS:
        text = fields.get(values)
        given = fields.get(numbers)
        # an elements' histogram is all numbers; the others are nothing without their values
        if text is not None or (not values and given is not None):
            yield Slot(kind, _numbers(given), None if text is None else str(text))


def _numbers(given: Any) -> tuple[float, ...]:
    if given is None:
        return ()
    if isinstance(given, str):
        inner = given.strip("{}")
        return tuple(float(part) for part in inner.split(",")) if inner else ()
    return tuple(float(each) for each in given) if isinstance(given, list) else (float(given),)
