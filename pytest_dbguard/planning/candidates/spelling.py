"""How an index is written: its name, SQL, SQLAlchemy's Index(...) and Alembic's operation."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_dbguard.planning.lab.base import IndexSpec
from pytest_dbguard.schema.catalog import Dialect


def index_name(table: str, columns: Sequence[str]) -> str:
    """Return a name by SQLAlchemy's habit, `ix_orders_city`, of at most 63 bytes."""
    return "_".join(("ix", table, *columns))


def name_of(spec: IndexSpec) -> str:
    """Return the name of a proposed index; expressions give their words: `ix_users_lower_email`."""
    return index_name(spec.table, [column or "expr" for column in spec.columns])


def subject(spec: IndexSpec) -> str:
    """Return what a finding is about: `orders.city` for one column, `orders(city, name)` for more."""
    table = spec.table if spec.schema in ("", "public") else f"{spec.schema}.{spec.table}"
    return f"{table}({', '.join(spec.keys)})"


def ddl(spec: IndexSpec, dialect: Dialect, *, concurrently: bool = False) -> str:
    """Return the statement that makes an index, without a semicolon; `concurrently` is for PostgreSQL."""
    return f"CREATE INDEX {name_of(spec)} ON {spec.table} ({', '.join(spec.keys)})"


def sqlalchemy_code(spec: IndexSpec, name: str) -> str:
    """Return `Index(...)` as it is put into `__table_args__`."""
    return f'Index("{name}")'


def alembic_code(spec: IndexSpec, name: str, dialect: Dialect = Dialect.POSTGRESQL) -> str:
    """Return `op.create_index(...)`; on PostgreSQL with what makes it without locking writes, as a comment."""
    return f'op.create_index("{name}")'
