"""Writes statistics by the functions that PostgreSQL has for it from 18 on; their owner's rights are enough."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_dbguard.planning.lab.column_entries import ColumnEntry
from pytest_dbguard.planning.lab.relation_sizes import RelationSize
from pytest_dbguard.planning.statistics.model import Slot

# by the kind of a slot: the arguments that take its numbers, and its values
_NUMBERS = {1: "most_common_freqs", 3: "correlation", 4: "most_common_elem_freqs", 5: "elem_count_histogram"}
_VALUES = {1: "most_common_vals", 2: "histogram_bounds", 4: "most_common_elems"}
_RANGE_LENGTHS, _RANGE_BOUNDS = 6, 7


def restore_size(size: RelationSize) -> str:
    """Return the call that writes pages and rows."""
    arguments = [
        ("schemaname", _text(size.schema)),
        ("relname", _text(size.name)),
        ("relpages", f"{size.pages}::integer"),
        ("reltuples", f"{_real(size.rows)}"),
        ("relallvisible", f"{size.all_visible}::integer"),
    ]
    return _call("pg_restore_relation_stats", arguments)


def restore_column(entry: ColumnEntry) -> str:
    """Return the call that writes the statistics of a column."""
    known = entry.statistics
    place = ("attname", _text(entry.column)) if entry.column else ("attnum", f"{entry.number}::smallint")
    arguments = [
        ("schemaname", _text(entry.schema)),
        ("relname", _text(entry.relation)),
        place,
        ("inherited", "true" if entry.is_inherited else "false"),
        ("null_frac", _real(known.null_fraction)),
        ("avg_width", f"{known.average_width}::integer"),
        ("n_distinct", _real(known.n_distinct)),
    ]
    if known.correlation is not None:
        arguments.append(("correlation", _real(known.correlation)))
    for slot in known.slots:
        arguments += _slot(slot)
    return _call("pg_restore_attribute_stats", arguments)


def _slot(slot: Slot) -> Iterator[tuple[str, str]]:
    """Yield the arguments of a slot; none where it needs values and they were left out."""
    numbers = _text("{" + ",".join(map(repr, slot.numbers)) + "}") + "::real[]"
    values = _text(slot.values or "")
    if slot.kind == _RANGE_LENGTHS and slot.values is not None:
        yield "range_length_histogram", values
        yield "range_empty_frac", _real(slot.numbers[0] if slot.numbers else 0.0)
    elif slot.kind == _RANGE_BOUNDS and slot.values is not None:
        yield "range_bounds_histogram", values
    elif slot.kind == 5 and slot.numbers:
        yield _NUMBERS[5], numbers
    elif slot.kind in _VALUES and slot.values is not None:
        yield _VALUES[slot.kind], values
        if slot.kind in _NUMBERS:
            yield _NUMBERS[slot.kind], numbers


def _call(function: str, arguments: list[tuple[str, str]]) -> str:
    words = ", ".join(f"'{name}', {value}" for name, value in arguments)
    return f"pg_catalog.{function}({words})"


def _real(value: float) -> str:
    return f"'{value!r}'::real"


def _text(text: str) -> str:
    """Return a literal, whatever `standard_conforming_strings` says."""
    quoted = text.replace("'", "''")
    return "E'" + quoted.replace("\\", "\\\\") + "'::text" if "\\" in text else f"'{quoted}'::text"
