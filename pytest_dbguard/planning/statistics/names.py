"""Names of tables and columns as people write them in files: `orders`, `sales.orders`, `sales."odd.name".column`."""

from __future__ import annotations

import re

_PART = re.compile(r'"((?:[^"]|"")*)"|([^.]+)')


def split_name(name: str) -> tuple[str, ...]:
    """Return the parts between dots; quotes are only needed around a part that holds a dot or a quote."""
    return tuple(quoted.replace('""', '"') if quoted else plain for quoted, plain in _PART.findall(name))


def split_table(name: str) -> tuple[str, str]:
    """Return schema and table; the schema is "" where none is told."""
    parts = split_name(name)
    return (".".join(parts[:-1]), parts[-1]) if parts else ("", name)


def split_column(name: str) -> tuple[str, str, str]:
    """Return schema, table and column; what has no dot has no table."""
    parts = split_name(name)
    return (".".join(parts[:-2]), parts[-2], parts[-1]) if len(parts) > 1 else ("", "", name)


def join_name(*parts: str) -> str:
    """Return the name that `split_name` takes apart again; empty parts at its beginning are left out."""
    return ".".join(_quoted(part) for number, part in enumerate(parts) if part or number == len(parts) - 1)


def _quoted(part: str) -> str:
    return '"' + part.replace('"', '""') + '"' if not part or "." in part or '"' in part else part
