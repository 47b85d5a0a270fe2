"""Writes statistics into the catalogs themselves, as a superuser has to before PostgreSQL 18."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

from pytest_dbguard.planning.lab.column_entries import ColumnEntry
from pytest_dbguard.planning.lab.relation_sizes import RelationSize
from pytest_dbguard.planning.statistics.model import ColumnStatistics, Slot

_CORRELATION: Final = 3
_NEEDS_NO_VALUES: Final = (_CORRELATION, 5)
_SLOTS: Final = range(1, 6)

_SIZES: Final = """
    UPDATE pg_catalog.pg_class c SET relpages = g.pages, reltuples = g.rows, relallvisible = g.visible
    FROM json_to_recordset({given}) AS g (schema name, name name, pages int, rows float4, visible int)
    JOIN pg_catalog.pg_namespace n ON n.nspname = g.schema
    WHERE c.relnamespace = n.oid AND c.relname = g.name
"""
# B-trees have number 403. Types of one family share an operator class: that of the pseudotype, or the one whose bytes
# are the same.
_COLUMNS: Final = """
    WITH given AS MATERIALIZED (
        SELECT c.oid AS relation, a.attnum, a.atttypid, a.atttypmod, a.attcollation, t.typelem,
               CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END AS base, g.*
        FROM json_to_recordset({given}) AS g (schema name, name name, attribute name, number int2, inherited bool,
             nulls float4, width int, values_count float4, {fields})
        JOIN pg_catalog.pg_namespace n ON n.nspname = g.schema
        JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = g.name
        JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND NOT a.attisdropped
             AND (a.attname = g.attribute OR a.attnum = g.number)
        JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
    ), operators AS MATERIALIZED (
        SELECT t.oid AS type, min(o.amopopr::int8) FILTER (WHERE o.amopstrategy = 3) AS equal,
               min(o.amopopr::int8) FILTER (WHERE o.amopstrategy = 1) AS less
        FROM pg_catalog.pg_type t
        JOIN pg_catalog.pg_opclass k ON k.opcmethod = 403 AND k.opcdefault AND k.opcintype = CASE
             WHEN t.typtype = 'e' THEN 'anyenum'::regtype WHEN t.typtype = 'r' THEN 'anyrange'::regtype
             WHEN t.typtype = 'm' THEN 'anymultirange'::regtype WHEN t.typtype = 'c' THEN 'record'::regtype
             WHEN t.typcategory = 'A' AND t.typlen = -1 THEN 'anyarray'::regtype
             WHEN t.oid = 'varchar'::regtype THEN 'text'::regtype WHEN t.oid = 'cidr'::regtype THEN 'inet'::regtype
             ELSE t.oid END
        JOIN pg_catalog.pg_amop o ON o.amopfamily = k.opcfamily
             AND o.amoplefttype = k.opcintype AND o.amoprighttype = k.opcintype
        WHERE t.oid IN (SELECT base FROM given UNION SELECT typelem FROM given UNION SELECT 'text'::regtype)
        GROUP BY t.oid
    )
    INSERT INTO pg_catalog.pg_statistic (starelid, staattnum, stainherit, stanullfrac, stawidth, stadistinct, {names})
    SELECT g.relation, g.attnum, g.inherited, g.nulls, g.width, g.values_count, {slots}
    FROM given g
    LEFT JOIN operators w ON w.type = g.base
    LEFT JOIN operators e ON e.type = CASE WHEN g.base = 'tsvector'::regtype THEN 'text'::regtype ELSE g.typelem END
"""

_REMOVED: Final = """
    DELETE FROM pg_catalog.pg_statistic s USING json_to_recordset({given})
        AS g (schema name, name name, attribute name, number int2, inherited bool)
    JOIN pg_catalog.pg_namespace n ON n.nspname = g.schema
    JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = g.name
    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND (a.attname = g.attribute OR a.attnum = g.number)
    WHERE s.starelid = c.oid AND s.staattnum = a.attnum AND s.stainherit = g.inherited
"""


def write_sizes(sizes: Iterable[RelationSize]) -> str:
    """Return the statement that writes pages and rows."""
    rows = [
        {"schema": s.schema, "name": s.name, "pages": s.pages, "rows": s.rows, "visible": s.all_visible} for s in sizes
    ]
    return _SIZES.format(given=_literal(rows))


def remove_columns(entries: Iterable[ColumnEntry]) -> str:
    """Return the statement that removes what is known of columns."""
    kept = ("schema", "name", "attribute", "number", "inherited")
    return _REMOVED.format(given=_literal([{key: _row(entry)[key] for key in kept} for entry in entries]))


def write_columns(entries: Iterable[ColumnEntry]) -> str:
    """Return the statement that writes the statistics of columns, of which nothing must be known."""
    fields = ", ".join(f"k{n} int2, n{n} text, v{n} text" for n in _SLOTS)
    names = ", ".join(
        [f"{field}{n}" for field in ("stakind", "staop", "stacoll", "stanumbers", "stavalues") for n in _SLOTS]
    )
    slots = ", ".join(
        expression for kind in (_kind, _operator, _collation, _numbers, _values) for expression in map(kind, _SLOTS)
    )
    return _COLUMNS.format(given=_literal([_row(entry) for entry in entries]), fields=fields, names=names, slots=slots)


def _row(entry: ColumnEntry) -> dict[str, Any]:
    known = entry.statistics
    row: dict[str, Any] = {
        "schema": entry.schema,
        "name": entry.relation,
        "attribute": entry.column or None,
        "number": entry.number or None,
        "inherited": entry.is_inherited,
        "nulls": known.null_fraction,
        "width": known.average_width,
        "values_count": known.n_distinct,
    }
    for number, slot in zip(_SLOTS, _slots(known), strict=False):
        numbers = "{" + ",".join(map(repr, slot.numbers)) + "}" if slot.numbers else None
        row |= {f"k{number}": slot.kind, f"n{number}": numbers, f"v{number}": slot.values}
    return row


def _slots(known: ColumnStatistics) -> list[Slot]:
    """Return the slots that can be written: most need the values."""
    kept = [
        slot
        for slot in known.slots
        if slot.kind != _CORRELATION and (slot.values is not None or slot.kind in _NEEDS_NO_VALUES)
    ]
    correlation = [] if known.correlation is None else [Slot(_CORRELATION, (known.correlation,))]
    return [*kept, *correlation]


def _is_writable(n: int) -> str:
    """Return the condition that the operator of a slot is known; ranges of a fixed one, or none."""
    return f"(g.k{n} IN (6, 7) OR ({_operator_of(n)}) IS NOT NULL)"


def _operator_of(n: int) -> str:
    return (
        f"CASE WHEN g.k{n} = 1 THEN w.equal WHEN g.k{n} IN (2, 3) THEN w.less WHEN g.k{n} IN (4, 5) THEN e.equal"
        f" WHEN g.k{n} = 6 THEN '<(float8,float8)'::regoperator::oid::int8 END"
    )


def _kind(n: int) -> str:
    return f"CASE WHEN g.k{n} IS NOT NULL AND {_is_writable(n)} THEN g.k{n} ELSE 0 END"


def _operator(n: int) -> str:
    return f"coalesce({_operator_of(n)}, 0)::oid"


def _collation(n: int) -> str:
    return (
        f"CASE WHEN g.k{n} IN (4, 5) AND g.base = 'tsvector'::regtype THEN 'pg_catalog.\"default\"'::regcollation::oid"
        f" WHEN g.k{n} <= 5 THEN g.attcollation ELSE 0 END"
    )


def _numbers(n: int) -> str:
    return f"CASE WHEN {_is_writable(n)} THEN g.n{n}::real[] END"


def _values(n: int) -> str:
    element = (
        f"CASE WHEN g.k{n} = 6 THEN 'float8'::regtype::oid WHEN g.k{n} = 4 AND g.base = 'tsvector'::regtype"
        f" THEN 'text'::regtype::oid WHEN g.k{n} = 4 THEN g.typelem ELSE g.atttypid END"
    )
    modifier = f"CASE WHEN g.k{n} IN (4, 6) THEN -1 ELSE g.atttypmod END"
    return (
        f"CASE WHEN g.v{n} IS NOT NULL AND {_is_writable(n)} THEN array_in(g.v{n}::cstring, {element}, {modifier}) END"
    )


def _literal(rows: list[dict[str, Any]]) -> str:
    """Return rows as a literal of JSON, whatever `standard_conforming_strings` says."""
    text = json.dumps(rows, ensure_ascii=False, separators=(",", ":"))
    return "E'" + text.replace("\\", "\\\\").replace("'", "''") + "'::json"
