"""Small catalogs and facts, written by hand."""

from __future__ import annotations

from dataclasses import replace

from pytest_dbguard.schema.catalog import Catalog, Collation, Column, Dialect, Index, IndexKey, Table
from pytest_dbguard.sql.facts.model import Scan, StatementFacts, Term, TermKind


def column(name, type_name="integer", **more):
    return Column(name, type_name, **more)


def index(name, *keys, **more):
    """An index of columns by name, of expressions in parentheses, or of keys."""
    made = [_key(key) if isinstance(key, str) else key for key in keys]
    return Index(name, tuple(made), **more)


def _key(key):
    return IndexKey(None, key) if "(" in key else IndexKey(key)


def table(name, *columns, indexes=(), **more):
    """A table with a primary key on `id`."""
    own = (index(f"{name}_pkey", "id", is_unique=True, is_primary=True, is_constraint=True), *indexes)
    found = (column("id", nullable=False), *(column(c) if isinstance(c, str) else c for c in columns))
    return Table("public", name, columns=found, primary_key=("id",), indexes=own, **more)


def catalog(*tables, dialect=Dialect.POSTGRESQL, locale="en_US.UTF-8", **more):
    if dialect is Dialect.SQLITE:
        tables = tuple(replace(each, schema="") for each in tables)
    return Catalog(dialect, "18.1", tables, Collation("libc", locale), **more)


def equal(name, **more):
    return Term(
        name, TermKind.EQUAL, expression=more.pop("expression", name), operand=more.pop("operand", "parameter"), **more
    )


def term(name, kind, **more):
    return Term(name, kind, expression=more.pop("expression", name), operand=more.pop("operand", "parameter"), **more)


def facts(*scans, joins=(), verb="SELECT"):
    return StatementFacts(scans=scans, joins=joins, verb=verb, tables=tuple(scan.table for scan in scans))


def scan(name, *terms, alias="", **more):
    return Scan(alias or name, name, terms=terms, **more)
