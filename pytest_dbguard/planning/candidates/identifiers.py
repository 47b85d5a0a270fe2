"""Quotes names where SQL needs it."""

from __future__ import annotations

import re

_PLAIN = re.compile(r"[a-z_][a-z0-9_]*\Z")
_WORDS = """
    all analyse analyze and any array as asc asymmetric authorization between both by case cast check collate collation
    column constraint create cross current_date current_role current_time current_timestamp current_user default
    deferrable delete desc distinct do drop else end except exists false fetch for foreign freeze from full grant group
    having ilike in index initially inner insert intersect into is isnull join lateral leading left like limit localtime
    localtimestamp natural not notnull null offset on only or order outer overlaps placing primary references returning
    right select session_user set similar some symmetric table then to trailing transaction trigger true union unique
    update user using values variadic verbose view when where window with
"""
_RESERVED = frozenset(_WORDS.split())


def quoted(name: str) -> str:
    """Return a name as SQL of both databases needs it: in quotes unless it is a plain word in small letters."""
    if _PLAIN.match(name) and name not in _RESERVED:
        return name
    return '"' + name.replace('"', '""') + '"'
