"""The queries that read PostgreSQL's catalogs: each returns one text, and changes nothing."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

FIRST_OID: Final = 16384
"""The lowest number that objects of users get."""

# How names are written in expressions, types and statements depends on the search path. All texts are made with the
# same one, and the one of the session comes back within the statement, also where no transaction is open: CTEs that
# are materialized run once each, in the order in which one needs the other.
_WITH_FIXED_PATH = """
WITH before AS MATERIALIZED (
  SELECT current_setting('search_path') AS path, set_config('search_path', 'public', true) AS now
), answer AS MATERIALIZED (
  SELECT json_agg(json_build_object({fields}))::text AS document
  FROM before CROSS JOIN {source}
)
SELECT answer.document FROM answer, before
WHERE set_config('search_path', before.path || left(coalesce(answer.document, ''), 0), true) IS NOT NULL
"""


def _query(source: str, **fields: str) -> str:
    return _WITH_FIXED_PATH.format(
        fields=", ".join(f"'{name}', {expression}" for name, expression in fields.items()), source=source
    )


def _of_extension(catalog: str, oid: str) -> str:
    """Return an expression for the name of the extension that an object belongs to."""
    return (
        "(SELECT e.extname FROM pg_depend x JOIN pg_extension e ON e.oid = x.refobjid"
        f" WHERE x.classid = 'pg_catalog.{catalog}'::regclass AND x.objid = {oid} AND x.deptype = 'e'"
        " AND x.refclassid = 'pg_catalog.pg_extension'::regclass LIMIT 1)"
    )


def _name_of(schema: str, name: str) -> str:
    return f"(quote_ident({schema}) || '.' || quote_ident({name}))"


_OURS = "n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'dbguard')"
_RELATIONS = (
    "pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    f" WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND {_OURS} AND {_of_extension('pg_class', 'c.oid')} IS NULL"
)
_ITS_RELATIONS = f"(SELECT c.oid FROM {_RELATIONS})"
_COLLATION = (
    "(SELECT CASE WHEN ns.nspname = 'pg_catalog' THEN l.collname::text ELSE {quoted} END"
    " FROM pg_collation l JOIN pg_namespace ns ON ns.oid = l.collnamespace WHERE l.oid = {oid})"
)
_NAMES = (
    "(SELECT json_agg(a.attname ORDER BY k.place) FROM unnest({numbers}) WITH ORDINALITY AS k(number, place)"
    " JOIN pg_attribute a ON a.attrelid = {relation} AND a.attnum = k.number)"
)


def _collation(oid: str) -> str:
    return _COLLATION.format(oid=oid, quoted=_name_of("ns.nspname", "l.collname"))


def _names(numbers: str, relation: str) -> str:
    return _NAMES.format(numbers=numbers, relation=relation)


SERVER = """
SELECT json_build_object(
  'version', current_setting('server_version'), 'number', current_setting('server_version_num')::int,
  'path', current_schemas(false),
  'database', (SELECT to_json(d) FROM pg_database d WHERE d.datname = current_database())
)::text
"""

RELATIONS = _query(
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

COLUMNS = _query(
    "pg_attribute a JOIN pg_type t ON t.oid = a.atttypid"
    " LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum"
    f" WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attrelid IN {_ITS_RELATIONS}",
    relation="a.attrelid::bigint",
    number="a.attnum",
    name="a.attname",
    type="format_type(a.atttypid, a.atttypmod)",
    type_oid="a.atttypid::bigint",
    is_not_null="a.attnotnull",
    collation=f"CASE WHEN a.attcollation <> t.typcollation THEN {_collation('a.attcollation')} END",
    default="pg_get_expr(d.adbin, d.adrelid)",
    generated="a.attgenerated",
    identity="a.attidentity",
)

INDEXES = _query(
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
        f" THEN {_collation('i.indcollation[k]')} END,"
        " 'operator_class', (SELECT p.opcname FROM pg_opclass p WHERE p.oid = i.indclass[k] AND NOT p.opcdefault),"
        " 'option', i.indoption[k]) ORDER BY k) FROM generate_series(0, i.indnkeyatts - 1) AS k)"
    ),
)

CONSTRAINTS = _query(
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

STATISTICS = _query(
    f"pg_statistic_ext s WHERE s.stxrelid IN {_ITS_RELATIONS}",
    relation="s.stxrelid::bigint",
    name="s.stxname",
    kinds="s.stxkind::text[]",
    columns=_names("s.stxkeys::int2[]", "s.stxrelid"),
    ddl="pg_get_statisticsobjdef(s.oid)",
)

DEPENDENCIES = _query(
    "pg_depend d LEFT JOIN pg_rewrite r ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND r.oid = d.objid"
    " LEFT JOIN pg_constraint o ON d.classid = 'pg_catalog.pg_constraint'::regclass AND o.oid = d.objid"
    f" WHERE d.objid >= {FIRST_OID} AND d.refobjid >= {FIRST_OID} AND d.deptype IN ('n', 'e')"
    " AND d.refclassid::regclass::text = ANY (ARRAY['pg_class', 'pg_type', 'pg_proc', 'pg_extension', 'pg_opclass'])"
    " AND (r.oid IS NULL OR d.refclassid <> 'pg_catalog.pg_class'::regclass OR r.ev_class <> d.refobjid)",
    by="coalesce(r.ev_class, nullif(o.contypid, 0), nullif(o.conrelid, 0), d.objid)::bigint",
    on="d.refobjid::bigint",
    kind="d.deptype",
)

SCHEMAS = _query(f"pg_namespace n WHERE {_OURS} AND {_of_extension('pg_namespace', 'n.oid')} IS NULL", name="n.nspname")
EXTENSIONS = _query(
    "pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname <> 'plpgsql'",
    oid="e.oid::bigint",
    name="e.extname",
    schema="n.nspname",
)
COLLATIONS = _query(
    "pg_collation l JOIN pg_namespace n ON n.oid = l.collnamespace"
    f" WHERE {_OURS} AND {_of_extension('pg_collation', 'l.oid')} IS NULL",
    name=_name_of("n.nspname", "l.collname"),
    row="to_json(l)",
)
SEARCH_CONFIGURATIONS = _query(
    "pg_ts_config g JOIN pg_namespace n ON n.oid = g.cfgnamespace"
    f" WHERE {_OURS} AND {_of_extension('pg_ts_config', 'g.oid')} IS NULL",
    name=_name_of("n.nspname", "g.cfgname"),
)

TYPES = _query(
    f"pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.oid >= {FIRST_OID} AND n.nspname !~ '^pg_'"
    " AND NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = t.typrelid AND c.relkind <> 'c')",
    oid="t.oid::bigint",
    name=_name_of("n.nspname", "t.typname"),
    kind="t.typtype",
    extension=_of_extension("pg_type", "t.oid"),
    element="CASE t.typcategory WHEN 'A' THEN t.typelem::bigint END",
    relation="nullif(t.typrelid, 0)::bigint",
    base="nullif(t.typbasetype, 0)::bigint",
    base_name="CASE t.typtype WHEN 'd' THEN format_type(t.typbasetype, t.typtypmod) END",
    labels="(SELECT json_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid)",
    default="t.typdefault",
    is_not_null="t.typnotnull",
    collation="(SELECT (SELECT quote_ident(ns.nspname) || '.' || quote_ident(l.collname) FROM pg_collation l"
    " JOIN pg_namespace ns ON ns.oid = l.collnamespace WHERE l.oid = t.typcollation) FROM pg_type b"
    " WHERE b.oid = t.typbasetype AND b.typcollation <> t.typcollation)",
    checks="(SELECT json_agg(pg_get_constraintdef(o.oid) ORDER BY o.conname) FROM pg_constraint o"
    " WHERE o.contypid = t.oid AND o.contype = 'c')",
    columns="(SELECT json_agg(json_build_array(a.attname, format_type(a.atttypid, a.atttypmod)) ORDER BY a.attnum)"
    " FROM pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped)",
    subtype="(SELECT format_type(r.rngsubtype, NULL) FROM pg_range r WHERE r.rngtypid = t.oid)",
    multirange="(SELECT quote_ident(ns.nspname) || '.' || quote_ident(mt.typname) FROM pg_range r"
    " JOIN pg_type mt ON mt.oid = r.rngmultitypid JOIN pg_namespace ns ON ns.oid = mt.typnamespace"
    " WHERE r.rngtypid = t.oid)",
)

SEQUENCES = _query(
    "pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
    f" WHERE {_OURS} AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::regclass"
    " AND d.objid = c.oid AND d.deptype IN ('i', 'e'))",
    oid="c.oid::bigint",
    name=_name_of("n.nspname", "c.relname"),
    type="format_type(s.seqtypid, NULL)",
)

_NO_TRIGGERS = "p.prorettype NOT IN ('pg_catalog.trigger'::regtype, 'pg_catalog.event_trigger'::regtype)"
FUNCTIONS = _query(
    "pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang"
    " LEFT JOIN pg_aggregate g ON g.aggfnoid = p.oid"
    # Those that come with ranges are made with them.
    " WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_catalog.pg_proc'::regclass"
    " AND d.objid = p.oid AND d.deptype = 'i')"
    f" AND p.oid >= {FIRST_OID} AND p.prokind IN ('f', 'a') AND {_OURS} AND {_NO_TRIGGERS}"
    f" AND l.lanname <> 'c' AND {_of_extension('pg_proc', 'p.oid')} IS NULL",
    oid="p.oid::bigint",
    name=f"{_name_of('n.nspname', 'p.proname')} || '(' || pg_get_function_identity_arguments(p.oid) || ')'",
    ddl="CASE p.prokind WHEN 'f' THEN pg_get_functiondef(p.oid) END",
    state_function="g.aggtransfn::text",
    state_type="format_type(g.aggtranstype, NULL)",
    final_function="nullif(g.aggfinalfn::oid, 0)::regproc::text",
    initial="g.agginitval",
    aggregate_kind="g.aggkind",
)


def index_query(major: int) -> str:
    """Return the query for indexes, for a server of this major version."""
    # str.format would read the braces of others
    return INDEXES.replace("{nulls_not_distinct}", "i.indnullsnotdistinct" if major >= 15 else "false")


ACTIONS = MappingProxyType(
    {"a": "NO ACTION", "r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"},
)
"""What foreign keys do, by their letters in pg_constraint."""
