"""Reads and writes `dbguard-workload.json`: what ran on which schema, one statement a line, without any value.

The file holds names of tables and columns, places in the source, and numbers of executions. Values of statements and
parameters are not in it; `sql/scrubbed.py` says what stays of them so that a planner can be asked.
`workload_document.py` tells the meaning of each field.

Format history:
    1: "kind", "version", "source", "made", "schemas".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pytest_dbguard.core.errors import ConfigError
from pytest_dbguard.core.files import write_atomically
from pytest_dbguard.planning.json_files import JsonFile
from pytest_dbguard.planning.workload import Workload
from pytest_dbguard.planning.workload_document import KIND, VERSION, Source, WorkloadFile
from pytest_dbguard.planning.workload_entries import schema_entry, workload_of
from pytest_dbguard.schema.catalog import Catalog

Pair = tuple[Workload, Catalog | None]

_AGAIN = "make it again with: pytest --dbguard --dbguard-save-workload FILE"
_MADE = re.compile(r'^  "made": "[^"\n]*",\n', re.MULTILINE)
_HEAD = 200
_MAX_PROBLEMS = 5


def is_workload_file(path: Path) -> bool:
    """Return whether a file begins as `write_workload` writes it; False for one that cannot be read."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError:
        return False
    return f'"{KIND}"'.encode() in head


def read_workload(path: Path) -> tuple[Pair, ...]:
    """Return what ran on each schema, the one with most statements first; the catalog is None where nobody knew it.

    Raises:
        ConfigError: When it cannot be read or understood; names the place in it and the next step, never a value.
    """
    return pairs_of(path, read_document(path))


def pairs_of(path: Path, document: WorkloadFile) -> tuple[Pair, ...]:
    """Return the same for a document that is read already.

    Raises:
        ConfigError: When a catalog in it is none.
    """
    try:
        return tuple(map(workload_of, document.schemas))
    except ValueError:
        raise ConfigError(f"{path}: schemas: a catalog cannot be understood", hint=_AGAIN) from None


def read_document(path: Path) -> WorkloadFile:
    """Return the document as it stands in the file, with its source and when it was made.

    Raises:
        ConfigError: As `read_workload`.
    """
    file = JsonFile(path, "workload file", _AGAIN)
    text = file.text()
    value = file.value(text)
    if not isinstance(value, dict) or value.get("kind") != KIND:
        raise ConfigError(f'{path}: not a workload file: "kind" is not "{KIND}"', hint=_AGAIN)
    if value.get("version") != VERSION or isinstance(value["version"], bool):
        newer = isinstance(value.get("version"), int) and value["version"] > VERSION
        step = f"it was written by a newer pytest-dbguard: update this one, or {_AGAIN}" if newer else _AGAIN
        raise ConfigError(f"{path}: only version {VERSION} is supported, this one is another", hint=step)
    try:
        # from JSON, where keys are texts and tuples are lists
        return WorkloadFile.model_validate_json(text)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False, include_context=False)
        told = [f"{path}: {_problem(problem)}" for problem in problems[:_MAX_PROBLEMS]]
        if len(problems) > _MAX_PROBLEMS:
            told.append(f"{path}: and {len(problems) - _MAX_PROBLEMS} more problems")
        raise ConfigError("\n".join(told), hint=_AGAIN) from None


def write_workload(path: Path, pairs: Iterable[Pair], *, source: Source, made_at: str = "") -> None:
    """Write the file atomically: the same workload gives the same bytes.

    A file that says the same, whenever it was made, is not touched.

    Args:
        path: The file.
        pairs: Workloads and the schemas that they ran on; None for one that nobody knows.
        source: Where they come from.
        made_at: When, as ISO 8601 with the time zone; "" leaves it out.

    Raises:
        ConfigError: When it cannot be written.
    """
    text = to_text(pairs, source=source, made_at=made_at)
    try:
        if path.is_file() and _MADE.sub("", path.read_text("utf-8", "replace"), count=1) == _MADE.sub(
            "", text, count=1
        ):
            return
        write_atomically(path, text)
    except OSError as error:
        raise ConfigError(f"cannot write the workload {path}: {error.strerror or error}") from error


def to_text(pairs: Iterable[Pair], *, source: Source, made_at: str = "") -> str:
    """Return the content of the file."""
    entries = [schema_entry(workload, catalog) for workload, catalog in pairs]
    entries.sort(key=lambda entry: (-len(entry.statements), entry.id))
    document = WorkloadFile(kind=KIND, version=VERSION, source=source, made=made_at, schemas=tuple(entries))
    return "\n".join(_lines(document.model_dump(exclude_defaults=True))) + "\n"


def _lines(document: dict[str, Any]) -> Iterator[str]:
    """Yield the lines: schemas indented, each of their tables and statements on a line."""
    schemas = document.pop("schemas", ())
    yield "{"
    for key, value in document.items():
        yield f"  {_json(key)}: {_json(value)},"
    yield '  "schemas": [' + ("" if schemas else "]")
    for number, schema in enumerate(schemas, 1):
        yield from _schema_lines(schema, "," if number < len(schemas) else "")
    if schemas:
        yield "  ]"
    yield "}"


def _schema_lines(schema: dict[str, Any], end: str) -> Iterator[str]:
    yield "    {"
    last = list(schema)[-1]
    for key, value in schema.items():
        comma = "" if key == last else ","
        if key == "catalog":
            yield from _catalog_lines(value, comma)
        elif key == "statements":
            yield from _block('      "statements": [', value, f"      ]{comma}")
        else:
            yield f"      {_json(key)}: {_json(value)}{comma}"
    yield f"    }}{end}"


def _catalog_lines(catalog: dict[str, Any], end: str) -> Iterator[str]:
    rest = {key: value for key, value in catalog.items() if key != "tables"}
    head = _json(rest)[:-1] + (", " if rest else "")
    yield from _block(f'      "catalog": {head}"tables": [', catalog.get("tables", ()), f"      ]}}{end}")


def _block(head: str, items: Iterable[Any], end: str) -> Iterator[str]:
    lines = ",\n".join(f"        {_json(item)}" for item in items)
    yield head
    if lines:
        yield lines
    yield end


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _problem(problem: Any) -> str:
    """Return one problem as `schemas[0].statements[3].id: missing`; values are not quoted."""
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in problem["loc"]).lstrip(".")
    said = "missing" if problem["type"] == "missing" else f"{problem['msg'][:1].lower()}{problem['msg'][1:]}"
    return f"{place}: {said}"
