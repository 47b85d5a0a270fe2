"""How an index is written: its name, SQL, SQLAlchemy's Index(...) and Alembic's operation."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence

from pytest_dbguard.planning.lab.base import IndexSpec
from pytest_dbguard.schema.catalog import Dialect
from pytest_dbguard.schema.quoting import quoted

_MAX_NAME_BYTES = 63
_NOISE = frozenset({"cast", "as", "asc", "nulls", "first", "last", "collate"})


def index_name(table: str, columns: Sequence[str]) -> str:
    """Return a name by SQLAlchemy's habit, `ix_orders_city`, of at most 63 bytes."""
    name = "_".join(("ix", table, *columns))
    if len(name.encode()) <= _MAX_NAME_BYTES:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{name.encode()[: _MAX_NAME_BYTES - 9].decode(errors='ignore')}_{digest}"


def name_of(spec: IndexSpec) -> str:
    """Return the name of a proposed index; expressions give their words: `ix_users_lower_email`.

    What makes it another index than the plain one on its columns is part of the name: `ix_users_name_pattern`.
    """
    if spec.name:
        return spec.name
    words = [word for number in range(len(spec.keys)) for word in _words(spec, number)]
    return index_name(spec.table, [*words, *_kind(spec)])


def _words(spec: IndexSpec, number: int) -> list[str]:
    column = spec.columns[number]
    if column is not None:
        return [column]
    text, _ = _expression(spec.keys[number])
    return [word for word in re.findall(r"[a-z_]\w*", text.lower()) if word not in _NOISE]


def _kind(spec: IndexSpec) -> Iterator[str]:
    text = " ".join(_suffix(spec, number) for number in range(len(spec.keys))).lower()
    for mark, word in (("pattern_ops", "pattern"), ("trgm_ops", "trgm"), ("nocase", "nocase"), ("desc", "desc")):
        if mark in text:
            yield word
    if spec.predicate:
        yield "partial"


def _suffix(spec: IndexSpec, number: int) -> str:
    """Return what follows the column or expression of a key: ` DESC`, ` text_pattern_ops`; "" for nothing."""
    column, key = spec.columns[number], spec.keys[number]
    return _expression(key)[1] if column is None else key.removeprefix(quoted(column))


def _expression(key: str) -> tuple[str, str]:
    """Return an expression and what follows it."""
    end = key.rfind(")") + 1
    return (key[:end], key[end:]) if end else (key, "")


def subject(spec: IndexSpec) -> str:
    """Return what a finding is about: `orders.city` for one column, `orders(city, name)` for more."""
    table = spec.table if spec.schema in ("", "public") else f"{spec.schema}.{spec.table}"
    if len(spec.columns) == 1 and spec.columns[0] is not None:
        return f"{table}.{spec.columns[0]}"
    pairs = zip(spec.keys, spec.columns, strict=True)
    return f"{table}({', '.join(column or _expression(key)[0] for key, column in pairs)})"


def ddl(spec: IndexSpec, dialect: Dialect, *, concurrently: bool = False) -> str:
    """Return the statement that makes an index, without a semicolon; `concurrently` is for PostgreSQL."""
    is_postgres = dialect is Dialect.POSTGRESQL
    table = ".".join(quoted(part) for part in (_schema(spec), spec.table) if part)
    unique = "UNIQUE " if spec.is_unique else ""
    how = "CONCURRENTLY " if concurrently and is_postgres else ""
    using = f" USING {spec.method}" if is_postgres and spec.method != "btree" else ""
    include = f" INCLUDE ({', '.join(quoted(name) for name in spec.include)})" if spec.include else ""
    where = f" WHERE {spec.predicate}" if spec.predicate else ""
    return (
        f"CREATE {unique}INDEX {how}{quoted(name_of(spec))} ON {table}{using} ({', '.join(spec.keys)}){include}{where}"
    )


def _schema(spec: IndexSpec) -> str:
    """Return the schema where it has to be told: `public` is where names are looked for anyway."""
    return spec.schema if spec.schema != "public" else ""


def sqlalchemy_code(spec: IndexSpec, name: str) -> str:
    """Return `Index(...)` as it is put into `__table_args__`; `text` is SQLAlchemy's."""
    return f"Index({', '.join([_text(name), *_elements(spec), *_options(spec)])})"


def alembic_code(spec: IndexSpec, name: str, dialect: Dialect = Dialect.POSTGRESQL) -> str:
    """Return `op.create_index(...)`; on PostgreSQL with what makes it without locking writes, as a comment."""
    schema = [f"schema={_text(_schema(spec))}"] if _schema(spec) else []
    elements = ", ".join(_elements(spec, "sa.text"))
    arguments = [_text(name), _text(spec.table), f"[{elements}]", *schema, *_options(spec, "sa.text")]
    code = f"op.create_index({', '.join(arguments)})"
    if dialect is not Dialect.POSTGRESQL:
        return code
    return f"# on a large table: postgresql_concurrently=True, inside of op.get_context().autocommit_block()\n{code}"


def _elements(spec: IndexSpec, text: str = "text") -> Iterator[str]:
    """Yield the keys as SQLAlchemy takes them: names of columns, or SQL."""
    for number, column in enumerate(spec.columns):
        suffix = _suffix(spec, number)
        is_plain = column is not None and (not suffix or suffix.endswith("_ops"))
        yield _text(column or "") if is_plain else f"{text}({_text(spec.keys[number])})"


def _options(spec: IndexSpec, text: str = "text") -> Iterator[str]:
    if spec.is_unique:
        yield "unique=True"
    if spec.method != "btree":
        yield f"postgresql_using={_text(spec.method)}"
    classes = {
        column: _suffix(spec, number).strip()
        for number, column in enumerate(spec.columns)
        if column is not None and _suffix(spec, number).endswith("_ops")
    }
    if classes:
        yield f"postgresql_ops={json.dumps(classes)}"
    if spec.include:
        yield f"postgresql_include={json.dumps(list(spec.include))}"
    if spec.predicate:
        condition = f"{text}({_text(spec.predicate)})"
        yield f"postgresql_where={condition}"
        yield f"sqlite_where={condition}"


def _text(value: str) -> str:
    """Return a Python literal in double quotes."""
    return json.dumps(value, ensure_ascii=False)
