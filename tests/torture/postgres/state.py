"""Reads everything that a clean database is made of: rows, sequences, catalogs, and what others are doing there."""

from __future__ import annotations

from typing import Any

from expectation import State

# dbguard's own schema and event triggers are there for its cleaning; temporary objects go with their sessions.
_OURS = "NOT IN ('dbguard', 'pg_catalog', 'information_schema', 'pg_toast') AND nspname NOT LIKE 'pg\\_%temp\\_%'"
_RELATIONS = f"""
SELECT c.relkind::text, format('%I.%I', n.nspname, c.relname)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname {_OURS} AND c.relkind IN ('r', 'm', 'S') ORDER BY 2
"""
_CATALOGS = {
    "schemas": f"SELECT concat_ws(' ', nspname, nspacl) FROM pg_namespace WHERE nspname {_OURS}",
    "relations": f"""SELECT concat_ws(' ', nspname, relname, relkind, relpersistence, relrowsecurity,
        relforcerowsecurity, relreplident, relispartition, reloptions, relacl, pg_get_expr(relpartbound, c.oid),
        CASE relkind WHEN 'm' THEN relispopulated::text END, reltablespace)
        FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname {_OURS}""",
    "columns": f"""SELECT concat_ws(' ', nspname, relname, attnum, attname, format_type(atttypid, atttypmod),
        attnotnull, attidentity, attgenerated, attisdropped, attoptions, attacl, pg_get_expr(adbin, adrelid))
        FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid JOIN pg_namespace n ON n.oid = relnamespace
        LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum WHERE attnum > 0 AND nspname {_OURS}""",
    "constraints": f"""SELECT concat_ws(' ', nspname, conrelid::regclass, conname, convalidated,
        pg_get_constraintdef(c.oid))
        FROM pg_constraint c JOIN pg_namespace n ON n.oid = connamespace WHERE nspname {_OURS}""",
    "indexes": f"""SELECT concat_ws(' ', pg_get_indexdef(indexrelid), indisvalid)
        FROM pg_index JOIN pg_class c ON c.oid = indexrelid JOIN pg_namespace n ON n.oid = relnamespace
        WHERE nspname {_OURS}""",
    "triggers": f"""SELECT concat_ws(' ', pg_get_triggerdef(t.oid), tgenabled)
        FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid JOIN pg_namespace n ON n.oid = relnamespace
        WHERE NOT tgisinternal AND nspname {_OURS}""",
    "rules": f"""SELECT concat_ws(' ', pg_get_ruledef(r.oid), ev_enabled)
        FROM pg_rewrite r JOIN pg_class c ON c.oid = ev_class JOIN pg_namespace n ON n.oid = relnamespace
        WHERE nspname {_OURS}""",
    "policies": "SELECT concat_ws(' ', tablename, policyname, cmd, roles, qual, with_check) FROM pg_policies",
    "functions": f"""SELECT concat_ws(' ', pg_get_functiondef(p.oid), proacl)
        FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace WHERE prokind IN ('f', 'p') AND nspname {_OURS}""",
    "types": f"""SELECT concat_ws(' ', nspname, typname, typtype, typacl,
        (SELECT string_agg(enumlabel, ',' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid))
        FROM pg_type t JOIN pg_namespace n ON n.oid = typnamespace WHERE nspname {_OURS}""",
    "sequence options": f"""SELECT concat_ws(' ', nspname, relname, seqtypid::regtype, seqstart, seqincrement, seqmin,
        seqmax, seqcache, seqcycle) FROM pg_sequence JOIN pg_class c ON c.oid = seqrelid
        JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname {_OURS}""",
    "comments": f"""SELECT concat_ws(' ', nspname, relname, objsubid, description)
        FROM pg_description JOIN pg_class c ON c.oid = objoid AND classoid = 'pg_class'::regclass
        JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname {_OURS}""",
    "extensions": "SELECT concat_ws(' ', extname, extversion) FROM pg_extension",
    "statistics": "SELECT stxname::text FROM pg_statistic_ext",
    "publications": "SELECT pubname::text FROM pg_publication",
    "default privileges": "SELECT defaclacl::text FROM pg_default_acl",
    "event triggers": "SELECT evtname::text FROM pg_event_trigger WHERE evtname NOT LIKE 'dbguard\\_%'",
    "large objects": "SELECT oid::text FROM pg_largeobject_metadata",
    "pages of large objects": "SELECT concat_ws(' ', loid, pageno, length(data)) FROM pg_largeobject",
}
_OTHERS = """
SELECT concat_ws(' ', application_name, state) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND state <> 'idle'
"""
_PREPARED = "SELECT gid FROM pg_prepared_xacts WHERE database = current_database()"


def read_state(connection: Any) -> State:
    """Return all of it, through a psycopg connection that nobody else uses; the same for equal databases."""
    relations = connection.execute(_RELATIONS.encode()).fetchall()
    state = {name: _lines(connection, query) for name, query in _CATALOGS.items()}
    for kind, name in relations:
        query = (
            f"SELECT t::text FROM ONLY {name} t"
            if kind != "S"
            else f"SELECT concat_ws(' ', last_value, is_called) FROM {name}"
        )
        state[f"{'sequence' if kind == 'S' else 'rows'} {name}"] = _lines(connection, query)
    state["transactions of others"] = _lines(connection, _OTHERS)
    state["prepared transactions"] = _lines(connection, _PREPARED)
    return state


def _lines(connection: Any, query: str) -> list[str]:
    return sorted(str(row[0]) for row in connection.execute(query.encode(), prepare=False).fetchall())
