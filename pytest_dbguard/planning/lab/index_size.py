"""Computes what tables and indexes weigh from widths and distinct values, as PostgreSQL would store them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from pytest_dbguard.planning.lab.base import IndexSize, IndexSpec
from pytest_dbguard.planning.lab.column_widths import may_be_null, row_bytes, varying_width
from pytest_dbguard.planning.lab.distinct_values import Key, distinct_among, distinct_keys, index_keys
from pytest_dbguard.planning.lab.predicate_share import predicate_share
from pytest_dbguard.planning.statistics.model import TableStatistics
from pytest_dbguard.schema.catalog import Catalog, Column, Index, Table

_PAGE = 8192
_FILLFACTOR = re.compile(r"fillfactor\s*=\s*'?(\d+)", re.IGNORECASE)
_HEAP_SPACE = _PAGE - 24
_TREE_SPACE = _PAGE - 24 - 16
_LINE_POINTER = 4
_INNER_FILL = 70
# an entry of many rows with one key, as they are made when an index is built: at most a tenth of a page
_POSTING_LIMIT = (_PAGE // 10 // 8 * 8 - _LINE_POINTER) // 8 * 8
_ROW_POINTER = 6
# lengths of texts about their mean: alignment makes steps of them
_SPREAD = (-0.25, -0.125, 0.0, 0.125, 0.25)
# rows of one value from which their spread makes no difference, and shares of values that are left out
_MANY_ROWS = 32
_RARE = 1e-4
# a share of rows without a value below which they make no difference
_FEW_NULLS = 0.1
# types whose equal values may look different, so that one entry cannot stand for both
_NO_SHARED_ENTRY = re.compile(
    r"numeric|real|double precision|float|jsonb|interval|range|record|\[\]$|tsvector|hstore|citext"
)


def heap_pages(statistics: TableStatistics, catalog: Catalog) -> int:
    """Return the pages of 8 192 bytes of a table: as the statistics tell, else from the widths of its columns."""
    if statistics.pages or statistics.rows <= 0:
        return statistics.pages
    table = catalog.table(statistics.name, statistics.schema)
    if table is None:
        return 1
    nulls = may_be_null((column.name for column in table.columns), statistics, table)
    header = 24.0 if not nulls else _aligned(23 + math.ceil(len(table.columns) / 8))
    stored = [column for column in table.columns if not column.is_virtual]
    size = _aligned(header + row_bytes(stored, statistics)) + _LINE_POINTER
    fill = _fillfactor(" ".join(table.options), 100)
    return max(math.ceil(statistics.rows / max(_HEAP_SPACE * fill // size, 1)), 1)


def index_size(
    statistics: TableStatistics,
    index: IndexSpec | Index,
    catalog: Catalog,
    *,
    major: int,
    rows: float | None = None,
) -> IndexSize:
    """Return the size of an index of that table, whether it exists or not.

    B-trees are computed as they are after they were built: the entries, those that share a key, and the levels above.
    Other methods are estimated to the order of magnitude.

    Args:
        statistics: Of the table, completed.
        index: The index.
        catalog: With the table's columns.
        major: Of the PostgreSQL server.
        rows: Entries, where they are known for a partial index; else they are estimated from its predicate.
    """
    table = catalog.table(statistics.name, statistics.schema) or Table(statistics.schema, statistics.name)
    if rows is None:
        rows = statistics.rows * predicate_share(index.predicate, table, statistics)
    if index.method == "btree":
        return _Tree(statistics, index, table, rows).size()
    return IndexSize(_other_pages(statistics, index, table, rows, heap_pages(statistics, catalog)), 0)


def tree_height(pages: int, statistics: TableStatistics, index: IndexSpec | Index, catalog: Catalog) -> int:
    """Return the levels above the leaves of a B-tree of so many pages."""
    table = catalog.table(statistics.name, statistics.schema) or Table(statistics.schema, statistics.name)
    tree = _Tree(statistics, index, table, statistics.rows)
    leaves = max(math.floor((pages - 1) * (1 - 1 / tree.fan_out)), 1)
    return tree.above(leaves)[1]


@dataclass(frozen=True)
class _Tree:
    """A B-tree that was just built. Without slots, so that what follows from its fields is computed once."""

    statistics: TableStatistics
    index: IndexSpec | Index
    table: Table
    rows: float

    @cached_property
    def keys(self) -> tuple[Key, ...]:
        return index_keys(self.index, self.table)

    @cached_property
    def key_columns(self) -> tuple[Column, ...]:
        """Columns of the keys; an expression weighs what the first column in it weighs."""
        unknown = Column("", "bigint")
        return tuple((self.table.column(key[0]) if key else None) or unknown for key in self.keys)

    @cached_property
    def included(self) -> tuple[Column, ...]:
        found = (self.table.column(name) for name in self.index.include)
        return tuple(column for column in found if column is not None)

    @cached_property
    def shares_entries(self) -> bool:
        """Whether rows with equal keys stand in one entry."""
        return not (
            self.index.is_unique
            or self.index.include
            or any(_NO_SHARED_ENTRY.search(column.type.lower()) for column in self.key_columns)
        )

    @cached_property
    def distinct(self) -> float:
        """Different keys among the entries."""
        return self._distinct(len(self.keys))

    def _distinct(self, width: int) -> float:
        distinct = distinct_keys(self.keys[:width], self.statistics, self.table, self.statistics.rows)
        return distinct_among(distinct, self.statistics.rows, self.rows)

    @cached_property
    def entry(self) -> float:
        """Bytes of an entry of one row, without its line pointer."""
        columns = (*self.key_columns, *self.included)
        nulls = may_be_null((column.name for column in columns), self.statistics, self.table)
        size = row_bytes(columns, self.statistics)
        even = sum(varying_width(column, self.statistics) for column in columns)
        spread = (even * share for share in _SPREAD) if even else (0.0,)
        sizes = [_aligned(8 + math.floor(size + more)) for more in spread]
        return sum(sizes) / len(sizes) + 8 * nulls

    @cached_property
    def fan_out(self) -> int:
        """Entries of an inner page: as many keys as tell two neighbours apart, or all and the place of the row."""
        entries = max(self._entries[0], 1.0)
        size, told_apart = 0.0, 0.0
        for width in range(1, len(self.keys) + 1):
            share = min(self._distinct(width) / entries, 1.0)
            size += max(share - told_apart, 0.0) * self._pivot(width)
            told_apart = max(share, told_apart)
        size += (1 - told_apart) * (self._pivot(len(self.keys)) + 8)
        return max(int((_TREE_SPACE - _free(_INNER_FILL)) // (size + _LINE_POINTER)), 2)

    def _pivot(self, width: int) -> float:
        return _aligned(8 + math.ceil(row_bytes(self.key_columns[:width], self.statistics)))

    def size(self) -> IndexSize:
        """Return its pages, the first one that describes it included."""
        if self.rows < 1:
            return IndexSize(1, 0)
        leaves = self._leaves()
        inner, height = self.above(leaves)
        return IndexSize(1 + leaves + inner, height)

    def above(self, leaves: int) -> tuple[int, int]:
        """Return the pages above so many leaves, and their levels."""
        pages, level, height = 0, leaves, 0
        while level > 1:
            level = math.ceil(level / self.fan_out)
            pages += level
            height += 1
        return pages, height

    def _leaves(self) -> int:
        """Return the pages of the lowest level."""
        entries, size = self._entries
        # the first line pointer is of the bound; the last entry of a page becomes the bound, without its rows
        space = _TREE_SPACE - _LINE_POINTER - _free(_fillfactor(getattr(self.index, "ddl", ""), 90))
        cut = max(size - _LINE_POINTER - self.entry, 0)
        fitting = min((space + cut) / size, (_TREE_SPACE - _LINE_POINTER - 8) / size - 1)
        return max(math.ceil(entries / max(math.floor(fitting) if self._is_even(size) else fitting, 1)), 1)

    def _is_even(self, size: float) -> bool:
        """Whether all entries are of one size: of one row each, or nearly all as large as they may be."""
        return size - _LINE_POINTER == self.entry or size > 0.97 * _POSTING_LIMIT

    @cached_property
    def _entries(self) -> tuple[float, float]:
        """Return how many entries there are, and their mean bytes with the line pointer."""
        single = self.entry
        if not self.shares_entries:
            return self.rows, single + _LINE_POINTER
        entries, size = 0.0, 0.0
        for rows, distinct in self._parts():
            for sharing, share in _sharing(rows / distinct, by_chance=len(self.keys) == 1):
                found, found_bytes = _of_key(sharing, single)
                entries += distinct * share * found
                size += distinct * share * found_bytes
        return entries, size / entries

    def _parts(self) -> Iterator[tuple[float, float]]:
        """Yield numbers of rows, and of the different keys among them.

        Rows without a value in a column count apart: most of them share the keys that the other columns make, however
        many values there are where there is one, as in `deleted_at`.
        """
        nulls, key = max((self._null_fraction(key), key) for key in self.keys)
        if len(self.keys) < 2 or nulls <= _FEW_NULLS or self.rows < self.statistics.rows:
            yield self.rows, self.distinct
            return
        others = [each for each in self.keys if each != key]
        distinct = distinct_keys(others, self.statistics, self.table, self.statistics.rows)
        for rows, most in ((self.rows * nulls, distinct), (self.rows * (1 - nulls), self.distinct)):
            if rows >= 1:
                yield rows, min(most, rows)

    def _null_fraction(self, key: Key) -> float:
        known = self.statistics.column(key[0]) if len(key) == 1 else None
        return known.null_fraction if known is not None else 0.0


def _sharing(mean: float, *, by_chance: bool) -> Iterator[tuple[int, float]]:
    """Yield how many rows share a key, and the share of the keys of which that holds.

    Rows find the values of one column by chance, as those of a foreign key do: a Poisson distribution without the
    values that no row has. What entries weigh is rounded up, so that their mean is not that of the mean value. The
    values of several columns are counted as if each came with each, and where many rows share a value the spread makes
    no difference: whole numbers beside the mean then.
    """
    if not (by_chance and 1 < mean < _MANY_ROWS):
        low = math.floor(mean)
        yield from ((low, 1 - (mean - low)), (low + 1, mean - low))
        return
    rate = mean
    for _ in range(60):
        rate = mean * -math.expm1(-rate)
    share, left = rate * math.exp(-rate) / -math.expm1(-rate), 1.0
    for sharing in range(1, 4 * _MANY_ROWS):
        yield sharing, share
        left -= share
        if sharing > mean and share < _RARE:
            break
        share *= rate / (sharing + 1)
    if left > 0:
        yield sharing + 1, left


def _of_key(sharing: int, single: float) -> tuple[int, float]:
    """Return the entries of a key that so many rows share, and the bytes of all of them with line pointers."""
    most = max(int((_POSTING_LIMIT - single) // _ROW_POINTER), 1)
    full, rest = divmod(sharing, most)
    size = full * (_aligned(single + _ROW_POINTER * most) + _LINE_POINTER)
    if rest:
        size += (single if rest == 1 else _aligned(single + _ROW_POINTER * rest)) + _LINE_POINTER
    return full + (rest > 0), size


def _other_pages(statistics: TableStatistics, index: IndexSpec | Index, table: Table, rows: float, heap: int) -> int:
    """Return the pages of an index that is no B-tree, to the order of magnitude."""
    columns = [table.column(key[0]) for key in index_keys(index, table) if key]
    width = row_bytes([column for column in columns if column is not None], statistics) or 8.0
    if index.method == "brin":
        return 3 + math.ceil(heap / 128 * (_aligned(8 + 2 * width) + _LINE_POINTER) / _TREE_SPACE)
    if index.method == "hash":
        return 3 + math.ceil(rows * (16 + _LINE_POINTER) / (_TREE_SPACE * 0.75))
    if index.method == "gin":
        # one posting for about each eight bytes of a value, packed into two bytes
        return 2 + math.ceil(rows * max(width / 8, 1) * 2 / _TREE_SPACE)
    return 1 + math.ceil(rows * (_aligned(8 + max(width, 16)) + _LINE_POINTER) / (_TREE_SPACE * 0.8))


def _fillfactor(text: str, default: int) -> float:
    """Return the share of a page that is filled when it is built."""
    found: Sequence[str] = _FILLFACTOR.findall(text)
    return (int(found[0]) if found else default) / 100


def _free(fill: float) -> int:
    """Return the bytes of a page that stay free at a fillfactor, given as a share or in per cent."""
    percent = fill if fill > 1 else fill * 100
    return int(_PAGE * (100 - percent) / 100)


def _aligned(size: float) -> float:
    return -(-size // 8) * 8
