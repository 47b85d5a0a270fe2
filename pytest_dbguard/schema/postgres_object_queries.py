"""The queries that read what PostgreSQL's tables need: schemas, extensions, types, sequences, functions."""

from __future__ import annotations

from pytest_dbguard.schema.postgres_query_parts import FIRST_OID, OF_USERS, name_of, of_extension, query

DEPENDENCIES = query(
    "pg_depend d LEFT JOIN pg_rewrite r ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND r.oid = d.objid"
    " LEFT JOIN pg_constraint o ON d.classid = 'pg_catalog.pg_constraint'::regclass AND o.oid = d.objid"
    f" WHERE d.objid >= {FIRST_OID} AND d.refobjid >= {FIRST_OID} AND d.deptype IN ('n', 'e')"
    " AND d.refclassid::regclass::text = ANY (ARRAY['pg_class', 'pg_type', 'pg_proc', 'pg_extension', 'pg_opclass'])"
    " AND (r.oid IS NULL OR d.refclassid <> 'pg_catalog.pg_class'::regclass OR r.ev_class <> d.refobjid)",
    by="coalesce(r.ev_class, nullif(o.contypid, 0), nullif(o.conrelid, 0), d.objid)::bigint",
    on="d.refobjid::bigint",
    kind="d.deptype",
)

SCHEMAS = query(
    f"pg_namespace n WHERE {OF_USERS} AND {of_extension('pg_namespace', 'n.oid')} IS NULL", name="n.nspname"
)
EXTENSIONS = query(
    "pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname <> 'plpgsql'",
    oid="e.oid::bigint",
    name="e.extname",
    schema="n.nspname",
)
COLLATIONS = query(
    "pg_collation l JOIN pg_namespace n ON n.oid = l.collnamespace"
    f" WHERE {OF_USERS} AND {of_extension('pg_collation', 'l.oid')} IS NULL",
    name=name_of("n.nspname", "l.collname"),
    row="to_json(l)",
)
SEARCH_CONFIGURATIONS = query(
    "pg_ts_config g JOIN pg_namespace n ON n.oid = g.cfgnamespace"
    f" WHERE {OF_USERS} AND {of_extension('pg_ts_config', 'g.oid')} IS NULL",
    name=name_of("n.nspname", "g.cfgname"),
)

TYPES = query(
    f"pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.oid >= {FIRST_OID} AND n.nspname !~ '^pg_'"
    " AND NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = t.typrelid AND c.relkind <> 'c')",
    oid="t.oid::bigint",
    name=name_of("n.nspname", "t.typname"),
    kind="t.typtype",
    extension=of_extension("pg_type", "t.oid"),
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

SEQUENCES = query(
    "pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
    f" WHERE {OF_USERS} AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::regclass"
    " AND d.objid = c.oid AND d.deptype IN ('i', 'e'))",
    oid="c.oid::bigint",
    name=name_of("n.nspname", "c.relname"),
    type="format_type(s.seqtypid, NULL)",
)

_NO_TRIGGERS = "p.prorettype NOT IN ('pg_catalog.trigger'::regtype, 'pg_catalog.event_trigger'::regtype)"
FUNCTIONS = query(
    "pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang"
    " LEFT JOIN pg_aggregate g ON g.aggfnoid = p.oid"
    # Those that come with ranges are made with them.
    " WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_catalog.pg_proc'::regclass"
    " AND d.objid = p.oid AND d.deptype = 'i')"
    f" AND p.oid >= {FIRST_OID} AND p.prokind IN ('f', 'a') AND {OF_USERS} AND {_NO_TRIGGERS}"
    f" AND l.lanname <> 'c' AND {of_extension('pg_proc', 'p.oid')} IS NULL",
    oid="p.oid::bigint",
    name=f"{name_of('n.nspname', 'p.proname')} || '(' || pg_get_function_identity_arguments(p.oid) || ')'",
    ddl="CASE p.prokind WHEN 'f' THEN pg_get_functiondef(p.oid) END",
    state_function="g.aggtransfn::text",
    state_type="format_type(g.aggtranstype, NULL)",
    final_function="nullif(g.aggfinalfn::oid, 0)::regproc::text",
    initial="g.agginitval",
    aggregate_kind="g.aggkind",
)
