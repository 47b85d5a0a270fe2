"""What must be there before PostgreSQL's tables, such as types and functions, and what comes after them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pytest_dbguard.schema import postgres_object_queries as queries
from pytest_dbguard.schema.fetching import Fetch, fetched_json
from pytest_dbguard.schema.postgres_types import Types
from pytest_dbguard.schema.quoting import literal, quoted

_Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Dependencies:
    """What needs what, by numbers: `on` leads from an object to what it needs, extensions by theirs."""

    on: Mapping[int, Collection[int]]
    member_of: Mapping[int, str]

    def extension(self, number: int) -> str:
        """Return the name of an extension that an object needs, the first in order; "" where it needs none."""
        return min((self.member_of[on] for on in self.on.get(number, ()) if on in self.member_of), default="")


@dataclass(frozen=True, slots=True)
class Objects:
    """All that is no relation."""

    schemas: tuple[str, ...]
    extensions: tuple[_Row, ...]
    collations: tuple[_Row, ...]
    search_configurations: tuple[_Row, ...]
    sequences: tuple[_Row, ...]
    functions: tuple[_Row, ...]
    types: Types
    dependencies: Dependencies


def read_objects(fetch: Fetch) -> Objects:
    """Read all that is no relation."""

    def rows(sql: str) -> tuple[_Row, ...]:
        return tuple(fetched_json(fetch, sql) or ())

    extensions = rows(queries.EXTENSIONS)
    types = Types.read(rows(queries.TYPES))
    return Objects(
        tuple(row["name"] for row in rows(queries.SCHEMAS)),
        extensions,
        rows(queries.COLLATIONS),
        rows(queries.SEARCH_CONFIGURATIONS),
        rows(queries.SEQUENCES),
        rows(queries.FUNCTIONS),
        types,
        _dependencies(rows(queries.DEPENDENCIES), {row["oid"]: row["name"] for row in extensions}),
    )


def _dependencies(rows: Iterable[_Row], extensions: Mapping[int, str]) -> Dependencies:
    on: dict[int, set[int]] = defaultdict(set)
    member_of: dict[int, str] = {}
    for row in rows:
        if row["kind"] == "e":
            member_of[row["by"]] = extensions.get(row["on"], "")
        else:
            on[row["by"]].add(row["on"])
    return Dependencies(on, member_of)


@dataclass(frozen=True, slots=True)
class _Made:
    """One object that is made by a statement."""

    number: int
    name: str
    sql: str


def preludes(objects: Objects, relations: Mapping[int, _Row]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the statements that run before the tables are made, and those that need the tables."""
    first = [
        *(f"CREATE SCHEMA IF NOT EXISTS {quoted(name)}" for name in sorted(objects.schemas) if name != "public"),
        *sorted(_extension(row) for row in objects.extensions),
        *sorted(_collation(row) for row in objects.collations),
        # What it makes of words does not change a plan.
        *(
            f"CREATE TEXT SEARCH CONFIGURATION {name} (COPY = pg_catalog.simple)"
            for name in sorted(row["name"] for row in objects.search_configurations)
        ),
    ]
    made = [
        *_sequences(objects.sequences),
        *(item for row in objects.types.of_users() for item in _type(row)),
        *_functions(objects.functions),
    ]
    before, afterwards = _ordered(made, _needs(objects, relations), {row["row_type"] for row in relations.values()})
    return (*first, *before), afterwards


def _needs(objects: Objects, relations: Mapping[int, _Row]) -> Callable[[int], set[int]]:
    """Return what tells what an object needs: elements for arrays, composite types for their relations."""
    composites = {row["relation"]: row["oid"] for row in objects.types.of_users() if row["relation"] is not None}
    inside = {number: relation for relation, number in composites.items()}
    row_types = {number: row["row_type"] for number, row in relations.items()}

    def needs(number: int) -> set[int]:
        found = objects.dependencies.on.get(number, set())
        within = objects.dependencies.on.get(inside.get(number, 0), set())
        mapped = {objects.types.element(on) for on in (*found, *within)}
        return {row_types.get(on, composites.get(on, on)) for on in mapped} - {number}

    return needs


def _ordered(
    made: Iterable[_Made], needs: Callable[[int], set[int]], tables: Collection[int]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the statements, each after what it needs, else by name; those that need tables apart."""
    waiting = sorted(made, key=lambda item: item.name)
    late: set[int] = set()
    before: list[str] = []
    afterwards: list[str] = []
    while waiting:
        open_numbers = {item.number for item in waiting}
        # What needs itself in a circle comes in the order of names, rather than never.
        ready = [item for item in waiting if not needs(item.number) & open_numbers] or waiting[:1]
        for item in ready:
            is_late = any(on in tables or on in late for on in needs(item.number))
            if is_late:
                late.add(item.number)
            (afterwards if is_late else before).append(item.sql)
        numbers = {item.number for item in ready}
        waiting = [item for item in waiting if item.number not in numbers]
    return tuple(before), tuple(afterwards)


def _extension(row: _Row) -> str:
    name = quoted(row["name"])
    return f"CREATE EXTENSION IF NOT EXISTS {name} WITH SCHEMA {quoted(row['schema'])} CASCADE"


def _collation(row: _Row) -> str:
    of = row["row"]
    provider = {"i": "icu", "b": "builtin"}.get(of["collprovider"], "libc")
    locale = of.get("colllocale") or of.get("colliculocale") or (of["collcollate"] if provider != "libc" else None)
    parts = [f"provider = {provider}"]
    if locale is not None:
        parts.append(f"locale = {literal(locale)}")
    else:
        parts += [f"lc_collate = {literal(of['collcollate'])}", f"lc_ctype = {literal(of['collctype'])}"]
    if not of["collisdeterministic"]:
        parts.append("deterministic = false")
    if rules := of.get("collicurules"):
        parts.append(f"rules = {literal(rules)}")
    return f"CREATE COLLATION {row['name']} ({', '.join(parts)})"


def _sequences(rows: Iterable[_Row]) -> Iterator[_Made]:
    for row in rows:
        yield _Made(row["oid"], row["name"], f"CREATE SEQUENCE {row['name']} AS {row['type']}")


def _type(row: _Row) -> Iterator[_Made]:
    name, number = row["name"], row["oid"]
    if row["kind"] == "e":
        yield _Made(number, name, f"CREATE TYPE {name} AS ENUM ({', '.join(map(literal, row['labels'] or ()))})")
    elif row["kind"] == "c":
        columns = ", ".join(f"{quoted(column)} {kind}" for column, kind in row["columns"] or ())
        yield _Made(number, name, f"CREATE TYPE {name} AS ({columns})")
    elif row["kind"] == "r":
        more = f", multirange_type_name = {row['multirange']}" if row["multirange"] else ""
        yield _Made(number, name, f"CREATE TYPE {name} AS RANGE (subtype = {row['subtype']}{more})")
    elif row["kind"] == "d":
        yield _Made(number, name, _domain(row))


def _domain(row: _Row) -> str:
    parts = [f"CREATE DOMAIN {row['name']} AS {row['base_name']}"]
    if row["collation"]:
        parts.append(f"COLLATE {row['collation']}")
    if row["default"] is not None:
        parts.append(f"DEFAULT {row['default']}")
    if row["is_not_null"]:
        parts.append("NOT NULL")
    return " ".join([*parts, *(row["checks"] or ())])


def _functions(rows: Iterable[_Row]) -> Iterator[_Made]:
    for row in rows:
        if row["ddl"] is not None:
            yield _Made(row["oid"], row["name"], row["ddl"].strip())
        elif row["aggregate_kind"] == "n":
            yield _Made(row["oid"], row["name"], _aggregate(row))


def _aggregate(row: _Row) -> str:
    parts = [f"sfunc = {row['state_function']}", f"stype = {row['state_type']}"]
    if row["final_function"]:
        parts.append(f"finalfunc = {row['final_function']}")
    if row["initial"] is not None:
        parts.append(f"initcond = {literal(row['initial'])}")
    return f"CREATE AGGREGATE {row['name'].replace('()', '(*)')} ({', '.join(parts)})"
