"""Gives tables and indexes of a lab the sizes that the planner is to see: files with holes, and B-trees' heights."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pytest_dbguard.planning.lab.btree_pages import btree_pages
from pytest_dbguard.planning.lab.relation_files import RelationFiles
from pytest_dbguard.planning.lab.relation_sizes import RelationSize

if TYPE_CHECKING:
    from psycopg import Connection

_RELATIONS: Final = """
    SELECT n.nspname, c.relname, pg_catalog.pg_relation_filepath(c.oid),
           pg_catalog.pg_relation_size(c.oid)
    FROM unnest(%s::text[], %s::text[]) AS wanted (place, name)
    JOIN pg_catalog.pg_namespace n ON n.nspname = wanted.place
    JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = wanted.name
    WHERE pg_catalog.pg_relation_filepath(c.oid) IS NOT NULL
"""
Name = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Layout:
    """How a server lays out its data: bytes a page, pages a file, and whether pages carry checksums."""

    page_size: int
    segment_pages: int
    has_checksums: bool


@dataclass(slots=True)
class _File:
    """What is known of the file of one relation."""

    path: str
    floor: int
    """Pages that it was made with."""
    pages: int
    """Pages that it has now."""
    height: int | None = None
    """Of the B-tree that is forged in it."""


def layout_of(connection: Connection) -> Layout:
    """Ask a server how it lays out its data."""
    row: Any = connection.execute(
        "SELECT current_setting('block_size')::int, current_setting('data_checksums')::bool, "
        "(SELECT setting::int FROM pg_catalog.pg_settings WHERE name = 'segment_size')"
    ).fetchone()
    return Layout(row[0], row[2], row[1])


class Forgery:
    """The files of one lab.

    The planner multiplies a table's density with the size of its file, and reads the height of a B-tree from its first
    page. So a hole makes an empty table as large as one likes, and a few pages an index as high. Nothing else of them
    is ever read by EXPLAIN.
    """

    def __init__(self, layout: Layout, *, heights: bool = True) -> None:
        """Without `heights` B-trees keep the height that they are made with."""
        self._layout = layout
        self._heights = heights
        self._files: dict[Name, _File] = {}

    def empty(self, connection: Connection, files: RelationFiles, tables: Sequence[Name]) -> None:
        """Make tables empty files again, so that an index can be made without reading all of their pages."""
        self._look(connection, tables)
        self._resize(files, {name: 0 for name in tables if name in self._files})

    def apply(self, connection: Connection, files: RelationFiles, sizes: Sequence[RelationSize]) -> list[Name]:
        """Give tables and indexes these sizes; return the indexes that were made anew, which shows hidden ones.

        The connection must not have been used before a size was changed last, and nobody who has seen the former
        sizes learns of the new ones: a backend remembers how many files a relation has.
        """
        self._look(connection, map(_name, sizes))
        here = {_name(size): size for size in sizes if _name(size) in self._files}
        remade = [name for name, size in here.items() if self._must_forge(name, size)]
        tables = [name for name, size in here.items() if not size.method]
        self._resize(files, {name: 0 for name in tables if remade and self._files[name].pages})
        self._remake(connection, remade)
        self._write(files, {name: here[name].height or 0 for name in remade})
        self._resize(files, {name: self._pages(name, size) for name, size in here.items()})
        return remade

    def pages(self, name: Name) -> int:
        """Return the pages that a relation has now; 0 for one that has no file."""
        found = self._files.get(name)
        return 0 if found is None else found.pages

    def height(self, name: Name) -> int:
        """Return the height of a B-tree; 0 for anything else."""
        found = self._files.get(name)
        return 0 if found is None else found.height or 0

    def _must_forge(self, name: Name, size: RelationSize) -> bool:
        return self._heights and size.height is not None and self._files[name].height != size.height

    def _pages(self, name: Name, size: RelationSize) -> int:
        file = self._files[name]
        least = file.floor if file.height is None else file.height + 2
        return max(size.pages, least) if size.method else size.pages

    def _look(self, connection: Connection, names: Iterable[Name]) -> None:
        """Look up the files of relations that are not known yet."""
        unknown = [name for name in names if name not in self._files]
        if unknown:
            rows = connection.execute(_RELATIONS, [[place for place, _ in unknown], [name for _, name in unknown]])
            for place, name, path, size in rows:
                pages = size // self._layout.page_size
                self._files[place, name] = _File(path, pages, pages)

    def _remake(self, connection: Connection, names: Sequence[Name]) -> None:
        """Give indexes new files, whose first pages nobody has read: the server's cache holds what was read once."""
        if not names:
            return
        from psycopg import sql

        statements = [sql.SQL("REINDEX INDEX {}").format(sql.Identifier(*name)) for name in names]
        # where nothing of the transaction is logged, the server would read the new pages to log them at its end
        connection.execute(sql.SQL("; ").join([sql.SQL("SET wal_skip_threshold = 0"), *statements]))
        rows = connection.execute(_RELATIONS, [[place for place, _ in names], [name for _, name in names]])
        for place, name, path, size in rows:
            pages = size // self._layout.page_size
            self._files[place, name] = _File(path, pages, pages)

    def _write(self, files: RelationFiles, heights: Mapping[Name, int]) -> None:
        layout = self._layout
        contents = {}
        for name, height in heights.items():
            file = self._files[name]
            pages = btree_pages(height, layout.page_size, has_checksums=layout.has_checksums)
            contents[file.path] = pages
            file.height, file.pages = height, len(pages) // layout.page_size
        if contents:
            files.write(contents)

    def _resize(self, files: RelationFiles, wanted: Mapping[Name, int]) -> None:
        sizes: dict[str, int] = {}
        for name, pages in wanted.items():
            file = self._files[name]
            if file.pages != pages:
                sizes.update(self._segments(file.path, file.pages, pages))
                file.pages = pages
        if sizes:
            files.resize(sizes)

    def _segments(self, path: str, before: int, pages: int) -> Iterator[tuple[str, int]]:
        """Yield the size of each file that a relation is made of; -1 for those that it no longer has."""
        full = self._layout.segment_pages
        count, had = (max(1, -(-number // full)) for number in (pages, before))
        for segment in range(max(count, had)):
            left = min(full, pages - segment * full) * self._layout.page_size
            yield f"{path}.{segment}" if segment else path, left if segment < count else -1


def _name(size: RelationSize) -> Name:
    return size.schema, size.name
