"""The queries that read PostgreSQL's relations: columns, indexes, constraints, statistics."""

from __future__ import annotations

from types import MappingProxyType

from pytest_dbguard.schema.postgres_query_parts import OF_USERS, collation_of, of_extension, query

_RELATIONS = (
    "pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    f" WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND {OF_USERS} AND {of_extension('pg_class', 'c.oid')} IS NULL"
)
_ITS_RELATIONS = f"(SELECT c.oid FROM {_RELATIONS})"
_NAMES = (
    "(SELECT json_agg(a.attname ORDER BY k.place) FROM unnest({numbers}) WITH ORDINALITY AS k(number, place)"
    " JOIN pg_attribute a ON a.attrelid = {relation} AND a.attnum = k.number)"
)


def _names(numbers: str, relation: str) -> str:
    return _NAMES.format(numbers=numbers, relation=relation)


SERVER = """
SELECT json_build_object(
  'version', current_setting('server_version'), 'number', current_setting('server_version_num')::int,
  'path', current_schemas(false),
  'database', (SELECT to_json(d) FROM pg_database d WHERE d.datname = current_database())
)::text
"""

RELATIONS = query(
    _RELATIONS,
    oid="c.oid::bigint",
    schema="n.nspname",
    name="c.relname",
    kind="c.relkind",
    row_type="c.reltype::bigint",
    is_partition="c.relispartition",
    is_unlogged="c.relpersistence = 'u'",
    options="c.reloptions",
    key="CASE c.relkind WHEN 'p' THEN pg_get_partkeydef(c.oid) END",
    bound="pg_get_expr(c.relpartbound, c.oid)",
    view="CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END",
    parents="(SELECT json_agg(i.inhparent::bigint ORDER BY i.inhseqno) FROM pg_inherits i WHERE i.inhrelid = c.oid)",
)

COLUMNS = query(
    "pg_attribute a JOIN pg_type t ON t.oid = a.atttypid"
    " LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum"
    f" WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attrelid IN {_ITS_RELATIONS}",
    relation="a.attrelid::bigint",
    number="a.attnum",
    name="a.attname",
    type="format_type(a.atttypid, a.atttypmod)",
    type_oid="a.atttypid::bigint",
    is_not_null="a.attnotnull",
    collation=f"CASE WHEN a.attcollation <> t.typcollation THEN {collation_of('a.attcollation')} END",
    default="pg_get_expr(d.adbin, d.adrelid)",
    generated="a.attgenerated",
    identity="a.attidentity",
)

INDEXES = query(
    "pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am m ON m.oid = c.relam"
    " LEFT JOIN pg_constraint o ON o.conindid = i.indexrelid AND o.conrelid = i.indrelid"
    " AND o.contype IN ('p', 'u', 'x')"
    f" WHERE i.indrelid IN {_ITS_RELATIONS}",
    oid="i.indexrelid::bigint",
    relation="i.indrelid::bigint",
    name="c.relname",
    method="m.amname",
    is_unique="i.indisunique",
    is_primary="i.indisprimary",
    # A partitioned index is valid when all partitions have theirs; one that is not ready is being built.
    is_valid="i.indisvalid AND i.indisready",
    nulls_not_distinct="{nulls_not_distinct}",
    predicate="pg_get_expr(i.indpred, i.indrelid, true)",
    constraint="o.conname",
    constraint_ddl="pg_get_constraintdef(o.oid)",
    ddl="pg_get_indexdef(i.indexrelid)",
    include="(SELECT json_agg(a.attname ORDER BY a.attnum) FROM pg_attribute a"
    " WHERE a.attrelid = i.indexrelid AND a.attnum > i.indnkeyatts)",
    keys=(
        "(SELECT json_agg(json_build_object("
        "'column', (SELECT a.attname FROM pg_attribute a WHERE a.attrelid = i.indrelid AND a.attnum = i.indkey[k]),"
        " 'expression', CASE i.indkey[k] WHEN 0 THEN pg_get_indexdef(i.indexrelid, k + 1, true) END,"
        " 'collation', CASE WHEN i.indcollation[k] NOT IN (0, coalesce((SELECT a.attcollation FROM pg_attribute a"
        "  WHERE a.attrelid = i.indrelid AND a.attnum = i.indkey[k] AND a.attnum <> 0), 100))"
        f" THEN {collation_of('i.indcollation[k]')} END,"
        " 'operator_class', (SELECT p.opcname FROM pg_opclass p WHERE p.oid = i.indclass[k] AND NOT p.opcdefault),"
        " 'option', i.indoption[k]) ORDER BY k) FROM generate_series(0, i.indnkeyatts - 1) AS k)"
    ),
)

CONSTRAINTS = query(
    "pg_constraint o LEFT JOIN pg_constraint up ON up.oid = o.conparentid"
    # Constraints on the partitions that a foreign key refers to belong to the key.
    f" WHERE o.contype IN ('c', 'f') AND o.conrelid IN {_ITS_RELATIONS} AND up.conrelid IS DISTINCT FROM o.conrelid",
    relation="o.conrelid::bigint",
    name="o.conname",
    kind="o.contype",
    columns=_names("o.conkey", "o.conrelid"),
    referred="o.confrelid::bigint",
    referred_columns=_names("o.confkey", "o.confrelid"),
    on_delete="o.confdeltype",
    on_update="o.confupdtype",
    is_valid="o.convalidated",
    is_inherited="NOT o.connoinherit",
    expression="CASE o.contype WHEN 'c' THEN pg_get_expr(o.conbin, o.conrelid) END",
)

STATISTICS = query(
    f"pg_statistic_ext s WHERE s.stxrelid IN {_ITS_RELATIONS}",
    relation="s.stxrelid::bigint",
    name="s.stxname",
    kinds="s.stxkind::text[]",
    columns=_names("s.stxkeys::int2[]", "s.stxrelid"),
    ddl="pg_get_statisticsobjdef(s.oid)",
)


def index_query(major: int) -> str:
    """Return the query for indexes, for a server of this major version."""
    # str.format would read the braces of others
    return INDEXES.replace("{nulls_not_distinct}", "i.indnullsnotdistinct" if major >= 15 else "false")


ACTIONS = MappingProxyType(
    {"a": "NO ACTION", "r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"},
)
"""What foreign keys do, by their letters in pg_constraint."""
