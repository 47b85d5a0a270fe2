"""How the schema that statistics were taken from differs from this one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pytest_dbguard.core.errors import nearest
from pytest_dbguard.schema.catalog import Catalog, Dialect, RelationKind, Table

_MOST_TABLES: Final = 10
_MOST_NAMES: Final = 5
_STORED: Final = (
    RelationKind.TABLE,
    RelationKind.PARTITIONED,
    RelationKind.PARTITION,
    RelationKind.MATERIALIZED,
)
# SQLite's names for the indexes behind constraints: they say only in which order those were written.
_NAMELESS: Final = "sqlite_autoindex_"


@dataclass(frozen=True, slots=True)
class Seen:
    """A table as a statistics file has it: names of columns and of indexes; () where the file tells none."""

    columns: Sequence[str] = ()
    indexes: Sequence[str] = ()


def drift(ours: Catalog, theirs: Mapping[tuple[str, str], Seen]) -> tuple[str, ...]:
    """Return what is missing on either side: few lines, with the nearest names; () where both agree.

    Args:
        ours: The schema of the tests.
        theirs: Tables of the file by schema ("" where it is not known) and name.
    """
    tables = [table for table in ours.tables if table.kind in _STORED]
    matches = [(table, _match(table, theirs, ours)) for table in tables]
    found = {key for _, key in matches if key is not None}
    missing = [table.label for table, key in matches if key is None]
    extra = [Table(*key).label for key in theirs if key not in found]
    differing = [
        line for table, key in matches if key is not None and (line := _differences(table, theirs[key], ours.dialect))
    ]
    more = len(differing) - _MOST_TABLES
    return (
        *_tables("not in the statistics", missing, extra),
        *_tables("only in the statistics", extra, missing),
        *differing[:_MOST_TABLES],
        *([f"{more} more {'table differs' if more == 1 else 'tables differ'}"] if more > 0 else []),
    )


def _match(table: Table, theirs: Iterable[tuple[str, str]], catalog: Catalog) -> tuple[str, str] | None:
    """Return the file's key of a table: of the same schema, else the only one of that name."""
    name = _folded(table.name, catalog.dialect)
    same = [key for key in theirs if _folded(key[1], catalog.dialect) == name]
    exact = next((key for key in same if key[0] == table.schema), None)
    namesakes = sum(_folded(each.name, catalog.dialect) == name for each in catalog.tables)
    return exact or (same[0] if len(same) == 1 and namesakes == 1 else None)


def _folded(name: str, dialect: Dialect) -> str:
    return name.lower() if dialect is Dialect.SQLITE else name


def _tables(what: str, names: Sequence[str], others: Sequence[str]) -> Iterator[str]:
    if names:
        yield f"{what}: {'table' if len(names) == 1 else 'tables'} {_listed(names, others)}"


def _listed(names: Sequence[str], others: Sequence[str]) -> str:
    """Return names with the nearest of what only the other side has, which tells what was renamed."""
    shown = [f"{name} (nearest: {other})" if (other := nearest(name, others)) else name for name in sorted(names)]
    more = len(shown) - _MOST_NAMES
    return ", ".join(shown[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def _differences(table: Table, seen: Seen, dialect: Dialect) -> str:
    columns = _sides("column", "columns", [column.name for column in table.columns], seen.columns, dialect)
    own = [index.name for index in table.indexes if index.is_valid]
    indexes = _sides("index", "indexes", _named(own), _named(seen.indexes), dialect)
    told = [*columns, *indexes]
    return f"{table.label}: {'; '.join(told)}" if told else ""


def _named(names: Iterable[str]) -> list[str]:
    return [name for name in names if name and not name.startswith(_NAMELESS)]


def _sides(one: str, many: str, ours: Sequence[str], theirs: Sequence[str], dialect: Dialect) -> Iterator[str]:
    if not theirs:
        return
    our_names, their_names = ({_folded(name, dialect): name for name in names} for names in (ours, theirs))
    missing = [name for folded, name in our_names.items() if folded not in their_names]
    extra = [name for folded, name in their_names.items() if folded not in our_names]
    for what, names, others in (("not in the statistics", missing, extra), ("only there", extra, missing)):
        if names:
            yield f"{one if len(names) == 1 else many} {_listed(names, others)} {what}"
