"""Reads extended statistics as PostgreSQL's types write them: `{"1, 2": 50}`, `{"1 => 2": 0.9}`, and as of 19 lists."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pytest_dbguard.planning.statistics.model import Dependency, NDistinct


def combinations_of(rows: Sequence[Mapping[str, Any]]) -> tuple[NDistinct, ...]:
    """Return the numbers of combinations; those of expressions, whose numbers are below zero, are left out."""
    found = {
        columns: float(count)
        for row in rows
        for numbers, count in _counts(row["n_distinct"])
        if (columns := _named(numbers, row["names"]))
    }
    return tuple(NDistinct(columns, found[columns]) for columns in sorted(found))


def dependencies_of(rows: Sequence[Mapping[str, Any]]) -> tuple[Dependency, ...]:
    """Return the dependencies between columns; those of expressions are left out."""
    found = {
        (columns, decides[0]): float(degree)
        for row in rows
        for numbers, decided, degree in _degrees(row["dependencies"])
        if (columns := _named(numbers, row["names"])) and (decides := _named([decided], row["names"]))
    }
    return tuple(Dependency(*key, found[key]) for key in sorted(found))


def _counts(text: str | None) -> Iterator[tuple[list[str], float]]:
    read = json.loads(text or "{}")
    if isinstance(read, dict):
        yield from (([part.strip() for part in key.split(",")], count) for key, count in read.items())
    else:
        yield from (([str(each) for each in entry["attributes"]], entry["ndistinct"]) for entry in read)


def _degrees(text: str | None) -> Iterator[tuple[list[str], str, float]]:
    read = json.loads(text or "{}")
    if isinstance(read, dict):
        for key, degree in read.items():
            left, _, right = key.partition("=>")
            yield [part.strip() for part in left.split(",")], right.strip(), degree
    else:
        for entry in read:
            yield [str(each) for each in entry["attributes"]], str(entry["dependency"]), entry["degree"]


def _named(numbers: Sequence[str], names: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(names[number] for number in numbers) if all(number in names for number in numbers) else ()
