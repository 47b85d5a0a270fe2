"""Tells tables that stay small whatever the business does: countries, currencies, roles, states of things."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from pytest_dbguard.schema.catalog import Table

_LISTS: Mapping[str, int] = MappingProxyType(
    dict.fromkeys(("country", "nation", "currency", "language", "locale", "timezone", "nationality"), 200)
    | dict.fromkeys(("region", "province", "continent", "unit", "permission", "privilege", "setting", "config"), 100)
    | dict.fromkeys(("status", "state", "type", "kind", "role", "priority", "severity", "level", "gender"), 20)
    | dict.fromkeys(("salutation", "configuration", "parameter", "tier", "rank", "phase", "stage", "flag"), 20)
    | dict.fromkeys(("visibility", "alembic_version"), 20)
)
"""Rows of tables by the last noun of their name in the singular."""
_PREFIXES = ("ref_", "lookup_", "lkp_", "enum_", "lu_")
_PREFIXED_ROWS = 100
_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[_\s-]+")


def reference_rows(table: Table) -> int | None:
    """Return how many rows a reference table is taken to hold; None for any other table.

    It is one by its name alone, and only where no foreign key leads to another table: `user_roles` grows with users.
    """
    if any((key.referred_schema, key.referred_table) != (table.schema, table.name) for key in table.foreign_keys):
        return None
    lowered = table.name.lower()
    if lowered.startswith(_PREFIXES):
        return _PREFIXED_ROWS
    return _LISTS.get(lowered) or _LISTS.get(last_noun(table.name))


def last_noun(name: str) -> str:
    """Return the last word of a name in small letters and in the singular: "OrderStatuses" is "status"."""
    return "".join(words_of(name)[-1:])


def words_of(name: str) -> list[str]:
    """Return the words of a name in small letters, the last one in the singular."""
    words = [word.lower() for word in _WORDS.split(name) if word]
    return [*words[:-1], *map(singular, words[-1:])]


def singular(word: str) -> str:
    """Return the singular of an English noun, well enough to compare it with a list."""
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("ses", "xes", "ches", "shes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word
