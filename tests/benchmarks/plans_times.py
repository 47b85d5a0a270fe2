"""What a lab costs: to make, to add candidates to, to switch them, and to ask."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing
from statistics import median
from typing import Self

import psycopg
from plans_databases import Populated, fetcher
from plans_rungs import RUNGS, lab_of
from plans_tables import print_table
from plans_tpch_queries import Query
from plans_tpch_schema import CANDIDATES

from pytest_dbguard.databases.base import Server
from pytest_dbguard.databases.connection_string import connection_string
from pytest_dbguard.planning.lab.base import IndexSpec, Lab, Rung
from pytest_dbguard.planning.lab.sqlite_lab import SqliteLab
from pytest_dbguard.planning.statistics.completion import completed
from pytest_dbguard.planning.statistics.model import Statistics
from pytest_dbguard.schema.catalog import Catalog
from pytest_dbguard.schema.postgres_reflection import reflect_postgres
from pytest_dbguard.schema.sqlite_reflection import reflect_sqlite

TABLES = 50
HEAD = ("schema", "lab", "made", "31 added", "switched", "resized", "explained")


def measure(source: Populated, queries: Sequence[Query]) -> None:
    """Print times in milliseconds for TPC-H on each rung, and for a schema of fifty tables."""
    indexes = [IndexSpec("public", table, columns, columns) for table, columns in CANDIDATES]
    texts = [query.literal(0) for query in queries]
    rows = []
    for rung in RUNGS:
        with _Timed(lambda rung=rung: lab_of(rung, source.server, source.catalog, source.full)) as timed:
            rows.append(("TPC-H", str(rung), *timed.row(indexes, "lineitem", texts)))
    catalog = _fifty(source.server)
    statistics = completed(Statistics(), catalog)
    with _Timed(lambda: lab_of(Rung.FORGED, source.server, catalog, statistics)) as timed:
        rows.append((f"{TABLES} tables", "forged", *timed.row(_specs("public"), "t1", list(_texts("$1")))))
    title = f"Milliseconds on PostgreSQL {source.server.version}"
    print_table(title, HEAD, rows)


def measure_sqlite() -> None:
    """Print times in milliseconds of SQLite's lab for a schema of fifty tables."""
    connection = sqlite3.connect(":memory:")
    for statement in _statements():
        connection.execute(statement)
    catalog = reflect_sqlite(lambda sql: connection.execute(sql).fetchall())
    statistics = completed(Statistics(), catalog)
    with _Timed(lambda: closing(SqliteLab(catalog, statistics))) as timed:
        row = (f"{TABLES} tables", "sqlite", *timed.row(_specs(""), "t1", list(_texts("?"))))
    print_table(f"Milliseconds on SQLite {sqlite3.sqlite_version}", HEAD, [row])


class _Timed:
    """A lab, and how long it took to make it."""

    def __init__(self, opened: Callable[[], AbstractContextManager[Lab]]) -> None:
        self._opened = opened

    def __enter__(self) -> Self:
        begun = time.perf_counter()
        self._manager = self._opened()
        self.lab = self._manager.__enter__()
        self.made_ms = (time.perf_counter() - begun) * 1000
        return self

    def __exit__(self, *_error: object) -> None:
        self._manager.__exit__(None, None, None)

    def row(self, specs: Sequence[IndexSpec], table: str, texts: Sequence[str]) -> tuple[str, ...]:
        """Return the cells of a row, the median of several where an answer is quick."""
        lab = self.lab
        begun = time.perf_counter()
        names = [name for name in lab.add(specs) if name]
        added = (time.perf_counter() - begun) * 1000
        assert len(names) == len(specs)
        lab.explain(texts[0])
        switched = [_ms(lambda name=name: _switch(lab, name)) for name in names]
        resized = [_ms(lambda rows=rows: _resize(lab, table, rows)) for rows in (1000, 10_000, 100_000)]
        lab.explain(texts[0])
        explained = [_ms(lambda text=text: lab.explain(text)) for text in texts]
        cells = (self.made_ms, added, median(switched), median(resized), median(explained))
        return tuple(f"{cell:.1f}" for cell in cells)


def _switch(lab: Lab, name: str) -> None:
    with lab.visible(shown=[name]):
        pass


def _resize(lab: Lab, table: str, rows: float) -> None:
    with lab.at_rows(table, rows):
        pass


def _ms(call: Callable[[], object]) -> float:
    begun = time.perf_counter()
    call()
    return (time.perf_counter() - begun) * 1000


def _fifty(server: Server) -> Catalog:
    with psycopg.connect(connection_string(server.url), autocommit=True) as connection:
        connection.execute("CREATE DATABASE fifty")
    with psycopg.connect(connection_string(server.url.set(database="fifty")), autocommit=True) as connection:
        for statement in _statements():
            connection.execute(statement)
        return reflect_postgres(fetcher(connection))


def _statements() -> Iterator[str]:
    for number in range(1, TABLES + 1):
        parent = f"REFERENCES t{number - 1} (id)" if number > 1 else ""
        yield f"""CREATE TABLE t{number} (id integer PRIMARY KEY, parent integer {parent}, name varchar(40) NOT NULL,
            code varchar(12) UNIQUE, state varchar(8), at timestamp, amount numeric(10, 2))"""
        yield f"CREATE INDEX ix_t{number}_at ON t{number} (at)"


def _specs(schema: str) -> list[IndexSpec]:
    return [IndexSpec(schema, f"t{number}", ("parent",), ("parent",)) for number in range(1, len(CANDIDATES) + 1)]


def _texts(mark: str) -> Iterator[str]:
    for number in range(2, TABLES + 1):
        other = number - 1
        yield f"SELECT * FROM t{number} JOIN t{other} ON t{other}.id = t{number}.parent WHERE t{number}.name = {mark}"
