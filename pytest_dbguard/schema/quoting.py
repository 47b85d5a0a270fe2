"""Names and texts as SQL has them."""

from __future__ import annotations

import re
from typing import Final

_PLAIN: Final = re.compile(r"[a-z_][a-z0-9_$]*")
# Those that PostgreSQL or SQLite take for something else where a name of a table, column or index may stand.
_WORDS: Final = """
    add all alter analyse analyze and any array as asc asymmetric authorization autoincrement between bigint binary bit
    boolean both by case cast char character check coalesce collate collation column commit concurrently constraint
    create cross current_catalog current_date current_role current_schema current_time current_timestamp current_user
    dec decimal default deferrable delete desc distinct do drop else end escape except exists extract false fetch float
    for foreign freeze from full glob grant greatest group grouping having if ilike in index initially inner inout
    insert int integer intersect interval into is isnull join json json_array json_arrayagg json_exists json_object
    json_objectagg json_query json_scalar json_serialize json_table json_value lateral leading least left like limit
    localtime localtimestamp match merge_action national natural nchar none normalize not nothing notnull null nullif
    numeric offset on only or order out outer overlaps overlay placing position precision primary real references
    replace returning right row select session_user set setof similar smallint some substring symmetric system_user
    table tablesample then time timestamp to trailing transaction treat trim true union unique update user using values
    varchar variadic verbose when where window with xmlattributes xmlconcat xmlelement xmlexists xmlforest xmlnamespaces
    xmlparse xmlpi xmlroot xmlserialize xmltable
"""
_RESERVED: Final = frozenset(_WORDS.split())


def quoted(name: str) -> str:
    """Return a name as SQL has it: in quotes where it needs them, as PostgreSQL's quote_ident does."""
    return name if _PLAIN.fullmatch(name) and name not in _RESERVED else identifier(name)


def identifier(name: str) -> str:
    """Return a name in quotes, for SQL that nobody reads."""
    return '"' + name.replace('"', '""') + '"'


def qualified(schema: str, name: str) -> str:
    """Return a name with its schema, where it has one."""
    return f"{quoted(schema)}.{quoted(name)}" if schema else quoted(name)


def literal(text: str) -> str:
    """Return a text as a literal of SQL, for servers where a backslash stands for itself."""
    return "'" + text.replace("'", "''") + "'"
