"""Reads the catalog of a SQLite database."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from pytest_dbguard.schema.catalog import Catalog, Column, Dialect, ForeignKey, Index, IndexKey, RelationKind, Table
from pytest_dbguard.schema.fetching import Fetch, fetched_json, fetched_text
from pytest_dbguard.schema.quoting import literal
from pytest_dbguard.schema.sqlite_ddl import IndexText, TableText, read_index, read_table, read_view

_MASTER: Final = """
SELECT json_group_array(json_array(type, name, tbl_name, sql, place)) FROM (
  SELECT type, name, tbl_name, sql, 'main' AS place FROM sqlite_master
  UNION ALL SELECT type, name, tbl_name, sql, 'temp' FROM sqlite_temp_master
) WHERE tbl_name NOT LIKE 'sqlite^_%' ESCAPE '^'
"""
# Asked for one by one, views and virtual tables may fail: what they read, or their module, need not be there.
_STORED: Final = "m.type = 'table' AND m.sql NOT LIKE 'CREATE VIRTUAL %'"
# CROSS JOIN keeps the order: the functions on the right need what stands on the left.
_COLUMNS: Final = """
SELECT json_group_array(json_array('{place}', m.name, x.name, x.type, x."notnull", x.dflt_value, x.pk, x.hidden))
FROM {tables} AS m CROSS JOIN pragma_table_xinfo(m.name, '{place}') AS x WHERE {where}
"""
_INDEXES: Final = """
SELECT json_group_array(
  json_array('{place}', m.name, l.name, l."unique", l.origin, x.cid, x.name, x.desc, x.coll, x.key))
FROM {tables} AS m CROSS JOIN pragma_index_list(m.name, '{place}') AS l
CROSS JOIN pragma_index_xinfo(l.name, '{place}') AS x WHERE {where}
"""
_FOREIGN_KEYS: Final = """
SELECT json_group_array(
  json_array('{place}', m.name, f.id, f."table", f."from", f."to", f.on_delete, f.on_update))
FROM {tables} AS m CROSS JOIN pragma_foreign_key_list(m.name, '{place}') AS f WHERE {where}
"""
_MASTERS: Final = {"main": "sqlite_master", "temp": "sqlite_temp_master"}
_EXPRESSION: Final = -2
_VIRTUAL, _STORED_COLUMN = 2, 3
_IS_VIRTUAL: Final = re.compile(r"\s*CREATE\s+VIRTUAL\s", re.IGNORECASE)
# Tables in which the modules that come with SQLite keep what they hold.
_SHADOWS: Final = (
    *("data", "idx", "content", "docsize", "config"),
    *("segments", "segdir", "stat"),
    *("node", "rowid", "parent"),
)
# What SQLite keeps of the statements says nothing of where.
_TEMPORARY: Final = re.compile(r"^\s*(CREATE)\s+(?=TABLE|VIEW)", re.IGNORECASE)
_TEMPORARY_INDEX: Final = re.compile(r"^(\s*CREATE\s+(?:UNIQUE\s+)?INDEX)\s+", re.IGNORECASE)
_Place = tuple[str, str]


def reflect_sqlite(fetch: Fetch) -> Catalog:
    """Read the main database and the connection's temporary tables; attached databases are not read."""
    return _Reading.of(fetch).catalog(fetched_text(fetch, "SELECT sqlite_version()"))


def _grouped(fetch: Fetch, query: str, places: Iterable[str]) -> dict[_Place, list[Sequence[Any]]]:
    found: dict[_Place, list[Sequence[Any]]] = defaultdict(list)
    queries = [query.format(place=place, tables=_MASTERS[place], where=_STORED) for place in places]
    for place, name, *rest in (row for sql in queries for row in fetched_json(fetch, sql)):
        found[place, name].append(rest)
    return found


@dataclass(frozen=True, slots=True)
class _Reading:
    """All rows of the schema, by where it is (main or temp) and the name of the table."""

    master: Sequence[Sequence[Any]]
    columns: Mapping[_Place, list[Sequence[Any]]]
    indexes: Mapping[_Place, list[Sequence[Any]]]
    foreign_keys: Mapping[_Place, list[Sequence[Any]]]
    statements: Mapping[_Place, str]

    @classmethod
    def of(cls, fetch: Fetch) -> _Reading:
        master = fetched_json(fetch, _MASTER)
        places = sorted({row[-1] for row in master})
        columns = _grouped(fetch, _COLUMNS, places)
        for kind, name, _, sql, place in master:
            if kind == "view" or (kind == "table" and _IS_VIRTUAL.match(sql)):
                columns[place, name] = _columns_of_one(fetch, place, name)
        return cls(
            master,
            columns,
            _grouped(fetch, _INDEXES, places),
            _grouped(fetch, _FOREIGN_KEYS, places),
            {(place, name): sql for kind, name, _, sql, place in master if kind == "index" and sql},
        )

    def catalog(self, version: str) -> Catalog:
        tables = [self._table(*row) for row in self._tables()]
        names = {table.name.lower(): table for table in tables}
        resolved = (replace(table, foreign_keys=tuple(_resolved(table, names))) for table in tables)
        # A temporary table hides another one of the same name.
        ordered = sorted(resolved, key=lambda table: (table.name, not table.is_temporary))
        return Catalog(Dialect.SQLITE, version, tuple(ordered))

    def _tables(self) -> Iterator[tuple[str, str, str, str]]:
        virtual = [name for kind, name, _, sql, _ in self.master if kind == "table" and _IS_VIRTUAL.match(sql)]
        shadows = {f"{name}_{suffix}" for name in virtual for suffix in _SHADOWS}
        for kind, name, _, sql, place in self.master:
            if kind in ("table", "view") and name not in shadows:
                yield kind, name, _TEMPORARY.sub(r"\1 TEMP ", sql, count=1) if place == "temp" else sql, place

    def _table(self, kind: str, name: str, sql: str, place: str) -> Table:
        rows = self.columns.get((place, name), [])
        if kind == "view" or _IS_VIRTUAL.match(sql):
            columns = tuple(Column(row[0], row[1]) for row in rows)
            what = RelationKind.VIEW if kind == "view" else RelationKind.VIRTUAL
            view = read_view(sql) if kind == "view" else ""
            return Table("", name, what, columns, view=view, ddl=sql, is_temporary=place == "temp")
        text = read_table(sql)
        primary = tuple(row[0] for row in sorted(rows, key=lambda row: row[4]) if row[4])
        indexes = list(self._indexes(place, name, text))
        has_own_index = any(index.is_primary for index in indexes)
        if primary and not has_own_index:
            key = IndexKey(primary[0], nulls_first=True)
            indexes.append(Index("", (key,), is_unique=True, is_primary=True, is_constraint=True))
        never_null = set(primary) if text.is_without_rowid or not has_own_index else set()
        return Table(
            "",
            name,
            columns=tuple(_column(row, text, is_key=row[0] in never_null) for row in rows),
            primary_key=primary,
            indexes=tuple(sorted(indexes, key=lambda index: index.name)),
            foreign_keys=tuple(_foreign_keys(self.foreign_keys.get((place, name), ()))),
            checks=text.checks,
            options=("strict",) if text.is_strict else (),
            ddl=sql,
            is_without_rowid=text.is_without_rowid,
            is_temporary=place == "temp",
        )

    def _indexes(self, place: str, table: str, text: TableText) -> Iterator[Index]:
        rows: dict[str, list[Sequence[Any]]] = defaultdict(list)
        for row in self.indexes.get((place, table), ()):
            rows[row[0]].append(row[1:])
        for name, own in rows.items():
            sql = self.statements.get((place, name), "")
            written = read_index(sql) if sql else IndexText((), "")
            is_unique, origin, *_ = own[0]
            keys = [key for _, _, *key in own if key[-1]]
            yield Index(
                name,
                tuple(_index_key(key, number, text, written) for number, key in enumerate(keys)),
                is_unique=bool(is_unique),
                is_primary=origin == "pk",
                is_constraint=origin != "c",
                predicate=written.predicate,
                ddl=_TEMPORARY_INDEX.sub(r"\1 temp.", sql) if place == "temp" else sql,
            )


def _columns_of_one(fetch: Fetch, place: str, name: str) -> list[Sequence[Any]]:
    sql = _COLUMNS.format(place=place, tables=f"(SELECT {literal(name)} AS name)", where="x.hidden <> 1")
    try:
        rows = fetched_json(fetch, sql)
    except Exception:  # noqa: BLE001  each driver raises its own
        return []
    return [rest for _, _, *rest in rows]


def _column(row: Sequence[Any], text: TableText, *, is_key: bool) -> Column:
    name, kind, is_not_null, default, _, hidden = row
    is_generated = hidden in (_VIRTUAL, _STORED_COLUMN)
    return Column(
        name,
        kind,
        nullable=not (is_not_null or is_key),
        collation=_collation(text.collations.get(name, "")),
        default=text.generated.get(name, "") if is_generated else default or "",
        is_generated=is_generated,
        is_virtual=hidden == _VIRTUAL,
    )


def _collation(name: str) -> str:
    return "" if name.upper() == "BINARY" else name


def _index_key(row: Sequence[Any], number: int, text: TableText, written: IndexText) -> IndexKey:
    cid, name, descending, collation, _ = row
    own = text.collations.get(name or "", "BINARY")
    return IndexKey(
        None if cid == _EXPRESSION else name or "rowid",
        expression=written.keys[number] if cid == _EXPRESSION else "",
        collation="" if collation.upper() == own.upper() else collation,
        descending=bool(descending),
        # SQLite takes NULL for less than anything.
        nulls_first=not descending,
    )


def _foreign_keys(rows: Sequence[Sequence[Any]]) -> Iterator[ForeignKey]:
    found: dict[int, list[Sequence[Any]]] = defaultdict(list)
    for number, *rest in rows:
        found[number].append(rest)
    # SQLite lists the last one first.
    for number in sorted(found, reverse=True):
        table, _, _, on_delete, on_update = found[number][0]
        columns, referred = (tuple(row[place] for row in found[number]) for place in (1, 2))
        # Without columns it refers to the primary key.
        yield ForeignKey("", columns, "", table, () if None in referred else referred, on_delete, on_update)


def _resolved(table: Table, tables: Mapping[str, Table]) -> Iterator[ForeignKey]:
    for key in sorted(table.foreign_keys, key=lambda key: key.columns):
        referred = tables.get(key.referred_table.lower())
        if referred is None:
            yield key
            continue
        columns = key.referred_columns or referred.primary_key
        yield replace(key, referred_table=referred.name, referred_columns=columns)
