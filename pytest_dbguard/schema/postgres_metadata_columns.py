"""Columns and types of a `MetaData`, as PostgreSQL has them after `create_all`."""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from pytest_dbguard.schema.catalog import Column
from pytest_dbguard.schema.postgres_type_names import EXTENSIONS, postgres_type_name
from pytest_dbguard.schema.quoting import literal, qualified, quoted

DEFAULT_SCHEMA: Final = "public"
_LONGEST_NAME: Final = 63


def generated_name(*parts: str) -> str:
    """Return the name that PostgreSQL gives what has none: of a table, columns and, as the last part, its kind."""
    *front, kind = parts
    text = "_".join(part for part in front if part)
    return f"{text[: _LONGEST_NAME - len(kind) - 1]}_{kind}"


class ColumnWriter:
    """Writes columns, and notes the types and sequences that they need."""

    def __init__(self) -> None:
        self.dialect: Any = postgresql.dialect()  # type: ignore[no-untyped-call]
        self.ddl: Any = self.dialect.ddl_compiler(self.dialect, None)  # type: ignore[arg-type]
        self.made: dict[str, str] = {}
        """Statements of types and sequences, by their names."""

    def sql(self, expression: Any) -> str:
        """Return an expression as SQL, columns without their table."""
        text: str = self.ddl.sql_compiler.process(
            sa.text(expression) if isinstance(expression, str) else expression, include_table=False, literal_binds=True
        )
        return text

    def column(self, table: sa.Table, column: sa.Column[Any]) -> Column:
        """Return a column, and note what it needs."""
        impl = self._impl(column.type)
        text = postgres_type_name(self.type_name(column.type))
        default, is_serial = "", self._is_serial(table, column)
        if column.computed is not None:
            default = self.sql(column.computed.sqltext)
        elif is_serial:
            default = self._serial(table, column, text)
        elif isinstance(column.default, sa.Sequence):
            place = qualified(column.default.schema or DEFAULT_SCHEMA, column.default.name)
            self.made[place] = f"CREATE SEQUENCE {place} AS bigint"
        elif column.server_default is not None and column.identity is None:
            default = self.ddl.get_column_default_string(column) or ""
        labels = getattr(impl, "enums", ()) if getattr(impl, "native_enum", False) else ()
        return Column(
            column.name,
            text,
            nullable=bool(column.nullable) and not column.primary_key,
            collation=getattr(column.type, "collation", None) or "",
            default=default,
            is_generated=column.computed is not None,
            is_identity=column.identity is not None,
            labels=len(labels),
            base_type=postgres_type_name(self.type_name(impl.data_type)) if hasattr(impl, "data_type") else "",
            is_virtual=column.computed is not None and column.computed.persisted is False,
            extension=EXTENSIONS.get(text.rstrip("[]").partition("(")[0], ""),
        )

    def type_name(self, of: sa.types.TypeEngine[Any]) -> str:
        """Return a type as SQLAlchemy writes it, and note it where it must be made."""
        impl = self._impl(of)
        item = getattr(impl, "item_type", None)
        if item is not None:
            return self.type_name(item) + "[]"
        name = getattr(impl, "name", None)
        is_made = isinstance(impl, postgresql.DOMAIN) or getattr(impl, "native_enum", False)
        if not is_made or name is None:
            return str(of.compile(dialect=self.dialect)).partition(" COLLATE ")[0]
        schema = getattr(impl, "schema", None) or DEFAULT_SCHEMA
        place = qualified(schema, name)
        if isinstance(impl, postgresql.DOMAIN):
            base = postgres_type_name(self.type_name(impl.data_type))
            self.made[place] = f"CREATE DOMAIN {place} AS {base}"
        else:
            labels = ", ".join(literal(label) for label in getattr(impl, "enums", ()))
            self.made[place] = f"CREATE TYPE {place} AS ENUM ({labels})"
        return quoted(name) if schema == DEFAULT_SCHEMA else place

    def _impl(self, of: sa.types.TypeEngine[Any]) -> Any:
        """Return what PostgreSQL makes of a type, through decorators."""
        kind = of.dialect_impl(self.dialect)
        return getattr(kind, "impl", kind)

    def _is_serial(self, table: sa.Table, column: sa.Column[Any]) -> bool:
        has_default = column.server_default is not None or column.identity is not None or column.default is not None
        return column is table.autoincrement_column and not has_default

    def _serial(self, table: sa.Table, column: sa.Column[Any], kind: str) -> str:
        schema = table.schema or DEFAULT_SCHEMA
        name = generated_name(table.name, column.name, "seq")
        place = qualified(schema, name)
        self.made[place] = f"CREATE SEQUENCE {place} AS {kind}"
        shown = quoted(name) if schema == DEFAULT_SCHEMA else place
        return f"nextval({literal(shown)}::regclass)"
