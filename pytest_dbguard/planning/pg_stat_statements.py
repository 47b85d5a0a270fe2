r"""Reads what production ran from an export of `pg_stat_statements`: CSV with a header, or JSON rows.

    psql -c "\copy (SELECT * FROM pg_stat_statements) TO 'statements.csv' CSV HEADER"

The view holds the statements of all databases of a server: where there are several, let the export name one of them, by
`WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())`.

Columns are told by name, as versions 1.3 to 1.12 of the extension call them: `query` and `calls` must be there, times
and `rows` may be. Constants of statements are parameters there already; those that are left, in utility statements and
in texts that were cut off, are never kept.
"""

from __future__ import annotations

import csv
import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pytest_dbguard.core.errors import ConfigError
from pytest_dbguard.planning.statements import PLANNED
from pytest_dbguard.planning.weights import merged
from pytest_dbguard.planning.workload import Exemplar, Use, Workload, WorkloadStatement
from pytest_dbguard.sql.placeholders import lexemes
from pytest_dbguard.sql.roles import placeholder_roles
from pytest_dbguard.sql.scrubbed import scrubbed
from pytest_dbguard.sql.shape import StatementText, read_statement

HIDDEN = "statements of other users are hidden from who made the export"
UTILITY = "no statements that have a plan"
CUT_OFF = "their texts are cut off"
OF_SYSTEM = "they read the server's own tables"
NESTED = "functions run them"
NO_COUNT = "nobody knows how often they ran"

MAX_BYTES = 512 * 1024 * 1024
_HIDDEN_TEXTS = ("<insufficient privilege>", "<command string not enabled>", "<backend information not available>")
_SYSTEM = ("pg_", "information_schema")
_ALSO_SYSTEM = frozenset({"tables", "columns", "schemata", "key_column_usage", "table_constraints"})
_ENDS = ("...", "…")
_TAKEN = re.compile(r"(\bextract\s*\(\s*)\$\d+(?=\s+from\b)", re.IGNORECASE)
_MEANS, _TOTALS = ("mean_exec_time", "mean_time"), ("total_exec_time", "total_time")
_ASK = "export it with: psql -c \"\\copy (SELECT * FROM pg_stat_statements) TO 'FILE.csv' CSV HEADER\""

Row = Mapping[str, Any]


def read_pg_stat_statements(path: Path) -> Workload:
    """Return what an export says, statements of one shape as one, by shape id; what is left out is counted.

    Statements have no place; LIMIT holds what calls returned on average. The schema is not known: its id is "".

    Raises:
        ConfigError: When the file cannot be read, or is no such export; never with a text of it.
    """
    found: dict[str, WorkloadStatement] = {}
    skipped: Counter[str] = Counter()
    for row in _rows(path):
        read = _read(row)
        if isinstance(read, str):
            skipped[read] += 1
        else:
            key = read.shape.id
            found[key] = merged(found[key], read) if key in found else read
    statements = tuple(_as_one(found[key]) for key in sorted(found))
    return Workload("", statements, MappingProxyType(dict(sorted(skipped.items()))))


def _as_one(statement: WorkloadStatement) -> WorkloadStatement:
    return WorkloadStatement(
        statement.shape,
        statement.exemplar,
        (Use(None, statement.count, ()),),
        statement.verb,
        statement.mean_ms,
    )


def _read(row: Row) -> WorkloadStatement | str:
    """Return the statement of a row, or why there is none."""
    query = str(row.get("query") or "").strip().rstrip("; \n")
    calls = _number(row.get("calls"))
    if not query or query in _HIDDEN_TEXTS:
        return HIDDEN
    if _is_false(row.get("toplevel")):
        return NESTED
    if calls is None or calls < 1:
        return NO_COUNT
    text = read_statement(query)
    if text.verb not in PLANNED:
        return UTILITY
    if _is_cut_off(query):
        return CUT_OFF
    if _is_of_system(query, text):
        return OF_SYSTEM
    exemplar = _exemplar(query, _per_call(row, calls))
    uses = (Use(None, int(calls), ()),)
    return WorkloadStatement(text.shape, exemplar, uses, text.verb, _mean_ms(row, calls))


def _exemplar(query: str, per_call: float | None) -> Exemplar:
    limits = [at for at, role in enumerate(placeholder_roles(query, "numeric_dollar")) if role.role == "limit"]
    values = {}
    if len(limits) == 1 and per_call is not None:
        values[limits[0]] = (max(math.ceil(per_call), 1),)
    # what is taken of a time is a constant to PostgreSQL, and may be none where it reads a statement
    query = _TAKEN.sub(r"\1year", query)
    clean = scrubbed(query, "numeric_dollar", values, is_postgres=True)
    return Exemplar(clean.text, clean.style, clean.values)


def _per_call(row: Row, calls: float) -> float | None:
    rows = _number(row.get("rows"))
    return None if rows is None else rows / calls


def _mean_ms(row: Row, calls: float) -> float | None:
    mean = next((found for name in _MEANS if (found := _number(row.get(name))) is not None), None)
    total = next((found for name in _TOTALS if (found := _number(row.get(name))) is not None), None)
    return mean if mean is not None else None if total is None else total / calls


def _is_cut_off(query: str) -> bool:
    """Whether a text ends before it is over: tools that copy it keep its first thousand characters or so."""
    if query.endswith(_ENDS):
        return True
    found = lexemes(query, "numeric_dollar")
    signs = Counter(token.text for token in found if token.kind == "sign")
    last = found[-1] if found else None
    is_open = last is not None and last.kind == "quoted" and not last.text.endswith('"')
    is_open |= last is not None and last.kind == "string" and (len(last.text) < 2 or last.text[-1] not in "'$")
    return is_open or signs["("] != signs[")"] or (last is not None and last.text in (",", "=", "(", ".", '"', "'"))


def _is_of_system(query: str, text: StatementText) -> bool:
    if not text.tables:
        return False
    in_information = "information_schema" in query
    return all(t.startswith(_SYSTEM) or (in_information and t in _ALSO_SYSTEM) for t in map(str.lower, text.tables))


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) and number >= 0 else None


def _is_false(value: Any) -> bool:
    return str(value).strip().lower() in ("f", "false", "0")


def _rows(path: Path) -> Iterator[Row]:
    text = _text_of(path).lstrip()
    if text[:1] in ("[", "{"):
        rows: Iterable[Row] = _json_rows(path, text)
    else:
        rows = _csv_rows(path, text)
    yield from rows


def _csv_rows(path: Path, text: str) -> Iterator[Row]:
    head = text.partition("\n")[0]
    delimiter = max(",;\t|", key=head.count)
    # a statement may be longer than what the module takes for a field by default
    csv.field_size_limit(MAX_BYTES)
    reader = csv.reader(text.splitlines(keepends=True), delimiter=delimiter)
    try:
        names = [name.strip().lower() for name in next(reader, [])]
        _check_names(path, names)
        for values in reader:
            if values:
                yield dict(zip(names, values, strict=False))
    except csv.Error:
        raise ConfigError(f"{path}: not CSV that can be read (line {reader.line_num})", hint=_ASK) from None


def _json_rows(path: Path, text: str) -> Iterator[Row]:
    for row in _json_values(path, text):
        if not isinstance(row, dict):
            raise ConfigError(f"{path}: not rows of pg_stat_statements", hint=_ASK)
        lowered = {str(name).lower(): value for name, value in row.items()}
        _check_names(path, list(lowered))
        yield lowered


def _json_values(path: Path, text: str) -> list[Any]:
    try:
        found = json.loads(text)
    except RecursionError:
        raise ConfigError(f"{path}: JSON nested too deeply", hint=_ASK) from None
    except json.JSONDecodeError as error:
        try:
            # one row a line, as `psql -At -c "SELECT to_json(...)"` prints them
            return [json.loads(line) for line in text.splitlines() if line.strip()]
        except (json.JSONDecodeError, RecursionError):
            raise ConfigError(f"{path}:{error.lineno}:{error.colno}: not valid JSON: {error.msg}", hint=_ASK) from None
    if isinstance(found, dict):
        lists = [value for value in found.values() if isinstance(value, list)]
        found = lists[0] if len(lists) == 1 else [found]
    return list(found)


def _check_names(path: Path, names: list[str]) -> None:
    missing = [name for name in ("query", "calls") if name not in names]
    if missing:
        raise ConfigError(
            f"{path}: not an export of pg_stat_statements: no column {' and none '.join(map(repr, missing))}", hint=_ASK
        )


def _text_of(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ConfigError(f"{path}: more than {MAX_BYTES // 2**20} MB", hint="export the statements that run most")
        # a text may be cut off within a letter
        return path.read_bytes().decode("utf-8-sig", "replace")
    except FileNotFoundError as error:
        raise ConfigError(f"there is no export {str(path)!r}", hint=_ASK) from error
    except OSError as error:
        raise ConfigError(f"cannot read the export {path}: {error.strerror or error}") from error
