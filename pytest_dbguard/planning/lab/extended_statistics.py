"""Writes what extended statistics say of columns that go together, in the bytes that PostgreSQL keeps it in."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any, Final

from pytest_dbguard.planning.lab.distinct_values import distinct_keys
from pytest_dbguard.planning.lab.sized_statistics import table_statistics
from pytest_dbguard.planning.statistics.model import Statistics, TableStatistics
from pytest_dbguard.schema.catalog import Catalog, RelationKind, Table

_Execute = Callable[[str], Sequence[Sequence[Any]]]
_Columns = Mapping[int, str]

_COMBINATIONS_MAGIC: Final = 0xA352BFA4
_DEPENDENCIES_MAGIC: Final = 0xB4549A2C
_VERSION: Final = 1
_HAS_INHERITED_FROM: Final = 15
_OBJECTS: Final = """
    SELECT s.oid::int8, n.nspname::text, c.relname::text, s.stxname::text, a.attnum::int, a.attname::text
    FROM pg_catalog.pg_statistic_ext s
    JOIN pg_catalog.pg_class c ON c.oid = s.stxrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (s.stxkeys)
    WHERE s.stxkind && '{d,f}' AND s.stxexprs IS NULL
    ORDER BY s.oid, a.attnum
"""
_TYPES: Final = ("pg_ndistinct", "pg_dependencies")


def write_extended(execute: _Execute, catalog: Catalog, statistics: Statistics, *, major: int) -> Iterator[str]:
    """Write combinations and dependencies for every object of extended statistics that the lab has; as a superuser.

    Yields a line for each object that cannot be written.
    """
    found = ((table, table_statistics(table, statistics)) for table in catalog.tables if table.statistics)
    known = {(t.schema, t.name): (t, figures) for t, figures in found if figures.combinations or figures.dependencies}
    if not known:
        return
    objects: dict[tuple[int, str, str, str], dict[int, str]] = {}
    for number, schema, relation, name, attribute, column in execute(_OBJECTS):
        if (schema, relation) in known:
            objects.setdefault((number, schema, relation, name), {})[attribute] = column
    if major >= _HAS_INHERITED_FROM and objects:
        numbers = ", ".join(str(key[0]) for key in objects)
        execute(f"DELETE FROM pg_catalog.pg_statistic_ext_data WHERE stxoid IN ({numbers})")
    written = (_statement(key[0], columns, *known[key[1:3]], major=major) for key, columns in objects.items())
    with_casts(execute, list(written))
    there = {key[1:] for key in objects}
    for table, _ in known.values():
        for each in table.statistics:
            if set(each.kinds) & {"ndistinct", "dependencies"} and (table.schema, table.name, each.name) not in there:
                yield f"no statistics of `{each.name}`: it is not in the lab, or has expressions"


def with_casts(execute: _Execute, statements: Sequence[str]) -> None:
    """Run statements while bytes can be taken for such values: nothing else makes them."""
    if statements:
        for name in _TYPES:
            execute(f"DROP CAST IF EXISTS (bytea AS {name})")
            execute(f"CREATE CAST (bytea AS {name}) WITHOUT FUNCTION")
        try:
            for statement in statements:
                execute(statement)
        finally:
            for name in _TYPES:
                execute(f"DROP CAST IF EXISTS (bytea AS {name})")


def ndistinct_bytes(columns: _Columns, table: Table, statistics: TableStatistics) -> bytes:
    """Return the bytes of a value of type pg_ndistinct.

    Each set of two and more columns must be in it: the planner gives up a statement when one that it needs is not.

    Args:
        columns: Names by attribute numbers.
        table: Whose columns these are.
        statistics: Of the table.
    """
    items = [chosen for size in range(2, len(columns) + 1) for chosen in combinations(sorted(columns), size)]
    parts = [struct.pack("=III", _COMBINATIONS_MAGIC, _VERSION, len(items))]
    for chosen in items:
        keys = [(columns[number],) for number in chosen]
        distinct = distinct_keys(keys, statistics, table, max(statistics.rows, 1.0))
        parts.append(struct.pack(f"=di{len(chosen)}h", math.ceil(distinct), len(chosen), *chosen))
    return b"".join(parts)


def dependencies_bytes(columns: _Columns, statistics: TableStatistics) -> bytes | None:
    """Return the bytes of a value of type pg_dependencies; None where no column decides another."""
    numbers = {name: number for number, name in columns.items()}
    chosen = [each for each in statistics.dependencies if {*each.columns, each.decides} <= numbers.keys()]
    if not chosen:
        return None
    parts = [struct.pack("=III", _DEPENDENCIES_MAGIC, _VERSION, len(chosen))]
    for each in chosen:
        places = [*(numbers[name] for name in each.columns), numbers[each.decides]]
        parts.append(struct.pack(f"=dh{len(places)}h", each.degree, len(places), *places))
    return b"".join(parts)


def _statement(number: int, columns: _Columns, table: Table, statistics: TableStatistics, *, major: int) -> str:
    combined = ndistinct_bytes(columns, table, statistics) if statistics.combinations else None
    values = [_value(combined, _TYPES[0]), _value(dependencies_bytes(columns, statistics), _TYPES[1])]
    names = ["stxdndistinct", "stxddependencies"]
    if major < _HAS_INHERITED_FROM:
        # the row is made with the object
        pairs = ", ".join(f"{name} = {value}" for name, value in zip(names, values, strict=True))
        return f"UPDATE pg_catalog.pg_statistic_ext_data SET {pairs} WHERE stxoid = {number}"
    inherited = "true" if table.kind is RelationKind.PARTITIONED else "false"
    return (
        f"INSERT INTO pg_catalog.pg_statistic_ext_data (stxoid, stxdinherit, {', '.join(names)})"
        f" VALUES ({number}, {inherited}, {', '.join(values)})"
    )


def _value(data: bytes | None, name: str) -> str:
    return "NULL" if data is None else f"decode('{data.hex()}', 'hex')::{name}"
