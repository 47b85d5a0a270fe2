"""Measures what the rules about plans get right: labelled statements, keys and indexes of two schemas.

python tests/benchmarks/plans_precision.py [--only static|sqlite|postgresql] [--misses]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import psycopg
import sqlalchemy as sa

from pytest_dbguard.databases.base import Server, StartOptions
from pytest_dbguard.databases.connection_string import connection_string
from pytest_dbguard.databases.registry import load_provider
from pytest_dbguard.planning.lab.base import Lab, LabError
from pytest_dbguard.planning.lab.registry import LabOptions, open_lab
from pytest_dbguard.planning.statistics.model import Statistics
from pytest_dbguard.schema.catalog import Catalog, Dialect
from pytest_dbguard.schema.postgres_reflection import reflect_postgres
from tests.benchmarks.plans_rungs import RUNGS, lab_of
from tests.planning.corpus.corpus import PARTS, SCHEMAS, Case, cases, catalog, metadata, schema_case, statistics
from tests.planning.corpus.verdicts import said, said_of_schema, scores

WIDTH = 80
SIZES = ("", "_sizes")
"""Parts by which tables are sized: those that nobody declares, and those that the labels of costs declare."""

Found = dict[Case, frozenset[str]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=("static", "sqlite", "postgresql"))
    parser.add_argument("--misses", action="store_true", help="name what is wrong and what is missing")
    options = parser.parse_args()
    found = tuple(cases())
    innocent = sum(not case.expect for case in found)
    print(f"{len(found)} statements, {innocent} of them innocent; costs at the sizes that the labels declare\n")
    for way, measure in WAYS.items():
        if options.only in (None, way):
            for title, verdicts, elapsed_s in measure(found):
                show(title, verdicts, elapsed_s, misses=options.misses)


def show(title: str, found: Mapping[Case, frozenset[str]], elapsed_s: float, *, misses: bool) -> None:
    """Print a table of one way."""
    print(f"{title}: {len(found)} statements in {elapsed_s:.1f} s"[:WIDTH])
    print(f"  {'rule':<8}{'right':>7}{'wrong':>7}{'missing':>9}{'precision':>11}{'recall':>8}")
    for rule, score in scores(found).items():
        counts = f"{score.right:>7}{len(score.wrong):>7}{len(score.missing):>9}"
        print(f"  {rule:<8}{counts}{score.precision:>11.1%}{score.recall:>8.1%}")
    if misses:
        whole = scores(found).get("all")
        for word, texts in (("wrong", whole.wrong), ("missing", whole.missing)) if whole else ():
            print("".join(f"  {word}: {text}\n" for text in texts), end="")
    print()


def static(found: Iterable[Case]) -> Iterator[tuple[str, Found, float]]:
    """Judge by reading only; costs need a planner."""
    for dialect in (Dialect.SQLITE, Dialect.POSTGRESQL):
        start, verdicts = time.perf_counter(), {}
        for schema in SCHEMAS:
            made = catalog(schema, dialect)
            verdicts |= by(None, "", of(found, schema, dialect), made, statistics(made))
        yield f"static, {dialect.value}", verdicts, time.perf_counter() - start


def sqlite(found: Iterable[Case]) -> Iterator[tuple[str, Found, float]]:
    """Judge by SQLite's planner."""
    start, verdicts = time.perf_counter(), {}
    for schema in SCHEMAS:
        made = catalog(schema, Dialect.SQLITE)
        for part in SIZES:
            choice = open_lab(made, statistics(made, schema, part), LabOptions())
            assert choice.lab is not None, choice.reason
            verdicts |= by(choice.lab, part, of(found, schema, Dialect.SQLITE), made, choice.lab.statistics)
            choice.lab.close()
    yield "SQLite's planner", verdicts, time.perf_counter() - start


def of(found: Iterable[Case], schema: str, dialect: Dialect) -> list[Case]:
    return [case for case in found if (case.schema, case.dialect) == (schema, dialect)]


def by(lab: Lab | None, sizes: str, found: list[Case], made: Catalog, known: Statistics) -> Found:
    """Judge the parts that have the sizes of this lab; keys and indexes at those that nobody declares."""
    if sizes:
        return said([case for case in found if case.part == sizes], made, known, lab)[0]
    of_default = [case for case in found if case.part not in SIZES[1:]]
    verdicts: Found = {}
    for part in PARTS:
        verdicts |= said([case for case in of_default if case.part == part], made, known, lab)[0]
    whole = schema_case(found[0].schema, found[0].dialect)
    return verdicts | {whole: said_of_schema(whole, of_default, made, known, lab)}


def postgresql(found: Iterable[Case]) -> Iterator[tuple[str, Found, float]]:
    """Judge by PostgreSQL's planner, on each rung of the ladder."""
    server = load_provider("postgres-embedded").launch(StartOptions()).ready()
    try:
        catalogs = {schema: reflected(server, schema) for schema in SCHEMAS}
        for rung in RUNGS:
            start, verdicts = time.perf_counter(), {}
            try:
                for (schema, made), part in product(catalogs.items(), SIZES):
                    with lab_of(rung, server, made, statistics(made, schema, part)) as lab:
                        verdicts |= by(lab, part, of(found, schema, Dialect.POSTGRESQL), made, lab.statistics)
            except LabError as error:
                print(f"PostgreSQL's planner, {rung.value}: {error}\n"[:WIDTH])
                continue
            yield f"PostgreSQL's planner, {rung.value}", verdicts, time.perf_counter() - start
    finally:
        server.close()


def reflected(server: Server, schema: str) -> Catalog:
    """Make the tables of a schema in a database of their own, and read its catalog."""
    with psycopg.connect(connection_string(server.url), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{schema}"')
    url = sa.engine.make_url(server.url).set(database=schema, drivername="postgresql+psycopg")
    engine = sa.create_engine(url)
    metadata(schema).create_all(engine)
    with engine.connect() as connection:
        made = reflect_postgres(lambda sql: connection.exec_driver_sql(sql.replace("%", "%%")).all())
    engine.dispose()
    return made


WAYS = {"static": static, "sqlite": sqlite, "postgresql": postgresql}

if __name__ == "__main__":
    main()
