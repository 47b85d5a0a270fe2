"""Turns workloads into the entries of a file, without a value of any statement, and back."""

from __future__ import annotations

import json
from collections import Counter
from types import MappingProxyType
from typing import Any

from pytest_dbguard.core.findings import Shape, Site
from pytest_dbguard.planning.workload import Call, Exemplar, Use, Value, Workload, WorkloadStatement
from pytest_dbguard.planning.workload_document import (
    MAX_STATEMENTS,
    MAX_TEXT,
    MAX_USES,
    CallEntry,
    SchemaEntry,
    StatementEntry,
    UseEntry,
)
from pytest_dbguard.schema.catalog import Catalog, Dialect
from pytest_dbguard.schema.document import catalog_from_json, catalog_to_json
from pytest_dbguard.sql.placeholders import is_postgres_style, lexemes
from pytest_dbguard.sql.scrubbed import MAX_MEMBERS, Keeps, nothing, scrubbed
from pytest_dbguard.sql.shape import read_statement

TOO_LONG = f"its text has more than {MAX_TEXT:,} characters"
TOO_MANY = f"more than {MAX_STATEMENTS:,} statements"


def schema_entry(workload: Workload, catalog: Catalog | None) -> SchemaEntry:
    """Return what a file says of one schema: bounded, and the same for the same workload."""
    writer = _Writer(catalog)
    skipped = Counter(workload.skipped)
    entries = []
    ordered = sorted(workload.statements, key=lambda each: (-each.count, each.shape.id))
    for statement in ordered[:MAX_STATEMENTS]:
        entry = writer.entry(statement)
        if entry.text is not None and len(entry.text) > MAX_TEXT:
            skipped[TOO_LONG] += 1
        else:
            entries.append(entry)
    if len(ordered) > MAX_STATEMENTS:
        skipped[TOO_MANY] += len(ordered) - MAX_STATEMENTS
    return SchemaEntry(
        id=workload.schema_id,
        catalog=None if catalog is None else json.loads(catalog_to_json(catalog)),
        skipped=dict(sorted(skipped.items())),
        statements=tuple(sorted(entries, key=lambda each: each.id)),
    )


def workload_of(entry: SchemaEntry) -> tuple[Workload, Catalog | None]:
    """Return what an entry says.

    Raises:
        ValueError: When its catalog is none.
    """
    catalog = None if entry.catalog is None else catalog_from_json(json.dumps(entry.catalog))
    statements = tuple(map(_statement, entry.statements))
    return Workload(entry.id, statements, MappingProxyType(dict(entry.skipped))), catalog


class _Writer:
    """Writes the statements of one schema; literals that the schema itself names may stay."""

    def __init__(self, catalog: Catalog | None) -> None:
        self._dialect = catalog.dialect if catalog is not None else None
        self._keeps = named_by(catalog) if catalog is not None else nothing

    def entry(self, statement: WorkloadStatement) -> StatementEntry:
        text, style, values, longest, sets = self._exemplar(statement.exemplar)
        return StatementEntry(
            id=statement.shape.id,
            shape=statement.shape.text,
            verb=statement.verb,
            text=text,
            style=style,
            values=values,
            longest_list=longest,
            literal_sets=sets,
            mean_ms=None if statement.mean_ms is None else round(statement.mean_ms, 3),
            uses=tuple(map(_use_entry, statement.uses[:MAX_USES])),
        )

    def _exemplar(self, exemplar: Exemplar | None) -> tuple[str | None, Any, dict[int, tuple[Value, ...]], int, int]:
        if exemplar is None:
            return None, "qmark", {}, 0, 1
        is_postgres = (
            is_postgres_style(exemplar.style) if self._dialect is None else self._dialect is Dialect.POSTGRESQL
        )
        kept = scrubbed(exemplar.text, exemplar.style, exemplar.values, is_postgres=is_postgres, keeps=self._keeps)
        longest = max(exemplar.longest_list, read_statement(exemplar.text).longest_list)
        # what the text tells need not be told again
        longest = longest if longest > MAX_MEMBERS else exemplar.longest_list
        return kept.text, kept.style, dict(kept.values), longest, exemplar.literal_sets


def named_by(catalog: Catalog) -> Keeps:
    """Return which literals a schema names itself: in conditions and expressions of indexes, for their columns."""
    style = "numeric_dollar" if catalog.dialect is Dialect.POSTGRESQL else "qmark"
    named: set[tuple[str, str]] = set()
    for table in catalog.tables:
        columns = {column.name for column in table.columns}
        for index in table.indexes:
            for text in (index.predicate, *(key.expression for key in index.keys)):
                found = lexemes(text, style) if text else []
                literals = {token.text for token in found if token.kind in ("string", "number")}
                words = {token.text.strip('"') for token in found if token.kind in ("word", "quoted")}
                named |= {(column, each) for each in literals for column in ("", *(words & columns))}
    return lambda column, written: (column, written) in named


def _use_entry(use: Use) -> UseEntry:
    call = None if use.call is None else CallEntry(methods=use.call.methods, used_as=_used_as(use.call))
    shared: dict[str, Any] = {"in_test_code": use.in_test_code, "scope": use.scope, "call": call}
    if use.site is None:
        return UseEntry(count=use.count, **shared)
    site = use.site
    return UseEntry(
        count=use.count,
        file=site.file,
        line=max(site.line, 1),
        column=site.column,
        end_line=site.end_line,
        end_column=site.end_column,
        function=site.function,
        is_test=site.in_test_code,
        **shared,
    )


def _used_as(call: Call) -> Any:
    return call.used_as if call.used_as in ("truth", "zero", "length") else ""


def _statement(entry: StatementEntry) -> WorkloadStatement:
    exemplar = None
    if entry.text is not None:
        values = MappingProxyType({position: tuple(seen) for position, seen in sorted(entry.values.items())})
        exemplar = Exemplar(entry.text, entry.style, values, entry.longest_list, entry.literal_sets)
    uses = tuple(map(_use, entry.uses))
    return WorkloadStatement(Shape(entry.id, entry.shape), exemplar, uses, entry.verb, entry.mean_ms)


def _use(entry: UseEntry) -> Use:
    site = None
    if entry.file:
        place = (entry.column, entry.function, entry.end_line, entry.end_column, entry.is_test)
        site = Site(entry.file, entry.line, *place)
    call = None if entry.call is None else Call(tuple(entry.call.methods), entry.call.used_as)
    return Use(site, entry.count, (), entry.in_test_code, entry.scope, call)
