"""Writes what extended statistics say of how many combinations columns have, in PostgreSQL's own bytes."""

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

_MAGIC: Final = 0xA352BFA4
_TYPE: Final = 1
_HAS_INHERITED_FROM: Final = 15
_OBJECTS: Final = """
    SELECT s.oid::int8, n.nspname::text, c.relname::text, s.stxname::text, a.attnum::int, a.attname::text
    FROM pg_catalog.pg_statistic_ext s
    JOIN pg_catalog.pg_class c ON c.oid = s.stxrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (s.stxkeys)
    WHERE 'd' = ANY (s.stxkind) AND s.stxexprs IS NULL
    ORDER BY s.oid, a.attnum
"""
# there is no way to write such a value but to say that its bytes are its bytes
_CAST: Final = "CREATE CAST (bytea AS pg_ndistinct) WITHOUT FUNCTION"
_UNCAST: Final = "DROP CAST IF EXISTS (bytea AS pg_ndistinct)"
_Columns = Mapping[int, str]


def write_combinations(
    execute: Callable[[str], Sequence[Sequence[Any]]], catalog: Catalog, statistics: Statistics, *, major: int
) -> Iterator[str]:
    """Write the numbers of combinations for every object of extended statistics that the lab has; as a superuser."""
    known = {
        (table.schema, table.name): (table, found)
        for table in catalog.tables
        if table.statistics and (found := table_statistics(table, statistics)).combinations
    }
    if not known:
        return
    objects: dict[tuple[int, str, str, str], dict[int, str]] = {}
    for number, schema, relation, name, attribute, column in execute(_OBJECTS):
        objects.setdefault((number, schema, relation, name), {})[attribute] = column
    wanted = {key: columns for key, columns in objects.items() if key[1:3] in known}
    if wanted:
        execute(_UNCAST)
        execute(_CAST)
        for (number, schema, relation, _), columns in wanted.items():
            table, found = known[schema, relation]
            execute(_statement(number, table, ndistinct_bytes(columns, table, found), major))
        execute(_UNCAST)
    named = {name for _, _, _, name in wanted}
    for table, _ in known.values():
        for each in table.statistics:
            if "ndistinct" in each.kinds and each.name not in named:
                yield f"no combinations of `{each.name}`: it is not in the lab, or has expressions"


def ndistinct_bytes(columns: _Columns, table: Table, statistics: TableStatistics) -> bytes:
    """Return the bytes of a value of type pg_ndistinct.

    Each set of two and more columns must be in it: the planner gives up a statement when one that it needs is not.

    Args:
        columns: Names by attribute numbers.
        table: Whose columns these are.
        statistics: Of the table.
    """
    items = [chosen for size in range(2, len(columns) + 1) for chosen in combinations(sorted(columns), size)]
    parts = [struct.pack("=III", _MAGIC, _TYPE, len(items))]
    for chosen in items:
        keys = [(columns[number],) for number in chosen]
        distinct = distinct_keys(keys, statistics, table, max(statistics.rows, 1.0))
        parts.append(struct.pack(f"=di{len(chosen)}h", math.ceil(distinct), len(chosen), *chosen))
    return b"".join(parts)


def _statement(number: int, table: Table, value: bytes, major: int) -> str:
    data = f"decode('{value.hex()}', 'hex')::pg_ndistinct"
    if major < _HAS_INHERITED_FROM:
        # the row is made with the object
        return f"UPDATE pg_catalog.pg_statistic_ext_data SET stxdndistinct = {data} WHERE stxoid = {number}"
    inherited = "true" if table.kind is RelationKind.PARTITIONED else "false"
    return (
        f"INSERT INTO pg_catalog.pg_statistic_ext_data (stxoid, stxdinherit, stxdndistinct)"
        f" VALUES ({number}, {inherited}, {data})"
        f" ON CONFLICT (stxoid, stxdinherit) DO UPDATE SET stxdndistinct = excluded.stxdndistinct"
    )
