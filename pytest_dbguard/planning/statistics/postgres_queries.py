"""The questions that are asked of PostgreSQL's catalogs: each answers rows of one text column, an object in JSON.

Every role may ask them. pg_stats shows statistics only of columns that the role may read, and of no table whose row
security holds for it. Texts hold no percent signs, which some drivers take for parameters.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from pytest_dbguard.planning.statistics.slots import VALUE_FIELDS

_RANGE_FIELDS = frozenset(name for name in VALUE_FIELDS if name.startswith("range_"))
_RANGES_SINCE: Final = 170000
_NUMBERS = frozenset({"most_common_freqs", "most_common_elem_freqs", "elem_count_histogram", "range_empty_frac"})

SERVER: Final = """
    SELECT json_build_object(
        'version', current_setting('server_version'),
        'number', current_setting('server_version_num'),
        'taken', to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD'),
        'collation', (SELECT to_jsonb(d) - ARRAY['datacl'] FROM pg_database d WHERE datname = current_database())
    )::text
"""

_PLANNER: Final = (
    "work_mem", "hash_mem_multiplier", "effective_cache_size", "random_page_cost", "seq_page_cost", "cpu_tuple_cost",
    "cpu_index_tuple_cost", "cpu_operator_cost", "parallel_setup_cost", "parallel_tuple_cost",
    "min_parallel_table_scan_size", "min_parallel_index_scan_size", "max_parallel_workers_per_gather",
    "effective_io_concurrency", "from_collapse_limit", "join_collapse_limit", "geqo_threshold",
    "enable_partitionwise_join", "enable_partitionwise_aggregate", "constraint_exclusion",
)  # fmt: skip

SETTINGS: Final = f"""
    SELECT json_build_object('name', name, 'value', current_setting(name))::text
    FROM pg_settings
    WHERE name IN ({", ".join(f"'{name}'" for name in _PLANNER)}) AND setting IS DISTINCT FROM boot_val
    ORDER BY name
"""

_NO_EXTENSION: Final = """NOT EXISTS (
                SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = {oid} AND d.deptype = 'e'
            )"""

# the order of an index as ORDER BY writes it, so that nothing but this index can serve it without a sort
_ORDER: Final = """
                    SELECT string_agg(
                        '(' || pg_get_indexdef(x.indexrelid, k, true) || ')'
                        || coalesce((
                            SELECT ' COLLATE ' || quote_ident(cn.nspname) || '.' || quote_ident(co.collname)
                            FROM pg_collation co JOIN pg_namespace cn ON cn.oid = co.collnamespace
                                JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = x.indkey[k - 1]
                            WHERE co.oid = x.indcollation[k - 1] AND co.oid <> a.attcollation
                        ), '')
                        || CASE WHEN o.opcdefault THEN CASE WHEN x.indoption[k - 1] & 1 = 1 THEN ' DESC' ELSE '' END
                            ELSE (
                                SELECT ' USING OPERATOR(' || quote_ident(onsp.nspname) || '.' || op.oprname || ')'
                                FROM pg_amop m JOIN pg_operator op ON op.oid = m.amopopr
                                    JOIN pg_namespace onsp ON onsp.oid = op.oprnamespace
                                WHERE m.amopfamily = o.opcfamily AND m.amoplefttype = o.opcintype
                                    AND m.amoprighttype = o.opcintype
                                    AND m.amopstrategy = CASE WHEN x.indoption[k - 1] & 1 = 1 THEN 5 ELSE 1 END
                            ) END
                        || CASE WHEN x.indoption[k - 1] & 2 = 2 THEN ' NULLS FIRST' ELSE ' NULLS LAST' END,
                        ', ' ORDER BY k
                    )
                    FROM generate_series(1, x.indnkeyatts) k JOIN pg_opclass o ON o.oid = x.indclass[k - 1]
"""


def _ours(column: str, schemas: Collection[str] | None) -> str:
    if schemas is None:
        return f"{column} !~ '^pg_' AND {column} <> 'information_schema'"
    names = ", ".join("'" + name.replace("'", "''") + "'" for name in sorted(schemas))
    return f"{column} IN ({names or 'NULL'})"


def relations(schemas: Collection[str] | None) -> str:
    """Return the question for tables, partitions, materialized views and foreign tables."""
    return f"""
        SELECT json_build_object(
            'schema', n.nspname, 'name', c.relname, 'kind', c.relkind,
            'tuples', c.reltuples, 'relpages', c.relpages, 'visible', c.relallvisible,
            'bytes', CASE WHEN c.relkind IN ('r', 'm') THEN pg_relation_size(c.oid) ELSE 0 END,
            'live', s.n_live_tup, 'scans', s.seq_scan + coalesce(s.idx_scan, 0),
            'writes', s.n_tup_ins + s.n_tup_upd + s.n_tup_del,
            'may_select', has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT'),
            'columns', (
                SELECT count(*) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
            ),
            'hides_rows', row_security_active(c.oid),
            'extended', EXISTS (
                SELECT FROM pg_statistic_ext x WHERE x.stxrelid = c.oid AND x.stxkind && ARRAY['d', 'f']::"char"[]
            ),
            'parent', (
                SELECT json_build_array(pn.nspname, p.relname)
                FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent
                    JOIN pg_namespace pn ON pn.oid = p.relnamespace
                WHERE i.inhrelid = c.oid AND c.relispartition
            )
        )::text
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_stat_all_tables s ON s.relid = c.oid
        WHERE c.relkind IN ('r', 'p', 'm', 'f') AND c.relpersistence <> 't' AND {_ours("n.nspname", schemas)}
            AND {_NO_EXTENSION.format(oid="c.oid")}
        ORDER BY n.nspname, c.relname
    """


def columns(number: int, schemas: Collection[str] | None, *, values: bool) -> str:
    """Return the question for statistics of columns and of expressions of indexes; values only where asked for."""
    fields = [name for name in VALUE_FIELDS if values and (name not in _RANGE_FIELDS or number >= _RANGES_SINCE)]
    more = "".join(f", '{name}', {name}{'' if name in _NUMBERS else '::text'}" for name in fields)
    return f"""
        SELECT json_build_object(
            'schema', schemaname, 'table', tablename, 'name', attname, 'inherited', inherited,
            'null_frac', null_frac, 'avg_width', avg_width, 'n_distinct', n_distinct, 'correlation', correlation{more}
        )::text
        FROM pg_stats WHERE {_ours("schemaname", schemas)}
        ORDER BY schemaname, tablename, attname, inherited
    """


def indexes(schemas: Collection[str] | None) -> str:
    """Return the question for indexes: sizes, names of their expressions' columns, and the order they keep.

    'order' is None where the role may not read the table, and where a single page tells the height already.
    """
    return f"""
        SELECT json_build_object(
            'schema', n.nspname, 'name', c.relname, 'table', t.relname, 'method', am.amname,
            'tuples', c.reltuples, 'relpages', c.relpages, 'bytes', pg_relation_size(c.oid), 'is_valid', x.indisvalid,
            'expressions', (
                SELECT json_object_agg(a.attnum, a.attname) FROM pg_attribute a
                WHERE a.attrelid = c.oid AND a.attnum <= x.indnkeyatts AND x.indkey[a.attnum - 1] = 0
            ),
            'from', 'ONLY ' || quote_ident(n.nspname) || '.' || quote_ident(t.relname),
            'where', pg_get_expr(x.indpred, x.indrelid, true),
            'order', CASE WHEN am.amname = 'btree' AND x.indisvalid
                AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(t.oid, 'SELECT')
                THEN ({_ORDER}) END
        )::text
        FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
            JOIN pg_namespace n ON n.oid = t.relnamespace JOIN pg_am am ON am.oid = c.relam
        WHERE c.relkind = 'i' AND t.relkind IN ('r', 'm') AND t.relpersistence <> 't'
            AND {_ours("n.nspname", schemas)} AND {_NO_EXTENSION.format(oid="t.oid")}
        ORDER BY n.nspname, t.relname, c.relname
    """


def combinations(schemas: Collection[str] | None) -> str:
    """Return the question for extended statistics."""
    return f"""
        SELECT json_build_object(
            'schema', e.schemaname, 'table', e.tablename, 'inherited', to_jsonb(e) -> 'inherited',
            'n_distinct', e.n_distinct::text, 'dependencies', e.dependencies::text,
            'names', (
                SELECT json_object_agg(a.attnum, a.attname)
                FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = e.schemaname AND c.relname = e.tablename AND a.attnum > 0 AND NOT a.attisdropped
            )
        )::text
        FROM pg_stats_ext e
        WHERE (e.n_distinct IS NOT NULL OR e.dependencies IS NOT NULL) AND {_ours("e.schemaname", schemas)}
        ORDER BY e.schemaname, e.tablename, e.statistics_name
    """
