"""Reads the schemas that recorded statements run on, each once, over the connection that has just run one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary, ref

from pytest_dbguard.schema.catalog import Catalog, Dialect
from pytest_dbguard.sql.shape import StatementText

_IN_TRANSACTION = 2  # libpq's PQTRANS_INTRANS
_SYSTEM = ("pg_", "sqlite_", "information_schema", "alembic_version")
_SAVEPOINT = "dbguard_schema"
_LOCK_MS = 500
_MAX_CHECKED = 20_000


class _Known:
    """What is known of an engine: the id of its schema, the names of its tables, and for how long that holds.

    `checked` holds the shapes of which it was looked up since then that their tables are known.
    """

    __slots__ = ("checked", "fingerprint", "generation", "is_cheap", "missing", "schema_id", "scope", "tables")

    def __init__(self, *, is_cheap: bool) -> None:
        self.is_cheap = is_cheap
        self.generation = -1
        self.scope = 0
        self.fingerprint = ""
        self.schema_id = ""
        self.tables: frozenset[str] = frozenset()
        self.missing: set[str] = set()
        self.checked: set[str] = set()


class SchemaReader:
    """The schemas of this process's engines.

    A schema is read again after a statement that defines something; SQLite's, which is cheap to look at, with each
    test; any where a statement names a table that is not known. What happens on the user's connection is a few
    SELECTs of the catalog, behind a savepoint where a transaction is open.

    Attributes:
        catalogs: All that were read, by id.
        problems: How often a schema could not be read, by the kind of error.
    """

    def __init__(self) -> None:
        self.catalogs: dict[str, Catalog] = {}
        self.problems: Counter[str] = Counter()
        self._generation = 0
        self._engines: WeakKeyDictionary[Any, _Known] = WeakKeyDictionary()
        self._last: tuple[Callable[[], Any], _Known | None] = (lambda: None, None)
        self._by_fingerprint: dict[tuple[str, str], str] = {}
        self._is_reading = False

    def changed(self) -> None:
        """Take in that something was defined."""
        self._generation += 1

    def schema_of(self, connection: Any, text: StatementText, scope: int) -> str:
        """Return the id of the schema behind a connection; "" where it cannot be read."""
        known = self._known(connection.engine)
        if known is None or self._is_reading:
            return ""
        is_fresh = known.generation == self._generation and (known.scope == scope or not known.is_cheap)
        if is_fresh and text.shape.id in known.checked:
            return known.schema_id
        tables = text.tables
        if not tables or all(map(_is_system, tables)):
            return known.schema_id
        unknown = [name for name in tables if name not in known.tables and name not in known.missing]
        if unknown or not is_fresh:
            known.generation, known.scope = self._generation, scope
            known.checked.clear()
            self._look(connection, known)
            known.missing |= {name for name in unknown if name not in known.tables}
        if len(known.checked) < _MAX_CHECKED:
            known.checked.add(text.shape.id)
        return known.schema_id

    def _known(self, engine: Any) -> _Known | None:
        """Return what is known of an engine, mostly the one that was asked for last; None for other databases."""
        last, known = self._last
        if last() is engine:
            return known
        known = self._engines.get(engine)
        if known is None:
            if engine.dialect.name not in tuple(Dialect):
                return None
            known = self._engines[engine] = _Known(is_cheap=engine.dialect.name == Dialect.SQLITE)
        self._last = (ref(engine), known)
        return known

    def _look(self, connection: Any, known: _Known) -> None:
        self._is_reading = True
        try:
            with _fetching(connection) as fetch:
                self._read(Dialect(connection.dialect.name), fetch, known)
        except Exception as error:  # noqa: BLE001  nothing of ours may reach the code under test
            self.problems[type(error).__name__] += 1
        finally:
            self._is_reading = False

    def _read(self, dialect: Dialect, fetch: Callable[[str], Sequence[Sequence[Any]]], known: _Known) -> None:
        from pytest_dbguard.schema.document import catalog_id
        from pytest_dbguard.schema.fingerprint import fingerprint_query
        from pytest_dbguard.schema.postgres_reflection import reflect_postgres
        from pytest_dbguard.schema.sqlite_reflection import reflect_sqlite

        rows = fetch(fingerprint_query(dialect))
        fingerprint = str(rows[0][0]) if rows else ""
        if known.fingerprint == fingerprint and known.schema_id:
            return
        key = (str(dialect), fingerprint)
        if key not in self._by_fingerprint:
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


def _is_system(table: str) -> bool:
    return table.rpartition(".")[2].startswith(_SYSTEM) or table.startswith(_SYSTEM)


@contextmanager
def _fetching(connection: Any) -> Iterator[Callable[[str], Sequence[Sequence[Any]]]]:
    """Give a function that runs SQL on the driver's connection and leaves its transaction as it was."""
    raw = connection.connection
    is_guarded = connection.dialect.name == Dialect.POSTGRESQL and _is_in_transaction(raw)
    if is_guarded:
        _run(raw, f"SAVEPOINT {_SAVEPOINT}")
    try:
        if is_guarded:
            # a test may hold a lock on what the catalog is asked about
            _run(raw, f"SET LOCAL lock_timeout = {_LOCK_MS}")
        yield lambda sql: _run(raw, sql)
    finally:
        if is_guarded:
            _run(raw, f"ROLLBACK TO SAVEPOINT {_SAVEPOINT}")
            _run(raw, f"RELEASE SAVEPOINT {_SAVEPOINT}")


def _is_in_transaction(raw: Any) -> bool:
    driver = raw.dbapi_connection
    info = getattr(driver, "info", None)
    if info is None:
        # SQLAlchemy's adapters of asynchronous drivers carry the connection itself
        info = getattr(getattr(driver, "_connection", None), "info", None)
    if info is not None:
        return int(getattr(info, "transaction_status", 0)) == _IN_TRANSACTION
    ask = getattr(getattr(driver, "_connection", None), "is_in_transaction", None)
    return bool(ask()) if callable(ask) else False


def _run(raw: Any, sql: str) -> Sequence[Sequence[Any]]:
    cursor = raw.cursor()
    try:
        cursor.execute(sql)
        if cursor.description is None:
            return []
        # drivers may be told to give rows of any kind
        return [tuple(row.values()) if isinstance(row, Mapping) else tuple(row) for row in cursor.fetchall()]
    finally:
        cursor.close()
