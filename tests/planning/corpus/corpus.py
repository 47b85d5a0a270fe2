"""Loads the labelled statements: each as SQLAlchemy sends it to each database, with what is to be said of it."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import MappingProxyType

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import psycopg

from pytest_dbguard.planning.statistics.completion import completed
from pytest_dbguard.planning.statistics.model import Statistics
from pytest_dbguard.planning.workload import Exemplar
from pytest_dbguard.schema.catalog import Catalog, Dialect
from pytest_dbguard.schema.metadata import catalog_of_metadata

HERE = Path(__file__).parent
SCHEMAS = ("shop", "desk")
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

    @property
    def label(self) -> str:
        return f"{self.schema}-{self.dialect.value}-{self.name}".replace(" ", "_")


def cases() -> Iterator[Case]:
    """Yield each statement on each database."""
    for schema in SCHEMAS:
        names = _names(schema)
        for each in tomllib.loads((HERE / f"{schema}.toml").read_text())["case"]:
            for dialect in DIALECTS:
                if each.get("only", dialect.value) == dialect.value:
                    expect = frozenset(each.get(dialect.value, each.get("expect", ())))
                    static = frozenset(each.get(f"static_{dialect.value}", each.get("static", expect)))
                    exemplar = _exemplar(eval(each["code"], names), dialect)
                    yield Case(schema, each["name"], dialect, exemplar, expect, static)


def catalog(schema: str, dialect: Dialect) -> Catalog:
    """Return the catalog of one of the schemas."""
    return catalog_of_metadata(_module(schema).Base.metadata, dialect)


def statistics(schema_catalog: Catalog) -> Statistics:
    """Return what is assumed where nobody tells any sizes."""
    return completed(Statistics(), schema_catalog)


def metadata(schema: str) -> sa.MetaData:
    """Return the tables of one of the schemas."""
    return _module(schema).Base.metadata


def _module(schema: str):
    return import_module(f"tests.planning.corpus.{schema}_models")


def _names(schema: str) -> dict[str, object]:
    names: dict[str, object] = {}
    for module in (sa, orm, _module(schema)):
        names |= {name: getattr(module, name) for name in dir(module) if not name.startswith("_")}
    return names | {"dt": dt, "day": dt.datetime(2026, 3, 1), "later": dt.datetime(2026, 3, 2)}


def _exemplar(statement, dialect: Dialect) -> Exemplar:
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
