"""Tells texts of one shape apart by the literals that are written into them, without keeping any."""

from __future__ import annotations

import re
from hashlib import blake2b

from pytest_dbguard.sql.tokens import tokens

MAX_SETS = 9
"""Sets of literals of one shape that are told apart; who sees so many needs no more."""

_MAY_HOLD_LITERALS = re.compile(r"'|(?<![\w$%:.])\d")
# SQLAlchemy numbers the rows of what it inserts
_NUMBERED_ROWS = "imp_sen"


def literal_set(statement: str) -> str:
    """Return a digest of the literals in a text; "" where it has none, or numbers its rows."""
    if not _MAY_HOLD_LITERALS.search(statement) or _NUMBERED_ROWS in statement:
        return ""
    literals = [token.text for token in tokens(statement) if token.kind in ("string", "number")]
    return blake2b("\0".join(literals).encode(), digest_size=6).hexdigest() if literals else ""
