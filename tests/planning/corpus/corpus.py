"""Loads the labelled statements: each as SQLAlchemy sends it to each database, with what is to be said of it."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from types import MappingProxyType

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import psycopg

from pytest_dbguard.planning.statistics.completion import completed
from pytest_dbguard.planning.statistics.model import Statistics
from pytest_dbguard.planning.statistics.scale import ScaleSettings, statistics_from_scale
from pytest_dbguard.planning.workload import Exemplar
from pytest_dbguard.schema.catalog import Catalog, Dialect
from pytest_dbguard.schema.metadata import catalog_of_metadata

HERE = Path(__file__).parent
SCHEMAS = ("shop", "desk")
JUDGED = ("DBG201", "DBG203", "DBG204", "DBG301", "DBG302", "DBG303", "DBG304")
"""Rules that judge the statements of a file that names no others."""

SCHEMA_RULES = ("DBG202", "DBG205", "DBG206")
"""Rules that judge keys and indexes, whichever statement uses them."""

PARTS = ("", "_joins", "_sizes")
"""Files of each schema; each is judged as a run of its own, so that none of them changes what is said of another."""

DIALECTS = {Dialect.SQLITE: sqlite.dialect(), Dialect.POSTGRESQL: psycopg.dialect()}


@dataclass(frozen=True, eq=False)
class Case:
    """One statement on one database.

    `expect` is the truth, a set of "DBG201 orders.city"; `static` what is said without a planner where that differs.
    """

    schema: str
    name: str
    dialect: Dialect
    exemplar: Exemplar
    expect: frozenset[str]
    static: frozenset[str]
    part: str = ""
    rules: tuple[str, ...] = JUDGED

    @property
    def label(self) -> str:
        return f"{self.schema}-{self.dialect.value}-{self.name}".replace(" ", "_")


def cases() -> Iterator[Case]:
    """Yield each statement on each database."""
    for schema in SCHEMAS:
        names = names_of(schema)
        for part in PARTS:
            document = _document(schema + part)
            rules = tuple(document.get("rules", JUDGED))
            for each in document["case"]:
                for dialect in DIALECTS:
                    if each.get("only", dialect.value) == dialect.value:
                        expect = frozenset(each.get(dialect.value, each.get("expect", ())))
                        static = frozenset(each.get(f"static_{dialect.value}", each.get("static", expect)))
                        exemplar = exemplar_of(eval(each["code"], names), dialect)
                        yield Case(schema, each["name"], dialect, exemplar, expect, static, part, rules)


def schema_case(schema: str, dialect: Dialect) -> Case:
    """Return what is to be said of the keys and indexes of a schema, as a case whose statement reads nothing."""
    labels = _document("schemas")[schema]
    expect = {
        f"{rule} {subject}"
        for rule in SCHEMA_RULES
        for subject in (*labels.get(rule, ()), *labels.get(dialect.value, {}).get(rule, ()))
    }
    nothing = exemplar_of("SELECT 1", dialect)
    return Case(schema, "keys and indexes", dialect, nothing, frozenset(expect), frozenset(), "", SCHEMA_RULES)


def lookups(schema: str, dialect: Dialect) -> list[Exemplar]:
    """Return a statement for each table, which reads it by its primary key: a run that uses all tables."""
    tables = metadata(schema).sorted_tables
    keys = [(table, next(iter(table.primary_key.columns))) for table in tables]
    return [
        exemplar_of(sa.select(table).where(key == ("x" if key.type.python_type is str else 1)), dialect)
        for table, key in keys
    ]


def catalog(schema: str, dialect: Dialect) -> Catalog:
    """Return the catalog of one of the schemas."""
    return catalog_of_metadata(_module(schema).Base.metadata, dialect)


def statistics(schema_catalog: Catalog, schema: str = "", part: str = "") -> Statistics:
    """Return what is assumed where nobody tells any sizes, or those that a part of the labels declares."""
    declared = _document(schema + part).get("scale") if part else None
    told = statistics_from_scale(ScaleSettings.of(declared)) if declared else Statistics()
    return completed(told, schema_catalog)


def metadata(schema: str) -> sa.MetaData:
    """Return the tables of one of the schemas."""
    return _module(schema).Base.metadata


@cache
def _document(name: str) -> dict:
    return tomllib.loads((HERE / f"{name}.toml").read_text())


def _module(schema: str):
    return import_module(f"tests.planning.corpus.{schema}_models")


def names_of(schema: str) -> dict[str, object]:
    """Return what the code of a labelled statement may name."""
    names: dict[str, object] = {}
    for module in (sa, orm, _module(schema)):
        names |= {name: getattr(module, name) for name in dir(module) if not name.startswith("_")}
    return names | {"dt": dt, "day": dt.datetime(2026, 3, 1), "later": dt.datetime(2026, 3, 2)}


def exemplar_of(statement, dialect: Dialect) -> Exemplar:
    """Return the text that a driver gets, and the values that a recorder keeps."""
    if isinstance(statement, str):
        statement = sa.text(statement)
    compiled = statement.compile(dialect=DIALECTS[dialect], compile_kwargs={"render_postcompile": True})
    parameters = compiled.params
    positions = compiled.positiontup if compiled.positiontup is not None else _order_of(compiled.string, parameters)
    values = {number: (_value(parameters.get(name)),) for number, name in enumerate(positions)}
    return Exemplar(
        compiled.string, "qmark" if compiled.positiontup is not None else "pyformat", MappingProxyType(values)
    )


def _order_of(text: str, parameters) -> list[str]:
    """Return the names of the parameters in the order of the text."""
    found = ((text.find(f"%({name})s", start), name) for name in parameters for start in _starts(text, f"%({name})s"))
    return [name for _, name in sorted(found)]


def _starts(text: str, what: str) -> Iterator[int]:
    start = text.find(what)
    while start >= 0:
        yield start
        start = text.find(what, start + 1)


def _value(value):
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)
