"""A step that creates the tables of a project's MetaData."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import MetaData
from sqlalchemy import inspect as inspector
from sqlalchemy.engine.mock import MockConnection
from sqlalchemy.schema import CreateIndex, CreateSchema, CreateTable

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine
    from sqlalchemy.engine import Dialect

_EVENTS = ("before_create", "after_create")


@dataclass(frozen=True, slots=True)
class MetadataStep:
    """Creates all tables, with the schemas and types they need and what listeners add to them."""

    metadata: tuple[MetaData, ...]
    name: str

    def fingerprint(self, dialect: Dialect) -> bytes:
        """Return the DDL that would be sent, sorted: the order is no part of what is built."""
        sent: list[str] = []
        for metadata in self.metadata:
            sent += schemas_of(metadata)
            sent += _sent(metadata, dialect)
        return "\n".join(sorted(sent)).encode()

    def run(self, engine: Engine) -> None:
        """Create the tables."""
        for metadata in self.metadata:
            with engine.begin() as connection:
                if engine.dialect.name == "postgresql":
                    _create_schemas(connection, schemas_of(metadata))
                metadata.create_all(connection)


def schemas_of(metadata: MetaData) -> list[str]:
    """Return the schemas that tables, types and sequences name, sorted."""
    columns = [column for table in metadata.tables.values() for column in table.columns]
    named = {metadata.schema, *(table.schema for table in metadata.tables.values())}
    named |= {getattr(column.type, "schema", None) for column in columns}
    named |= {getattr(column.default, "schema", None) for column in columns}
    return sorted(schema for schema in named if isinstance(schema, str))


def _create_schemas(connection: Connection, schemas: list[str]) -> None:
    """Create the schemas that nothing else makes: a production database has them already."""
    there = set(inspector(connection).get_schema_names()) if schemas else set()
    for schema in schemas:
        if schema not in there:
            connection.execute(CreateSchema(schema))


def _sent(metadata: MetaData, dialect: Dialect) -> list[str]:
    sent: list[str] = []
    try:
        metadata.create_all(_Listening(dialect, sent), checkfirst=False)
    except Exception:  # noqa: BLE001  a listener wants more of a connection than one that does nothing has
        return [*_tables(metadata, dialect), *_listeners(metadata)]
    return sent


class _Listening(MockConnection):
    """A connection that only writes down what is executed, also by listeners of the project."""

    def __init__(self, dialect: Dialect, sent: list[str]) -> None:
        super().__init__(dialect, self._note)
        self._sent = sent

    def exec_driver_sql(self, statement: str, parameters: Any = None, **_options: Any) -> None:
        """Take a statement in."""
        self._sent.append(f"{statement} {parameters!r}")

    def _note(self, statement: Any, *_arguments: object, **_options: object) -> None:
        compiled = statement.compile(dialect=self.dialect)
        self._sent.append(f"{compiled} {getattr(compiled, 'params', None) or ''}")


def _tables(metadata: MetaData, dialect: Dialect) -> Iterator[str]:
    for table in metadata.sorted_tables:
        yield str(CreateTable(table).compile(dialect=dialect))
        yield from (str(CreateIndex(index).compile(dialect=dialect)) for index in table.indexes)
        yield from (repr(getattr(column.type, "enums", "")) for column in table.columns)


def _listeners(metadata: MetaData) -> Iterator[str]:
    for target in (metadata, *metadata.tables.values()):
        for listener in (each for name in _EVENTS for each in getattr(target.dispatch, name)):
            try:
                yield inspect.getsource(listener)
            except (OSError, TypeError):
                yield str(listener) if hasattr(listener, "statement") else getattr(listener, "__qualname__", "")
