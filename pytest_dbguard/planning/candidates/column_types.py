"""What kind of values a column holds: whether a B-tree can order them, and which others they compare with by index."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache

from pytest_dbguard.schema.catalog import Column, Dialect


class Family(StrEnum):
    """Types that share an operator family of B-trees, or SQLite's affinity."""

    BOOLEAN = "boolean"
    INTEGER = "integer"
    DECIMAL = "decimal"
    FLOAT = "float"
    TEXT = "text"
    VARCHAR = "varchar"
    """As TEXT, but for what PostgreSQL makes of it where it meets CHAR."""
    CHAR = "char"
    TEMPORAL = "temporal"
    ENUM = "enum"
    UNORDERED = "unordered"
    """No B-tree, or none that anybody wants: documents, arrays, geometry, bytes."""
    OTHER = "other"


_POSTGRES = (
    (
        Family.UNORDERED,
        r"\[\]|^(jsonb?|bytea|xml|hstore|ts(vector|query)|point|line|lseg|box|path|polygon|circle|geo|vec)",
    ),
    (Family.UNORDERED, r"^(array|\w*range$|pg_lsn|refcursor|ltree|halfvec|sparsevec|bit)"),
    (Family.BOOLEAN, r"^bool"),
    (Family.INTEGER, r"^(small|big)?int(eger)?(\d)?\b|^(small|big)?serial|^oid$"),
    (Family.DECIMAL, r"^(numeric|decimal)"),
    (Family.FLOAT, r"^(real|double|float)"),
    (Family.VARCHAR, r"^(character varying|varchar|nvarchar)"),
    (Family.TEXT, r"^(text|citext|string|clob)"),
    (Family.CHAR, r"^(character|char|bpchar)\b"),
    (Family.TEMPORAL, r"^(timestamp|date)"),
)
_SQLITE = (
    (Family.UNORDERED, r"^json"),
    (Family.BOOLEAN, r"^bool"),
    (Family.TEMPORAL, r"^(date|time)"),
    (Family.INTEGER, r"int"),
    (Family.TEXT, r"char|clob|text"),
    (Family.UNORDERED, r"^(blob|geometry|point|vector)"),
    (Family.FLOAT, r"real|floa|doub"),
    (Family.DECIMAL, r"^(numeric|decimal)"),
)


TEXTS = (Family.TEXT, Family.VARCHAR)


def family_of(column: Column, dialect: Dialect) -> Family:
    """Return the family of a column's type; `OTHER` for types that are not known, which are taken to be ordered."""
    if column.labels:
        return Family.ENUM
    return family_of_type(column.type, dialect)


@lru_cache(maxsize=500)
def family_of_type(type_name: str, dialect: Dialect) -> Family:
    """Return the family of a type by its name."""
    known = _POSTGRES if dialect is Dialect.POSTGRESQL else _SQLITE
    lowered = type_name.lower()
    return next((family for family, pattern in known if re.search(pattern, lowered)), Family.OTHER)


def compares_by_index(column: Family, other: Family, dialect: Dialect) -> bool:
    """Return whether an index on a column serves `column = other`, given the families of both.

    PostgreSQL widens an integer to compare it with a number, `char(n)` to compare it with text, and takes `varchar` for
    `char(n)` where it meets one: the index holds what it was before. SQLite turns text into numbers where the other
    side has a numeric affinity.
    """
    if dialect is Dialect.POSTGRESQL:
        widened = {
            Family.INTEGER: (Family.DECIMAL, Family.FLOAT),
            Family.DECIMAL: (Family.FLOAT,),
            Family.CHAR: (Family.TEXT,),
            Family.VARCHAR: (Family.CHAR,),
        }
        return other not in widened.get(column, ())
    numeric = (Family.INTEGER, Family.DECIMAL, Family.FLOAT, Family.BOOLEAN)
    return not (column is Family.TEXT and other in numeric)
