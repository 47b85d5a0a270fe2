"""Reads the catalog of a PostgreSQL database."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pytest_dbguard.schema import postgres_queries as queries
from pytest_dbguard.schema.catalog import (
    Catalog,
    Check,
    Collation,
    Column,
    Dialect,
    ExtendedStatistics,
    ForeignKey,
    Index,
    IndexKey,
    RelationKind,
    Table,
)
from pytest_dbguard.schema.fetching import Fetch, fetched_json
from pytest_dbguard.schema.postgres_prelude import Dependencies, preludes, read_objects
from pytest_dbguard.schema.postgres_types import Types
from pytest_dbguard.schema.quoting import qualified, quoted

_Row = Mapping[str, Any]
_KINDS: Final = {"r": RelationKind.TABLE, "p": RelationKind.PARTITIONED, "v": RelationKind.VIEW}
_OTHER_KINDS: Final = {"m": RelationKind.MATERIALIZED, "f": RelationKind.FOREIGN}
_STATISTICS: Final = {"d": "ndistinct", "f": "dependencies", "m": "mcv", "e": "expressions"}
_PROVIDERS: Final = {"c": "libc", "i": "icu", "b": "builtin"}
_DESCENDING, _NULLS_FIRST = 1, 2
_ON_ONLY: Final = re.compile(r'^(CREATE (?:UNIQUE )?INDEX (?:"(?:[^"]|"")+"|\S+) ON) ONLY ')


def reflect_postgres(fetch: Fetch) -> Catalog:
    """Read all schemas of users. Changes nothing, also not in a transaction that is open.

    Schemas, tables and types that belong to extensions are left out, and so are temporary tables. Texts of
    expressions, types and statements are written as for the search path `public`, whatever the session's is.
    """
    server = fetched_json(fetch, queries.SERVER)
    objects = read_objects(fetch)
    reading = _Reading.of(fetch, server["number"] // 10_000, objects.types, objects.dependencies)
    before, afterwards = preludes(objects, reading.relations)
    return Catalog(
        Dialect.POSTGRESQL,
        version=server["version"].split()[0],
        tables=tuple(sorted(reading.tables(), key=lambda table: (table.schema, table.name))),
        collation=_database_collation(server["database"]),
        search_path=tuple(name for name in server["path"] if not name.startswith("pg_temp_")),
        prelude=before,
        afterwards=afterwards,
    )


def _database_collation(database: _Row) -> Collation:
    provider = _PROVIDERS[database.get("datlocprovider", "c")]
    locale = database.get("datlocale") or database.get("daticulocale")
    return Collation(provider, database["datcollate"] if provider == "libc" else locale or "")


def _by_relation(rows: Iterable[_Row]) -> dict[int, list[_Row]]:
    found: dict[int, list[_Row]] = defaultdict(list)
    for row in rows:
        found[row["relation"]].append(row)
    return found


@dataclass(frozen=True, slots=True)
class _Reading:
    """All rows of the catalogs, by the number of the relation they belong to."""

    relations: Mapping[int, _Row]
    columns: Mapping[int, list[_Row]]
    indexes: Mapping[int, list[_Row]]
    constraints: Mapping[int, list[_Row]]
    statistics: Mapping[int, list[_Row]]
    types: Types
    dependencies: Dependencies

    @classmethod
    def of(cls, fetch: Fetch, major: int, types: Types, dependencies: Dependencies) -> _Reading:
        def rows(sql: str) -> list[_Row]:
            return fetched_json(fetch, sql) or []

        return cls(
            {row["oid"]: row for row in rows(queries.RELATIONS)},
            _by_relation(rows(queries.COLUMNS)),
            _by_relation(rows(queries.index_query(major))),
            _by_relation(rows(queries.CONSTRAINTS)),
            _by_relation(rows(queries.STATISTICS)),
            types,
            dependencies,
        )

    def tables(self) -> Iterable[Table]:
        return (self._table(row) for row in self.relations.values())

    def _table(self, row: _Row) -> Table:
        number = row["oid"]
        rows = sorted(self.columns.get(number, ()), key=lambda column: column["number"])
        indexes = tuple(sorted(self._indexes(row), key=lambda index: index.name))
        primary = next((index for index in indexes if index.is_primary), None)
        parents = tuple(self._label(parent) for parent in row["parents"] or () if parent in self.relations)
        reads = {on for on in self.dependencies.on.get(number, ()) if on in self.relations} if row["view"] else ()
        return Table(
            row["schema"],
            row["name"],
            RelationKind.PARTITION if row["is_partition"] and row["kind"] == "r" else _kind(row["kind"]),
            tuple(self._column(column) for column in rows),
            primary_key=tuple(key.column or "" for key in primary.keys) if primary else (),
            indexes=indexes,
            foreign_keys=tuple(sorted(self._foreign_keys(number), key=lambda key: (key.name, key.columns))),
            checks=tuple(sorted(self._checks(number), key=lambda check: check.name)),
            statistics=tuple(sorted(self._statistics(number), key=lambda statistics: statistics.name)),
            partition_key=row["key"] or "",
            partition_of=parents[0] if row["is_partition"] and parents else None,
            partition_bound=row["bound"] or "",
            view=(row["view"] or "").strip().removesuffix(";"),
            options=tuple(sorted(row["options"] or ())),
            is_unlogged=row["is_unlogged"],
            parents=() if row["is_partition"] else parents,
            reads=tuple(sorted(self._label(number) for number in reads)),
        )

    def _label(self, number: int) -> tuple[str, str]:
        row = self.relations[number]
        return row["schema"], row["name"]

    def _column(self, row: _Row) -> Column:
        kind = self.types.facts(row["type_oid"])
        return Column(
            row["name"],
            row["type"],
            nullable=not row["is_not_null"],
            collation=row["collation"] or "",
            default=row["default"] or "",
            is_generated=bool(row["generated"]),
            is_identity=bool(row["identity"]),
            labels=kind.labels,
            base_type=kind.base,
            is_virtual=row["generated"] == "v",
            extension=kind.extension,
        )

    def _indexes(self, relation: _Row) -> Iterable[Index]:
        place = qualified(relation["schema"], relation["name"])
        for row in self.indexes.get(relation["oid"], ()):
            constraint = f"ALTER TABLE {place} ADD CONSTRAINT {quoted(row['name'])} {row['constraint_ddl']}"
            yield Index(
                row["name"],
                tuple(_index_key(key) for key in row["keys"]),
                method=row["method"],
                is_unique=row["is_unique"],
                is_primary=row["is_primary"],
                is_constraint=row["constraint"] is not None,
                include=tuple(row["include"] or ()),
                predicate=row["predicate"] or "",
                nulls_distinct=not row["nulls_not_distinct"],
                is_valid=row["is_valid"],
                ddl=constraint if row["constraint"] else _ON_ONLY.sub(r"\1 ", row["ddl"]),
                extension=self.dependencies.extension(row["oid"]),
            )

    def _foreign_keys(self, relation: int) -> Iterable[ForeignKey]:
        for row in self.constraints.get(relation, ()):
            if row["kind"] == "f" and row["referred"] in self.relations:
                actions = queries.ACTIONS[row["on_delete"]], queries.ACTIONS[row["on_update"]]
                columns, referred = tuple(row["columns"]), tuple(row["referred_columns"])
                yield ForeignKey(row["name"], columns, *self._label(row["referred"]), referred, *actions)

    def _checks(self, relation: int) -> Iterable[Check]:
        for row in self.constraints.get(relation, ()):
            if row["kind"] == "c":
                yield Check(row["name"], row["expression"], row["is_valid"], row["is_inherited"])

    def _statistics(self, relation: int) -> Iterable[ExtendedStatistics]:
        for row in self.statistics.get(relation, ()):
            kinds = tuple(sorted(_STATISTICS.get(kind, kind) for kind in row["kinds"]))
            yield ExtendedStatistics(row["name"], kinds, tuple(row["columns"] or ()), row["ddl"])


def _kind(letter: str) -> RelationKind:
    return _KINDS.get(letter) or _OTHER_KINDS[letter]


def _index_key(row: _Row) -> IndexKey:
    return IndexKey(
        row["column"] if row["expression"] is None else None,
        expression=row["expression"] or "",
        collation=row["collation"] or "",
        operator_class=row["operator_class"] or "",
        descending=bool((row["option"] or 0) & _DESCENDING),
        nulls_first=bool((row["option"] or 0) & _NULLS_FIRST),
    )
