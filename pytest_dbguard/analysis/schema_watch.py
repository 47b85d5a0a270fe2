"""Reads the schemas that recorded statements run on, each once, over the connection that has just run one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from hashlib import blake2b
from typing import Any
from weakref import WeakKeyDictionary, ref

from pytest_dbguard.analysis.user_connection import Ask, asking
from pytest_dbguard.schema.catalog import Catalog, Dialect
from pytest_dbguard.sql.shape import StatementText

_SYSTEM = ("pg_", "sqlite_", "information_schema", "alembic_version")
_MAX_CHECKED = 20_000
MAX_SCHEMAS = 100
"""A program that makes more schemas than these makes one after the other: what it runs on later ones is not planned."""
_MAX_FAILURES = 5


class TooManySchemas(Exception):
    """No more schemas are kept. Only the name of this is counted, as that of any error here."""


class _Known:
    """What is known of an engine: the id of its schema, the names of its tables, and for how long that holds.

    `checked` holds the shapes of which it was looked up since then that their tables are known; `failures` says how
    often in a row it could not be read.
    """

    __slots__ = (
        "checked",
        "failures",
        "fingerprint",
        "generation",
        "is_cheap",
        "missing",
        "schema_id",
        "scope",
        "tables",
    )

    def __init__(self, *, is_cheap: bool) -> None:
        self.is_cheap = is_cheap
        self.failures = 0
        self.generation = -1
        self.scope = 0
        self.fingerprint = ""
        self.schema_id = ""
        self.tables: frozenset[str] = frozenset()
        self.missing: set[str] = set()
        self.checked: set[str] = set()

    def is_fresh(self, generation: int, scope: int) -> bool:
        """Whether it still holds: in another test, only what is not cheap to read and was read."""
        lasts = not self.is_cheap and not 0 < self.failures < _MAX_FAILURES
        return self.generation == generation and (lasts or self.scope == scope)

    def forget(self) -> None:
        """Take in that it could not be read: what was known of it may be wrong by now."""
        self.failures += 1
        self.fingerprint = self.schema_id = ""
        self.tables = frozenset()


class SchemaReader:
    """The schemas of this process's engines.

    A schema is read again after a statement that defines something; SQLite's, which is cheap to look at, with each
    test; any where a statement names a table that is not known. What happens on the user's connection is a few
    SELECTs of the catalog, of which nothing stays behind. What could not be read is tried again in the next test.

    Attributes:
        catalogs: All that were read, by id.
        problems: How often a schema could not be read, by the kind of error.
    """

    def __init__(self) -> None:
        self.catalogs: dict[str, Catalog] = {}
        self.problems: Counter[str] = Counter()
        self._generation = 0
        self._pools: WeakKeyDictionary[Any, _Known] = WeakKeyDictionary()
        self._last: tuple[Callable[[], Any], _Known | None] = (lambda: None, None)
        self._by_fingerprint: dict[tuple[str, bytes], str] = {}

    def changed(self) -> None:
        """Take in that something was defined."""
        self._generation += 1

    def schema_of(self, connection: Any, text: StatementText, scope: int) -> str:
        """Return the id of the schema behind a connection; "" where it cannot be read."""
        known = self._known(connection.engine)
        if known is None:
            return ""
        generation = self._generation
        is_fresh = known.is_fresh(generation, scope)
        if is_fresh and text.shape.id in known.checked:
            return known.schema_id
        tables = text.tables
        if not tables or all(map(is_system, tables)):
            return known.schema_id
        unknown = [name for name in tables if name not in known.tables and name not in known.missing]
        if not is_fresh or (unknown and not known.failures):
            known.checked.clear()
            self._look(connection, known)
            # only now: what other threads and tasks run meanwhile looks for itself
            known.generation, known.scope = generation, scope
            known.missing |= {name for name in unknown if name not in known.tables}
        if len(known.checked) < _MAX_CHECKED:
            known.checked.add(text.shape.id)
        return known.schema_id

    def _known(self, engine: Any) -> _Known | None:
        """Return what is known of an engine, mostly the one that was asked for last; None for other databases."""
        last, known = self._last
        if last() is engine:
            return known
        if engine.dialect.name not in tuple(Dialect):
            return None
        # engines with options of their own come and go; they share the pool of the one that they were made from
        known = self._pools.get(engine.pool)
        if known is None:
            known = self._pools[engine.pool] = _Known(is_cheap=engine.dialect.name == Dialect.SQLITE)
        self._last = (ref(engine), known)
        return known

    def _look(self, connection: Any, known: _Known) -> None:
        try:
            with asking(connection) as ask:
                self._read(Dialect(connection.dialect.name), ask, known)
            known.failures = 0
        except Exception as error:  # noqa: BLE001  nothing of ours may reach the code under test
            known.forget()
            self.problems[type(error).__name__] += 1

    def _read(self, dialect: Dialect, fetch: Ask, known: _Known) -> None:
        from pytest_dbguard.schema.document import catalog_id
        from pytest_dbguard.schema.fingerprint import fingerprint_query
        from pytest_dbguard.schema.postgres_reflection import reflect_postgres
        from pytest_dbguard.schema.sqlite_reflection import reflect_sqlite

        rows = fetch(fingerprint_query(dialect))
        fingerprint = str(rows[0][0]) if rows else ""
        if known.fingerprint == fingerprint and known.schema_id:
            return
        key = (str(dialect), blake2b(fingerprint.encode("utf-8", "surrogatepass"), digest_size=16).digest())
        if key not in self._by_fingerprint:
            if len(self.catalogs) >= MAX_SCHEMAS:
                raise TooManySchemas
            catalog = reflect_sqlite(fetch) if dialect is Dialect.SQLITE else reflect_postgres(fetch)
            schema_id = catalog_id(catalog)
            self.catalogs[schema_id] = catalog
            self._by_fingerprint[key] = schema_id
        known.fingerprint = fingerprint
        known.schema_id = self._by_fingerprint[key]
        known.tables = frozenset(_names(self.catalogs[known.schema_id]))
        known.missing.clear()


def _names(catalog: Catalog) -> Iterator[str]:
    for table in catalog.tables:
        yield table.name
        yield f"{table.schema}.{table.name}"


def is_system(table: str) -> bool:
    """Whether a table is the database's own, or Alembic's."""
    return table.rpartition(".")[2].startswith(_SYSTEM) or table.startswith(_SYSTEM)
