"""Makes many statements of different shapes over the labelled schemas: the same ones every time."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from pytest_dbguard.planning.workload import Exemplar, Use, WorkloadStatement
from pytest_dbguard.schema.catalog import Catalog, Table
from pytest_dbguard.sql.shape import read_statement

PAGES = ("", " LIMIT 20", " LIMIT 20 OFFSET 40", " LIMIT $9 OFFSET $10")
AGGREGATES = ("count(*)", "max({0})", "count(DISTINCT {0})", "sum(length({0}))")


def different_shapes(catalog: Catalog, number: int) -> tuple[WorkloadStatement, ...]:
    """Return so many statements of PostgreSQL, each of a shape of its own."""
    random, found = Random(7), dict[str, WorkloadStatement]()
    use = (Use(None, 1, ()),)
    for text in _texts(catalog, random):
        read = read_statement(text)
        found.setdefault(read.shape.id, WorkloadStatement(read.shape, Exemplar(text, "numeric_dollar"), use, read.verb))
        if len(found) == number:
            break
    return tuple(found.values())


def _texts(catalog: Catalog, random: Random) -> Iterator[str]:
    while True:
        table = random.choice(catalog.tables)
        yield random.choice((_select, _select, _join, _join, _group, _subquery, _write))(catalog, table, random)


def _columns(table: Table, random: Random, most: int = 6) -> list[str]:
    names = [column.name for column in table.columns]
    return random.sample(names, random.randint(1, min(most, len(names))))


def _where(alias: str, table: Table, random: Random) -> str:
    terms = []
    for number, name in enumerate(_columns(table, random, 3), 1):
        how = random.choice(
            ("= ${0}", "> ${0}", "IN (${0}, $8)", "IS NULL", "<> ${0}", "LIKE '%abc%'", "BETWEEN ${0} AND $8")
        )
        terms.append(f"{alias}.{name} {how.format(number)}")
    return random.choice((" AND ", " AND ", " OR ")).join(terms)


def _select(_: Catalog, table: Table, random: Random) -> str:
    listed = random.choice(("*", ", ".join(f"a.{name}" for name in _columns(table, random))))
    order = f" ORDER BY a.{random.choice(table.columns).name}" if random.random() < 0.6 else ""
    page = random.choice(PAGES)
    return f"SELECT {listed} FROM {table.name} AS a WHERE {_where('a', table, random)}{order}{page}"


def _join(catalog: Catalog, table: Table, random: Random) -> str:
    key = random.choice(table.foreign_keys) if table.foreign_keys else None
    other = catalog.table(key.referred_table, key.referred_schema) if key is not None else None
    if key is None or other is None:
        return _select(catalog, table, random)
    kind = random.choice(("JOIN", "LEFT JOIN"))
    listed = [f"a.{name}" for name in _columns(table, random)] + [f"b.{name}" for name in _columns(other, random, 3)]
    on = " AND ".join(f"b.{theirs} = a.{own}" for own, theirs in zip(key.columns, key.referred_columns, strict=True))
    side, of = random.choice((("a", table), ("b", other)))
    head = f"SELECT {random.choice(('', 'DISTINCT '))}{', '.join(listed)} FROM {table.name} AS a"
    return f"{head} {kind} {other.name} AS b ON {on} WHERE {_where(side, of, random)}{random.choice(PAGES)}"


def _group(_: Catalog, table: Table, random: Random) -> str:
    by = ", ".join(f"a.{name}" for name in _columns(table, random, 3))
    value = random.choice(AGGREGATES).format(f"a.{random.choice(table.columns).name}")
    return f"SELECT {by}, {value} FROM {table.name} AS a WHERE {_where('a', table, random)} GROUP BY {by}"


def _subquery(catalog: Catalog, table: Table, random: Random) -> str:
    key = random.choice(table.foreign_keys) if table.foreign_keys else None
    other = catalog.table(key.referred_table, key.referred_schema) if key is not None else None
    if key is None or other is None:
        return _group(catalog, table, random)
    how = random.choice(("IN", "NOT IN"))
    inner = f"SELECT a.{key.columns[0]} FROM {table.name} AS a WHERE {_where('a', table, random)}"
    listed = ", ".join(f"b.{name}" for name in _columns(other, random))
    return f"SELECT {listed} FROM {other.name} AS b WHERE b.{key.referred_columns[0]} {how} ({inner})"


def _write(_: Catalog, table: Table, random: Random) -> str:
    if random.random() < 0.3:
        return f"DELETE FROM {table.name} AS a WHERE {_where('a', table, random)}"
    changed = ", ".join(f"{name} = $7" for name in _columns(table, random, 3))
    return f"UPDATE {table.name} AS a SET {changed} WHERE {_where('a', table, random)}"
