"""Foreign keys whose own side has no index, so that a change of the referred row scans the referring table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from pytest_dbguard.planning.candidates.specs import named, plain_spec
from pytest_dbguard.planning.lab.base import IndexSpec
from pytest_dbguard.schema.catalog import Catalog, Dialect, ForeignKey, Index, RelationKind, Table

_STORED = (RelationKind.TABLE, RelationKind.PARTITIONED)


def unindexed_foreign_keys(catalog: Catalog) -> tuple[tuple[Table, ForeignKey, IndexSpec], ...]:
    """Return each foreign key that no index serves, with the index that would; by table, then columns."""
    found = [each for table in catalog.tables if _is_judged(table) for each in _of_table(table, catalog.dialect)]
    return tuple(sorted(found, key=lambda each: (each[0].schema, each[0].name, each[1].columns)))


def _is_judged(table: Table) -> bool:
    """Whether indexes can be put on a table by itself: partitions get those of their parent."""
    return table.kind in _STORED and table.partition_of is None and not table.is_temporary


def _of_table(table: Table, dialect: Dialect) -> Iterator[tuple[Table, ForeignKey, IndexSpec]]:
    uses = Counter(column for key in table.foreign_keys for column in set(key.columns))
    seen = set()
    for key in table.foreign_keys:
        if key.columns in seen or any(_serves(table, index, key, uses, dialect) for index in table.indexes):
            continue
        seen.add(key.columns)
        yield table, key, named(table, plain_spec(table, key.columns))


def _serves(table: Table, index: Index, key: ForeignKey, uses: Counter[str], dialect: Dialect) -> bool:
    """Whether an index finds the rows that refer to one: by all columns of the key in any order, or by its own one.

    A column that several keys share, such as a tenant's, finds the rows of all of them: it is not enough.
    """
    if not index.is_valid or not index.keys or not _holds_all(index, key):
        return False
    if index.method == "hash":
        return len(key.columns) == 1 and index.columns[0] == key.columns[0]
    if index.method not in ("btree", "gist", "brin"):
        return False
    lead = index.columns[: len(key.columns)]
    if set(lead) == set(key.columns):
        return not _is_collated(table, index, len(lead), dialect)
    return len(key.columns) > 1 and index.columns[0] in key.columns and uses[index.columns[0] or ""] == 1


def _holds_all(index: Index, key: ForeignKey) -> bool:
    """Whether an index holds all rows that refer to something."""
    if not index.predicate:
        return True
    said = index.predicate.replace("(", "").replace(")", "").replace('"', "").lower().strip()
    return said in {f"{column.lower()} is not null" for column in key.columns}


def _is_collated(table: Table, index: Index, size: int, dialect: Dialect) -> bool:
    """Whether SQLite cannot use an index since it sorts by another collation than its column."""
    if dialect is not Dialect.SQLITE:
        return False
    own = {column.name: column.collation.lower() for column in table.columns}
    return any(key.collation and key.collation.lower() != own.get(key.column or "", "") for key in index.keys[:size])
