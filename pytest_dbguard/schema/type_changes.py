"""What PostgreSQL does to the rows of a table when the type of a column changes, or a column with a default comes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class TypeChange(StrEnum):
    """What a change of type costs."""

    FREE = "free"
    """The rows stay as they are."""
    REWRITE = "rewrite"
    """Each row is written anew, and each index of the table is built again."""
    UNLESS_UTC = "unless utc"
    """A rewrite, unless the session's time zone is UTC."""
    UNKNOWN = "unknown"
    """It depends on what nobody told."""


@dataclass(frozen=True, slots=True)
class _Type:
    name: str
    numbers: tuple[int, ...] = ()
    is_array: bool = False


_NAMES: Mapping[str, str] = {
    "varchar": "varchar",
    "character varying": "varchar",
    "nvarchar": "varchar",
    "character": "char",
    "bpchar": "char",
    "int": "integer",
    "int4": "integer",
    "int2": "smallint",
    "int8": "bigint",
    "decimal": "numeric",
    "bool": "boolean",
    "float4": "real",
    "float8": "double precision",
    "float": "double precision",
    "double": "double precision",
    "timestamptz": "timestamp with time zone",
    "timestamp": "timestamp without time zone",
    "timetz": "time with time zone",
    "time": "time without time zone",
    "datetime": "timestamp without time zone",
    "bit varying": "varbit",
    "string": "text",
    "clob": "text",
}
_FREE_FROM = frozenset(
    {("varchar", "text"), ("text", "varchar"), ("varchar", "citext"), ("text", "citext")}
) | frozenset({("citext", "text"), ("citext", "varchar"), ("cidr", "inet")})
"""Pairs whose values are stored alike, where the new one has no limit."""
_LIMITED = frozenset({"varchar", "varbit", "timestamp without time zone", "timestamp with time zone"}) | frozenset(
    {"time without time zone", "time with time zone", "interval"}
)
"""Types whose limit may grow, or go, without a look at the rows."""
_OPEN = frozenset({"text", "citext", "varchar", "numeric", "varbit", "inet", "interval"})
"""Types which a column may well get without a rewrite, so that the old type decides."""
_ZONED = frozenset({"timestamp without time zone", "timestamp with time zone"})
_VOLATILE = re.compile(
    r"\b(clock_timestamp|timeofday|random\w*|setseed|nextval|gen_\w+|generate_\w+|uuid_generate_\w+|uuidv[147]"
    r"|txid_current|pg_current_xact_id|\w*ulid\w*|nanoid|cuid\w*|ksuid\w*|snowflake\w*|next_id|newid)\s*\(",
    re.IGNORECASE,
)
_SERIAL = re.compile(r"^(small|big)?serial\d?\b", re.IGNORECASE)


def type_change(old: str, new: str) -> TypeChange:
    """Return what a change costs in PostgreSQL 12 and later; "" stands for an old type that nobody told."""
    ours = _parsed(new)
    if not new or _SERIAL.match(new):
        return TypeChange.UNKNOWN
    if not old and ours.name in _ZONED and not ours.is_array:
        # hardly anybody comes from another type than the other one of these two
        return TypeChange.UNLESS_UTC
    if not old:
        return TypeChange.UNKNOWN if ours.name in _OPEN and not ours.is_array else TypeChange.REWRITE
    return _between(_parsed(old), ours)


def _between(old: _Type, new: _Type) -> TypeChange:
    if old == new:
        return TypeChange.FREE
    if old.is_array or new.is_array:
        return TypeChange.REWRITE if old.name != new.name else TypeChange.UNKNOWN
    if old.name == new.name:
        return TypeChange.FREE if _grows(old, new) else TypeChange.REWRITE
    if (old.name, new.name) in _FREE_FROM and not new.numbers:
        return TypeChange.FREE
    if {old.name, new.name} == _ZONED and _grows(old, new):
        return TypeChange.UNLESS_UTC
    return TypeChange.REWRITE


def _grows(old: _Type, new: _Type) -> bool:
    """Whether each value of the old type fits into the new one as it is stored."""
    if new.name == "numeric":
        precision, scale = (*old.numbers, 0, 0)[:2]
        wider, same = (*new.numbers, 0, 0)[:2]
        return not new.numbers or (bool(old.numbers) and wider >= precision and same == scale)
    if new.name not in _LIMITED:
        # SQLAlchemy's Float(53) and Integer(11) name no other type
        return new.name not in ("char", "bit")
    return not new.numbers or (bool(old.numbers) and new.numbers[0] >= old.numbers[0])


def is_volatile_default(expression: str, type_name: str = "") -> bool:
    """Return whether a default is computed for each row, so that a new column makes PostgreSQL write all of them.

    Functions that nobody knows are taken for constant.
    """
    return bool(_VOLATILE.search(expression) or _SERIAL.match(type_name))


def _parsed(text: str) -> _Type:
    lowered = " ".join(text.lower().replace('"', "").split())
    is_array = lowered.endswith("]") or lowered.startswith("array")
    numbers = tuple(int(number) for number in re.findall(r"\d+", "".join(re.findall(r"\(([^)]*)\)", lowered))))
    words = " ".join(re.sub(r"\([^)]*\)|\[[^\]]*\]", " ", lowered).split()).removeprefix("pg_catalog.")
    return _Type(_NAMES.get(words, words), _default_numbers(_NAMES.get(words, words), numbers), is_array)


def _default_numbers(name: str, numbers: tuple[int, ...]) -> tuple[int, ...]:
    if name == "char":
        return numbers or (1,)
    if name == "numeric" and len(numbers) == 1:
        return (*numbers, 0)
    # six digits is all that there is
    return () if numbers == (6,) and name in _LIMITED and name not in ("varchar", "varbit") else numbers
