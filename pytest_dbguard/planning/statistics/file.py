"""Reads and writes `dbguard-stats.json`: JSON with a version, sorted, one column or index a line.

The file is made to be committed. It holds sizes and shares as the planner knows them and no value of any row, unless
it was written with `--with-values`; then `"values": true` says so at its top. What it holds of the schema are names of
tables, columns and indexes; expressions and conditions of indexes are schema, and are not in it. Fields are left out
where they have their default value. `document.py` tells the meaning of each.

Format history:
    1: "dialect", "version", "taken", "values", "collation", "settings", "notes", "tables".
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pytest_dbguard.core.errors import ConfigError, nearest
from pytest_dbguard.core.files import write_atomically
from pytest_dbguard.planning.json_files import JsonFile
from pytest_dbguard.planning.statistics.document import (
    FORMAT,
    CollationEntry,
    ColumnEntry,
    CombinationEntry,
    DependencyEntry,
    IndexEntry,
    SlotEntry,
    StatisticsFile,
    TableEntry,
    document_of,
)
from pytest_dbguard.planning.statistics.model import Statistics
from pytest_dbguard.planning.statistics.pg_dump import is_pg_dump, statistics_of_pg_dump

_EXPORT_AGAIN = "write it again with: dbguard stats export URL"
_MAX_PROBLEMS = 5
_MODELS: tuple[type[Any], ...] = (
    ColumnEntry,
    IndexEntry,
    TableEntry,
    CombinationEntry,
    DependencyEntry,
    SlotEntry,
    CollationEntry,
)


def read_statistics(path: Path) -> Statistics:
    """Return what a file says: `dbguard-stats.json`, or the output of `pg_dump --statistics-only`.

    Raises:
        ConfigError: When it cannot be read or understood; names the place in it and the next step, never a value.
    """
    file = JsonFile(path, "file of statistics", _EXPORT_AGAIN)
    text = file.text()
    if is_pg_dump(text):
        return statistics_of_pg_dump(text, source=path.name)
    return _checked(path, file.value(text)).statistics(path.name)


def write_statistics(path: Path, statistics: Statistics) -> None:
    """Write the file atomically; the same statistics give the same bytes, and an unchanged file is not touched.

    Raises:
        ConfigError: When it cannot be written.
    """
    try:
        write_atomically(path, to_text(statistics))
    except OSError as error:
        raise ConfigError(f"cannot write the statistics {path}: {error.strerror or error}") from error


def to_text(statistics: Statistics) -> str:
    """Return the content of the file."""
    return "\n".join(_lines(document_of(statistics))) + "\n"


def _lines(document: dict[str, Any]) -> Iterator[str]:
    """Yield the lines: tables and their parts indented, what stands below on one line each."""
    tables = document.pop("tables")
    yield "{"
    for key, value in document.items():
        if key == "notes" and value:
            yield from _block("  ", key, "[]", [_json(note) for note in value], ",")
        else:
            yield f"  {_json(key)}: {_json(value)},"
    entries = list(tables.items())
    yield '  "tables": {' + ("" if entries else "}")
    for number, (name, table) in enumerate(entries, 1):
        yield from _table_lines(name, table, "," if number < len(entries) else "")
    if entries:
        yield "  }"
    yield "}"


def _table_lines(name: str, table: dict[str, Any], end: str) -> Iterator[str]:
    yield f"    {_json(name)}: {{"
    last = list(table)[-1]
    for key, value in table.items():
        comma = "" if key == last else ","
        if isinstance(value, dict):
            lines = [f"{_json(each)}: {_json(entry)}" for each, entry in value.items()]
            yield from _block("      ", key, "{}", lines, comma)
        elif isinstance(value, list):
            yield from _block("      ", key, "[]", [_json(each) for each in value], comma)
        else:
            yield f"      {_json(key)}: {_json(value)}{comma}"
    yield f"    }}{end}"


def _block(indent: str, key: str, brackets: str, lines: Iterable[str], end: str) -> Iterator[str]:
    yield f"{indent}{_json(key)}: {brackets[0]}"
    yield ",\n".join(f"{indent}  {line}" for line in lines)
    yield f"{indent}{brackets[1]}{end}"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _checked(path: Path, value: Any) -> StatisticsFile:
    if not isinstance(value, dict) or "format" not in value:
        raise ConfigError(f'{path}: not a file of statistics: the key "format" is missing', hint=_EXPORT_AGAIN)
    if value["format"] != FORMAT or isinstance(value["format"], bool):
        newer = isinstance(value["format"], int) and value["format"] > FORMAT
        step = (
            f"it was written by a newer pytest-dbguard: update this one, or {_EXPORT_AGAIN}" if newer else _EXPORT_AGAIN
        )
        raise ConfigError(f"{path}: only format {FORMAT} is supported, this one is another", hint=step)
    try:
        return StatisticsFile.model_validate(value)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False)
        told = [f"{path}: {_problem(problem)}" for problem in problems[:_MAX_PROBLEMS]]
        if len(problems) > _MAX_PROBLEMS:
            told.append(f"{path}: and {len(problems) - _MAX_PROBLEMS} more problems")
        raise ConfigError("\n".join(told), hint=f"mend it, or {_EXPORT_AGAIN}") from error


def _problem(problem: Any) -> str:
    """Return one problem as `tables["public.orders"].rows: missing`; values are not quoted, they may be of rows."""
    place = "".join(_part(number, part) for number, part in enumerate(problem["loc"]))
    if problem["type"] == "extra_forbidden":
        match = nearest(str(problem["loc"][-1]), _known_keys(problem["loc"]))
        return f"{place}: unknown key" + (f", did you mean {match!r}?" if match else "")
    if problem["type"] == "missing":
        return f"{place}: missing"
    return f"{place}: {problem['msg'][:1].lower()}{problem['msg'][1:]}"


def _part(number: int, part: int | str) -> str:
    if isinstance(part, int):
        return f"[{part}]"
    return f".{part}" if number and part.isidentifier() else part if not number else f"[{part!r}]"


def _known_keys(location: tuple[int | str, ...]) -> Iterable[str]:
    if len(location) == 1:
        return StatisticsFile.model_fields
    if len(location) == 3 and location[0] == "tables":
        return TableEntry.model_fields
    return {field for model in _MODELS for field in model.model_fields}
