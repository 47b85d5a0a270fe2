"""The same questions on SQLite: plans of an empty copy beside those of a file with rows."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from statistics import median
from typing import Any

import psycopg
from plans_tables import print_table
from plans_tpch_queries import Query
from plans_tpch_schema import CANDIDATES, TABLES

from pytest_dbguard.planning.lab.base import Explained, IndexSpec
from pytest_dbguard.planning.lab.sqlite_lab import SqliteLab
from pytest_dbguard.planning.statistics.completion import completed
from pytest_dbguard.planning.statistics.export_sqlite import export_sqlite
from pytest_dbguard.planning.statistics.model import Origin, Statistics, TableStatistics
from pytest_dbguard.schema.sqlite_reflection import reflect_sqlite

_NAME = re.compile(r"CREATE TABLE (\w+)")
_SPELLINGS = (
    (re.compile(r"date ('[^']*')"), r"\1"),
    (re.compile(r"::\w+"), ""),
    (re.compile(r"extract\(year FROM (\w+)\)"), r"strftime('%Y', \1)"),
    (re.compile(r"substring\((\w+) FROM 1 FOR 2\)"), r"substr(\1, 1, 2)"),
    (re.compile(r"SELECT FROM"), "SELECT 1 FROM"),
)
Shape = tuple[str, ...]


def measure(source: psycopg.Connection, queries: Sequence[Query]) -> None:
    """Copy the rows to SQLite, and print how many plans of the lab are those of the copy."""
    connection = sqlite3.connect(":memory:")
    for statement in TABLES:
        connection.execute(statement)
        _copy(source, connection, _NAME.findall(statement)[0])
    connection.execute("ANALYZE")
    texts = [_spelled(query.literal(0)) for query in queries]
    catalog = reflect_sqlite(lambda sql: connection.execute(sql).fetchall())
    exported = completed(export_sqlite(lambda sql: connection.execute(sql).fetchall()), catalog)
    declared = completed(_rows_only(exported), catalog)
    real = [_shape(connection.execute(f"EXPLAIN QUERY PLAN {text}").fetchall()) for text in texts]
    rows = []
    for label, statistics in (("exported", exported), ("rows only", declared)):
        begun = time.perf_counter()
        lab = SqliteLab(catalog, statistics)
        made_ms = (time.perf_counter() - begun) * 1000
        same = sum(_of(lab.explain(text)) == shape for text, shape in zip(texts, real, strict=True))
        pairs, used, explain_us = _what_if(lab, connection, texts)
        rows.append((label, f"{same}/{len(real)}", pairs, used, f"{made_ms:.1f}", f"{explain_us:.0f}"))
        lab.close()
    head = ("lab", "same plan", "same with index", "same verdict", "made in ms", "explained in us")
    print_table(f"SQLite {sqlite3.sqlite_version}: {len(CANDIDATES)} indexes x {len(texts)} queries", head, rows)


def _copy(source: psycopg.Connection, target: sqlite3.Connection, table: str) -> None:
    cursor = source.cursor(name="rows")
    cursor.itersize = 20_000
    with source.transaction():
        cursor.execute(f"SELECT * FROM {table}")
        columns = len(cursor.description or ())
        target.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * columns)})", map(_values, cursor))
        cursor.close()


def _values(row: Sequence[Any]) -> list[Any]:
    return [value if isinstance(value, int | str | None) else _plain(value) for value in row]


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else float(value)


def _spelled(text: str) -> str:
    for pattern, replacement in _SPELLINGS:
        text = pattern.sub(replacement, text)
    return text


def _rows_only(exported: Statistics) -> Statistics:
    tables = tuple(TableStatistics("", table.name, table.rows, origin=Origin.DECLARED) for table in exported.tables)
    return Statistics(tables, Origin.DECLARED, "declared")


def _shape(rows: Sequence[Sequence[Any]]) -> Shape:
    """Return what SQLite says, without numbers of subqueries."""
    return tuple(re.sub(r"\d+", "", str(row[3]).replace("candidate", "")) for row in rows)


def _of(explained: Explained) -> Shape:
    assert explained.plan is not None, explained.problem
    texts = (node.text for node in explained.plan.root.walk() if node is not explained.plan.root)
    return tuple(re.sub(r"\d+", "", text.replace("dbguard_candidate_", "")) for text in texts)


def _what_if(lab: SqliteLab, connection: sqlite3.Connection, texts: Sequence[str]) -> tuple[str, str, float]:
    """Return how many plans with an index are the same, how many verdicts, and the mean time of an EXPLAIN."""
    names = lab.add(IndexSpec("", table, columns, columns) for table, columns in CANDIDATES)
    same = agreed = 0
    times: list[float] = []
    for number, name in enumerate(names):
        with _made(connection, number), lab.visible(shown=[name]):
            for text in texts:
                begun = time.perf_counter()
                explained = lab.explain(text)
                times.append(time.perf_counter() - begun)
                wanted = connection.execute(f"EXPLAIN QUERY PLAN {text}").fetchall()
                same += _of(explained) == _shape(wanted)
                assert explained.plan is not None
                agreed += (name in explained.plan.indexes) == any("candidate" in str(row[3]) for row in wanted)
    total = len(names) * len(texts)
    return f"{same}/{total}", f"{agreed}/{total}", median(times) * 1e6


@contextmanager
def _made(connection: sqlite3.Connection, number: int) -> Iterator[None]:
    table, columns = CANDIDATES[number]
    connection.execute(f"CREATE INDEX candidate ON {table} ({', '.join(columns)})")
    connection.execute("ANALYZE candidate")
    try:
        yield
    finally:
        connection.execute("DROP INDEX candidate")
        connection.execute("ANALYZE sqlite_schema")
