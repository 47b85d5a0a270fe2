"""How PostgreSQL writes the types that SQLAlchemy writes its own way."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import Final

_NAMES: Final = MappingProxyType(
    {
        "VARCHAR": "character varying",
        "CHAR": "character",
        "NCHAR": "character",
        "NVARCHAR": "character varying",
        "FLOAT": "double precision",
        "DOUBLE": "double precision",
        "DECIMAL": "numeric",
        "TIMESTAMP": "timestamp without time zone",
        "TIME": "time without time zone",
        "INT": "integer",
        "DATETIME": "timestamp without time zone",
        "BOOL": "boolean",
    }
)
_WITH_ONE: Final = MappingProxyType({"character": "character(1)", "bit": "bit(1)"})
_PARTS: Final = re.compile(r"(?P<name>[A-Za-z_ ]+?)\s*(?P<size>\([\d, ]+\))?(?P<zone> WITH(?:OUT)? TIME ZONE)?")
_REAL_DIGITS: Final = 24
"""Binary digits up to which FLOAT is `real`."""

EXTENSIONS: Final = MappingProxyType(
    {
        "citext": "citext",
        "hstore": "hstore",
        "ltree": "ltree",
        "vector": "vector",
        "halfvec": "vector",
        "geometry": "postgis",
        "geography": "postgis",
    }
)
"""Extensions by the types that come with them."""

CLASS_EXTENSIONS: Final = MappingProxyType({"gin_trgm_ops": "pg_trgm", "gist_trgm_ops": "pg_trgm"})
"""Extensions by the operator classes that come with them."""


def postgres_type_name(text: str) -> str:
    """Return a type as the server's format_type writes it; a type that is not known as it came."""
    base = text.rstrip("[]")
    match = _PARTS.fullmatch(base)
    if match is None or '"' in base:
        return text
    size, zone = (match["size"] or "").replace(" ", ""), (match["zone"] or "").lower()
    name = _NAMES.get(match["name"].upper(), match["name"].lower())
    if match["name"].upper() == "FLOAT" and size:
        name, size = ("real" if int(size[1:-1]) <= _REAL_DIGITS else name), ""
    if zone or name.endswith(" time zone"):
        name = f"{name.split()[0]}{size}{zone or ' without time zone'}"
    elif size:
        name += size
    else:
        name = _WITH_ONE.get(name, name)
    return name + ("[]" if text != base else "")
