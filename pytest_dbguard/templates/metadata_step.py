"""A step that creates the tables of a project's MetaData."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import MetaData, create_mock_engine, inspect
from sqlalchemy.schema import CreateSchema

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy.engine import Dialect


@dataclass(frozen=True, slots=True)
class MetadataStep:
    """Creates what is missing of all tables, with schemas, types, and what listeners add to them."""

    metadata: tuple[MetaData, ...]
    name: str

    def fingerprint(self, dialect: Dialect) -> bytes:
        """Return the DDL that would be sent."""
        sent: list[str] = []

        def note(statement: Any, *_arguments: object, **_options: object) -> None:
            compile_ = getattr(statement, "compile", None)
            sent.append(str(statement if compile_ is None else compile_(dialect=dialect)))

        mock = create_mock_engine(_url_of(dialect), note)
        for metadata in self.metadata:
            sent += _schemas(metadata)
            metadata.create_all(mock, checkfirst=False)
        return "\n".join(sent).encode()

    def run(self, engine: Engine) -> None:
        """Create the tables."""
        for metadata in self.metadata:
            if engine.dialect.name != "sqlite":
                _create_schemas(engine, _schemas(metadata))
            metadata.create_all(engine)


def _schemas(metadata: MetaData) -> list[str]:
    named = {table.schema for table in metadata.tables.values()} | {metadata.schema}
    named |= {sequence.schema for sequence in metadata._sequences.values()}
    return sorted(schema for schema in named if schema)


def _create_schemas(engine: Engine, schemas: list[str]) -> None:
    """Create the schemas that tables name and nothing makes: a production database has them already."""
    there = set(inspect(engine).get_schema_names()) if schemas else set()
    with engine.begin() as connection:
        for schema in schemas:
            if schema not in there:
                connection.execute(CreateSchema(schema))


def _url_of(dialect: Dialect) -> str:
    return f"{dialect.name}://"
