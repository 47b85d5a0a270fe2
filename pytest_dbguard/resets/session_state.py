"""Tells from a statement's text whether it changes what a connection remembers beyond its transaction."""

from __future__ import annotations

import re

_MAX_TEXTS = 10_000
_BEGINS = re.compile(
    r"""(?:\A|;)(?:\s|/\*.*?\*/|--[^\n]*\n)*
    (?: SET\s+(?!LOCAL\b|TRANSACTION\b|CONSTRAINTS\b)
      | RESET\b | LISTEN\b | UNLISTEN\b | DISCARD\b | LOAD\b | ATTACH\b | DETACH\b
      | PREPARE\s+(?!TRANSACTION\b) | DEALLOCATE\b
      | PRAGMA\s+[\w.]+\s*[=(]
      | CREATE\s+(?:(?:OR\s+REPLACE|GLOBAL|LOCAL)\s+)*TEMP(?:ORARY)?\b
      | DECLARE\b.*\bWITH\s+HOLD\b )""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
_HOLDS = re.compile(
    r"""\bset_config\s*\( (?! [^()]* ,\s*true\s*\) )
      | \bpg_(?:try_)?advisory_lock(?:_shared)?\s*\(
      | \bINTO\s+TEMP(?:ORARY)?\b""",
    re.IGNORECASE | re.VERBOSE,
)
# reads of SQLite's catalog, which SQLAlchemy's inspection sends
_READS = re.compile(r"\A\s*PRAGMA\s+(?:[\w\"]+\.)?\w*(?:_info|_list|_xinfo|_check)\b", re.IGNORECASE)


class StateChanges:
    """Remembers its answers: SQLAlchemy hands over the same text for the same statement."""

    def __init__(self) -> None:
        self._known: dict[str, bool] = {}

    def is_one(self, statement: str) -> bool:
        """Whether the statement sets a variable, a role, a lock, a listener, a temporary table, for the session."""
        known = self._known.get(statement)
        if known is None:
            if len(self._known) >= _MAX_TEXTS:
                self._known.clear()
            known = self._known[statement] = changes_state(statement)
        return known


def changes_state(statement: str) -> bool:
    """Whether the statement's effect on its connection outlives the transaction."""
    if _READS.match(statement):
        return False
    return bool(_BEGINS.search(statement) or _HOLDS.search(statement))
